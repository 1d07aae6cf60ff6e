/** The HTML report: one file that opens from a disk, loads nothing from the network and runs no script but its own. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageDirectory } from '../../own-package.js';
import { formatCount } from '../../terminal/numbers.js';
import type { Session } from '../../terminal/session.js';
import type { BuiltReport } from '../document/build-report.js';
import type { ReportDocument } from '../document/report-document.js';
import { codeSection, invariantsSection } from './coverage-sections.js';
import type { RerunOptions } from './explained-findings.js';
import { findingsPieces } from './findings-section.js';
import type { Markup } from './markup.js';
import { SEAM, aroundSeam, html, verbatim } from './markup.js';
import { matrixSection } from './matrix-section.js';
import { situationsSection } from './situations-section.js';
import { summarySection } from './summary-section.js';
import { timelineSection } from './timeline-section.js';

const MEBI = 2 ** 20;

/** Bytes of a section other than the findings. */
const LARGEST_SECTION = MEBI;

/** Inlined into the page as they are. */
const VIEWER = 'scripts/report/html/viewer';
const STYLES = ['page.css', 'finding.css'];
const SCRIPTS = ['stepper.js', 'follow.js', 'hints.js'];

/**
 * The page, section by section. It has at most 32 MiB, which a browser opens within seconds: 24 of findings, one of a list of those that
 * do not fit, and at most one of each other section.
 */
export async function* htmlPieces(report: BuiltReport, rerun: RerunOptions): AsyncGenerator<string> {
  const { document } = report;
  const sections = sectionsOf(document);
  const findings = document.findings.length > 0;
  const [before, after] = aroundSeam(
    pageMarkup({
      title: 'What shadowdiff found',
      style: (await Promise.all(STYLES.map(viewerFile))).join('\n'),
      scripts: findings ? await Promise.all(SCRIPTS.map(viewerFile)) : [await viewerFile('hints.js')],
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
  yield after;
}

const viewerFile = (name: string): Promise<string> => readFile(join(packageDirectory(), VIEWER, name), 'utf8');

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

interface Page {
  readonly title: string;
  readonly style: string;
  /** Modules that are independent of each other. */
  readonly scripts: readonly string[];
  /** Anchors of the sections and their names. */
  readonly contents: readonly (readonly [anchor: string, name: string])[];
  readonly body: Markup;
}

const pageMarkup = (page: Page): Markup => {
  const { title, style, scripts, contents, body } = page;
  return html`${verbatim('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="Content-Security-Policy" content="${policyOf(page)}" />
        <title>${title}</title>
        ${verbatim(`<style>${style}</style>`)}
      </head>
      <body>
        <header>
          <p class="brand">shadowdiff</p>
          <nav aria-label="Sections">${contents.map(([anchor, name]) => html`<a href="#${anchor}">${name}</a> `)}</nav>
        </header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
        <div id="hint" role="tooltip" hidden></div>
        ${scripts.map((script) => verbatim(`<script type="module">${script}</script>`))}
      </body>
    </html>`;
};

/** Only scripts and styles with these digests take effect, whatever text the page contains. */
const policyOf = ({ style, scripts }: Page): string =>
  [
    "default-src 'none'",
    `style-src ${digestOf(style)}`,
    `script-src ${scripts.map(digestOf).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const digestOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
