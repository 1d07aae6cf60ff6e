/** The forms of a report. A new one is a file and a line here. */

import { visibleLines } from '../../properties/formats/index.js';
import { annotationLines } from './annotations-text.js';
import { badge } from './badge-text.js';
import type { BuiltReport } from './document/build-report.js';
import type { ReportDocument } from './document/report-document.js';
import type { RerunOptions } from './html/explained-findings.js';
import { htmlPieces } from './html/html-page.js';
import { junitText } from './junit-text.js';
import { markdownText } from './markdown-text.js';
import { sarifLog } from './sarif-text.js';
import { terminalReport } from './terminal-text.js';

interface Reporter {
  readonly name: string;
  /** Where it is written unless `--out` names a file; by default to standard output. */
  readonly file?: string;
  /** Whole lines, each piece without the end of its last line. The pieces together may be too long for a string. */
  pieces(report: BuiltReport, rerun: RerunOptions): Iterable<string> | AsyncIterable<string>;
}

const jsonText = (value: unknown): string => visibleLines(JSON.stringify(value, undefined, 1));

/** As `JSON.stringify(document, undefined, 1)`, one finding at a time. */
function* jsonPieces(document: ReportDocument): Generator<string> {
  const { findings } = document;
  const text = jsonText({ ...document, findings: [] });
  const [before, after] = text.split(/(?<=\n "findings": \[)(?=\])/);
  if (findings.length === 0) return yield text;
  yield before;
  for (const [index, finding] of findings.entries()) {
    const indented = jsonText(finding).replace(/^/gm, '  ');
    yield index < findings.length - 1 ? `${indented},` : indented;
  }
  yield ` ${after}`;
}

export const REPORTERS = [
  { name: 'html', file: 'report.html', pieces: htmlPieces },
  { name: 'terminal', pieces: ({ document }, { session }) => terminalReport(document, session) },
  { name: 'markdown', pieces: ({ document }) => [visibleLines(markdownText(document))] },
  { name: 'junit', pieces: (report, { session }) => [visibleLines(junitText(report, session))] },
  { name: 'sarif', pieces: ({ document }) => [jsonText(sarifLog(document))] },
  { name: 'annotations', pieces: ({ document }) => annotationLines(document) },
  { name: 'badge', pieces: ({ document }) => [jsonText(badge(document))] },
  { name: 'json', pieces: ({ document }) => jsonPieces(document) },
] as const satisfies readonly Reporter[];

export type ReporterName = (typeof REPORTERS)[number]['name'];

export const reporterNamed = (name: ReporterName): Reporter => REPORTERS.find((each) => each.name === name)!;

/** The text of a file with a report. */
export async function* reportText(
  name: ReporterName,
  report: BuiltReport,
  rerun: RerunOptions,
): AsyncGenerator<string> {
  for await (const piece of reporterNamed(name).pieces(report, rerun)) yield `${piece}\n`;
}
