/** The reporter html: one page with everything in it. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageDirectory } from '../../own-package.js';
import type { Reported } from '../reporter.js';
import type { ReportDocument } from '../document/report-document.js';
import { codeSection } from './code-section.js';
import { findingsSection } from './findings-section.js';
import { invariantsSection } from './invariants-section.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';
import { matrixSection } from './matrix-section.js';
import { pageText } from './page.js';
import { situationsSection } from './situations-section.js';
import type { Told } from './tell-findings.js';
import { tellFindings } from './tell-findings.js';
import { summarySection } from './summary-section.js';
import { timelineSection } from './timeline-section.js';

/** They run in the browser as they are; compiled and source files of this package read the same ones. */
const VIEWER = 'scripts/report/html/viewer';
const STYLES = ['page.css', 'finding.css'];
const SCRIPTS = ['stepper.js', 'follow.js', 'hints.js'];

export const htmlText = async (reported: Reported): Promise<string> => {
  const { report } = reported;
  const told = await tellFindings(reported);
  const sections = sectionsOf(report, told).filter(isThere);
  return pageText({
    title: 'What shadowdiff found',
    style: (await Promise.all(STYLES.map(viewerFile))).join('\n'),
    scripts: told.length === 0 ? [await viewerFile('hints.js')] : await Promise.all(SCRIPTS.map(viewerFile)),
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

const sectionsOf = (report: ReportDocument, told: readonly Told[]): readonly Section[] => [
  { name: 'Summary', content: summarySection(report) },
  { anchor: 'findings', name: 'Findings', content: findingsSection(report, told) },
  { anchor: 'invariants', name: 'Invariants', content: invariantsSection(report) },
  { anchor: 'matrix', name: 'Planted bugs', content: matrixSection(report) },
  { anchor: 'situations', name: 'Situations', content: situationsSection(report) },
  { anchor: 'timeline', name: 'Over time', content: timelineSection(report) },
  { anchor: 'code', name: 'Code', content: codeSection(report) },
];
