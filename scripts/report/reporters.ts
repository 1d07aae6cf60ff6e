/** The forms of a report. A new one is a file and a line here. */

import { visibleLines } from '../../properties/formats/index.js';
import type { BuiltReport } from './document/build-report.js';
import type { RerunOptions } from './html/explained-findings.js';
import { htmlText } from './html/html-page.js';
import { junitText } from './junit-text.js';
import { markdownText } from './markdown-text.js';
import { terminalReport } from './terminal-text.js';

interface Reporter {
  readonly name: string;
  /** Where it is written unless `--out` names a file; by default to standard output. */
  readonly file?: string;
  /** Without a newline at its end. */
  text(report: BuiltReport, rerun: RerunOptions): Promise<string>;
}

export const REPORTERS = [
  { name: 'html', file: 'report.html', text: htmlText },
  {
    name: 'terminal',
    text: ({ document }, { session }) => Promise.resolve(terminalReport(document, session).join('\n')),
  },
  { name: 'markdown', text: ({ document }) => Promise.resolve(visibleLines(markdownText(document))) },
  { name: 'junit', text: ({ document }) => Promise.resolve(visibleLines(junitText(document))) },
  { name: 'json', text: ({ document }) => Promise.resolve(visibleLines(JSON.stringify(document, undefined, 1))) },
] as const satisfies readonly Reporter[];

export type ReporterName = (typeof REPORTERS)[number]['name'];

export const reporterNamed = (name: ReporterName): Reporter => REPORTERS.find((each) => each.name === name)!;
