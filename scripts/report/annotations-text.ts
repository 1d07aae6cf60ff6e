/** Annotations for a GitHub workflow: GitHub shows a line that begins with `::error` at the file it names. */

import { printable } from '../terminal/printable.js';
import type { FindingReport, ReportDocument } from './document/report-document.js';
import { verdictSentence } from './document/report-verdict.js';
import { findingMessage } from './finding-text.js';
import { SEVERITIES, titleOf } from './report-news.js';

/** GitHub shows at most this many errors and warnings of a step each. */
const MOST_SHOWN = 10;

export const annotationLines = (report: ReportDocument): readonly string[] => {
  const lines = [
    ...report.findings.map(findingLine),
    ...(report.corpus?.broken ?? []).map(({ file, reason }) => annotation('error', 'corpus', reason, file)),
  ];
  return [
    annotation(LEVELS[report.verdict.kind], 'shadowdiff', verdictSentence(report.verdict)),
    // The verdict takes a place of its own.
    ...(['error', 'warning', 'notice'] as const).flatMap((level) =>
      lines.filter((line) => line.startsWith(`::${level}`)).slice(0, MOST_SHOWN - 1),
    ),
  ];
};

type Level = 'error' | 'warning' | 'notice';

const LEVELS: Readonly<Record<ReportDocument['verdict']['kind'], Level>> = {
  divergence: 'error',
  unsaved: 'error',
  clean: 'notice',
  inconclusive: 'warning',
  interrupted: 'warning',
};

const findingLine = (finding: FindingReport): string =>
  annotation(
    SEVERITIES[finding.status],
    titleOf(finding),
    `${findingMessage(finding)}\n${finding.replay}`,
    finding.file,
  );

const annotation = (level: Level, title: string, message: string, file?: string): string => {
  const place = file === undefined ? '' : `file=${property(file)},`;
  const text = message.split('\n').map(printable).join('\n');
  return `::${level} ${place}title=${property(title)}::${data(text)}`;
};

/** As the workflow commands' own library escapes them (actions/toolkit, command.ts). */
const data = (text: string): string => text.replace(/[%\r\n]/g, encodeURIComponent);
const property = (text: string): string => printable(text).replace(/[%\r\n:,]/g, encodeURIComponent);
