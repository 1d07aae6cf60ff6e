/** The HTML report: one file that opens from a disk, loads nothing from the network and runs no script but its own. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageDirectory } from '../../own-package.js';
import type { BuiltReport } from '../document/build-report.js';
import type { ReportDocument } from '../document/report-document.js';
import { codeSection, invariantsSection } from './coverage-sections.js';
import type { ExplainedFinding, RerunOptions } from './explained-findings.js';
import { explainFindings } from './explained-findings.js';
import { findingsSection } from './findings-section.js';
import type { Markup } from './markup.js';
import { html, verbatim } from './markup.js';
import { matrixSection } from './matrix-section.js';
import { situationsSection } from './situations-section.js';
import { summarySection } from './summary-section.js';
import { timelineSection } from './timeline-section.js';

/** Inlined into the page as they are. */
const VIEWER = 'scripts/report/html/viewer';
const STYLES = ['page.css', 'finding.css'];
const SCRIPTS = ['stepper.js', 'follow.js', 'hints.js'];

export const htmlText = async (report: BuiltReport, rerun: RerunOptions): Promise<string> => {
  const explained = await explainFindings(report, rerun);
  const sections = sectionsOf(report.document, explained).filter(isThere);
  return pageText({
    title: 'What shadowdiff found',
    style: (await Promise.all(STYLES.map(viewerFile))).join('\n'),
    scripts: explained.length === 0 ? [await viewerFile('hints.js')] : await Promise.all(SCRIPTS.map(viewerFile)),
    contents: sections.flatMap(({ anchor, name }) => (anchor === undefined ? [] : [[anchor, name] as const])),
    body: html`${sections.map(({ content }) => content)}`,
  });
};

const viewerFile = (name: string): Promise<string> => readFile(join(packageDirectory(), VIEWER, name), 'utf8');

interface Section {
  readonly anchor?: string;
  readonly name: string;
  readonly content: Markup | undefined;
}

const isThere = ({ content }: Section): boolean => content !== undefined;

const sectionsOf = (report: ReportDocument, explained: readonly ExplainedFinding[]): readonly Section[] => [
  { name: 'Summary', content: summarySection(report) },
  { anchor: 'findings', name: 'Findings', content: findingsSection(report, explained) },
  { anchor: 'invariants', name: 'Invariants', content: invariantsSection(report) },
  { anchor: 'matrix', name: 'Planted bugs', content: matrixSection(report) },
  { anchor: 'situations', name: 'Situations', content: situationsSection(report) },
  { anchor: 'timeline', name: 'Over time', content: timelineSection(report) },
  { anchor: 'code', name: 'Code', content: codeSection(report) },
];

interface Page {
  readonly title: string;
  readonly style: string;
  /** Modules that are independent of each other. */
  readonly scripts: readonly string[];
  /** Anchors of the sections and their names. */
  readonly contents: readonly (readonly [anchor: string, name: string])[];
  readonly body: Markup;
}

const pageText = (page: Page): string => {
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
    </html>`.text;
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
