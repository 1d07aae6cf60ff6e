/** The HTML report: one file that opens from a disk, loads nothing from the network and runs no script but its own. */

import { formatCount } from '../../terminal/numbers.js';
import type { Session } from '../../terminal/session.js';
import type { BuiltReport } from '../document/build-report.js';
import type { ReportDocument } from '../document/report-document.js';
import { codeSection, invariantsSection } from './coverage-sections.js';
import type { RerunOptions } from './explained-findings.js';
import { findingsPieces } from './findings-section.js';
import type { Markup } from './markup.js';
import { SEAM, aroundSeam, html } from './markup.js';
import { pageMarkup, readViewer, viewerFile } from './page-frame.js';
import { PLAY_LINKS, packedPage } from '../play/play-links.js';
import { canMakePlayPage, playPage } from '../play/play-page.js';
import { matrixSection } from './matrix-section.js';
import { prospectsSection } from './prospects-section.js';
import { situationsSection } from './situations-section.js';
import { summarySection } from './summary-section.js';
import { timelineSection } from './timeline-section.js';

const MEBI = 2 ** 20;

/** Bytes of a section other than the findings. */
const LARGEST_SECTION = MEBI;

/**
 * The page, section by section. It has at most 32 MiB, which a browser opens within seconds: 24 of findings, one of a list of those that
 * do not fit, and at most one of each other section and of the page to play in.
 */
export async function* htmlPieces(report: BuiltReport, rerun: RerunOptions): AsyncGenerator<string> {
  const { document } = report;
  const sections = sectionsOf(document);
  const findings = document.findings.length > 0;
  const viewer = await readViewer();
  const play = findings && canMakePlayPage() ? await playPage() : undefined;
  const [before, after] = aroundSeam(
    pageMarkup({
      title: 'What shadowdiff found',
      ...viewer,
      scripts: [
        ...(findings ? viewer.scripts : viewer.scripts.slice(-1)),
        ...(play === undefined ? [] : [await viewerFile(PLAY_LINKS)]),
      ],
      opens: play,
      contents: [
        ...(findings ? [['findings', 'Findings'] as const] : []),
        ...sections.flatMap(({ anchor, name }) => [[anchor, name] as const]),
      ],
      body: SEAM,
    }),
  );
  yield before;
  yield fitting('Summary', summarySection(document), rerun.session);
  if (findings) yield* findingsPieces(report, rerun);
  for (const { name, content } of sections) yield fitting(name, content, rerun.session);
  if (play !== undefined) yield packedPage(play).text;
  yield after;
}

interface Section {
  readonly anchor: string;
  readonly name: string;
  readonly content: Markup;
}

/** Those that have something to show, after the summary and the findings. */
const sectionsOf = (report: ReportDocument): readonly Section[] =>
  [
    { anchor: 'invariants', name: 'Invariants', content: invariantsSection(report) },
    { anchor: 'matrix', name: 'Planted bugs', content: matrixSection(report) },
    { anchor: 'situations', name: 'Situations', content: situationsSection(report) },
    { anchor: 'prospects', name: 'Left to find', content: prospectsSection(report) },
    { anchor: 'timeline', name: 'Over time', content: timelineSection(report) },
    { anchor: 'code', name: 'Code', content: codeSection(report) },
  ].flatMap(({ content, ...section }) => (content === undefined ? [] : [{ ...section, content }]));

const fitting = (name: string, section: Markup, session: Session): string =>
  section.bytes <= LARGEST_SECTION ? section.text : tooLarge(name, section, session).text;

const tooLarge = (name: string, { bytes }: Markup, session: Session): Markup =>
  html`<section>
    <h2>${name}</h2>
    <p>
      Left out, because it would add ${formatCount(Math.ceil(bytes / MEBI))} MiB to this page. Its data:
      <code>${session.command('report', 'DIRECTORY', '--reporter', 'json')}</code>
    </p>
  </section>`;
