/** What a reporter is, and all of them. A new one is a file and a line. */

import type { Finding } from '../../properties/finding.js';
import { htmlText } from './html/html-text.js';
import type { ReportDocument } from './document/report-document.js';
import type { Session } from '../terminal/session.js';
import { junitText } from './junit.js';
import { markdownText } from './markdown.js';

/** What there is to report, and what it takes to run its programs again. */
export interface Reported {
  readonly report: ReportDocument;
  /** The stored counterexamples, by file. */
  readonly entries: ReadonlyMap<string, Finding>;
  /** Milliseconds that a subject outside the process may take for one program. */
  readonly caseTimeout: number;
  readonly session: Session;
}

export interface Reporter {
  readonly name: string;
  /** Where it goes unless `--out` says otherwise; left out: standard output. */
  readonly file?: string;
  /** Without the newline at its end. */
  text(reported: Reported): Promise<string>;
}

export const REPORTERS = [
  { name: 'html', file: 'report.html', text: htmlText },
  { name: 'markdown', text: ({ report }) => Promise.resolve(markdownText(report)) },
  { name: 'junit', text: ({ report }) => Promise.resolve(junitText(report)) },
  { name: 'json', text: ({ report }) => Promise.resolve(JSON.stringify(report, undefined, 1)) },
] as const satisfies readonly Reporter[];

export type ReporterName = (typeof REPORTERS)[number]['name'];
