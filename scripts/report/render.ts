/** From the directories that runs left behind to the text of a report. */

import { readResults } from './document/read-results.js';
import type { Results } from './document/read-results.js';
import type { ReportDocument } from './document/report-document.js';
import { unite } from './document/unite.js';
import type { Session } from '../terminal/session.js';
import type { Reported, Reporter, ReporterName } from './reporter.js';
import { REPORTERS } from './reporter.js';

interface RenderOptions extends Pick<Reported, 'caseTimeout'> {
  readonly name: ReporterName;
}

/** Throws `BadInput` for directories and files that cannot be read, or do not fit together. */
export const render = async (
  directories: readonly string[],
  { name, caseTimeout }: RenderOptions,
  session: Session,
): Promise<{ readonly text: string; readonly report: ReportDocument; readonly reporter: Reporter }> => {
  const results: Results[] = [];
  for (const directory of new Set(directories)) results.push(await readResults(directory));
  const report = unite(results);
  const entries = new Map(results.flatMap(({ findings }) => findings.map(({ path, entry }) => [path, entry])));
  const reporter: Reporter = REPORTERS.find((each) => each.name === name)!;
  return { text: await reporter.text({ report, entries, caseTimeout, session }), report, reporter };
};
