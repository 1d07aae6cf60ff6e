/** What else is made of a run's directory once its summary is written. A new one is a line. */

import { join } from 'node:path';
import { writeTextFile } from '../../properties/corpus/store.js';
import { DEFAULT_CASE_TIMEOUT } from '../terminal/sides.js';
import type { ReporterName } from '../report/reporters.js';
import { reporterNamed } from '../report/reporters.js';
import { buildReport } from '../report/document/build-report.js';
import type { Session } from '../terminal/session.js';

const FILES: readonly (readonly [file: string, reporter: ReporterName])[] = [
  ['report.html', 'html'],
  ['junit.xml', 'junit'],
];

/** Writes reports into the directory, from summary.json, invariants.json and findings/ there. Throws `BadInput`. */
export const writeReports = async (directory: string, session: Session): Promise<void> => {
  const report = await buildReport([directory]);
  for (const [file, name] of FILES) {
    const text = await reporterNamed(name).text(report, { caseTimeout: DEFAULT_CASE_TIMEOUT, session });
    await writeTextFile(join(directory, file), `${text}\n`, 'go on with --resume');
  }
};
