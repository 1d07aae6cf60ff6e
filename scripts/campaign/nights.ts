/** The nights of a trend, read from histories and from the directories of runs. */

import { basename, dirname, join, resolve } from 'node:path';
import { BadInput } from '../../properties/formats/index.js';
import { pathKind } from '../coverage/read-document.js';
import { uniteResults } from '../report/document/build-report.js';
import { readResults } from '../report/document/read-results.js';
import { SUMMARY_FILE } from '../report/document/summary-document.js';
import type { Night } from '../report/trend/night.js';
import { nightOf, readNight } from '../report/trend/night.js';
import type { FoundNight } from '../report/trend/trend.js';
import { dayOf, timeOf } from '../report/trend/trend.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import { HISTORY_FILE, readHistory, unfinishedNight } from './history.js';
import { readRun } from './merged-run.js';
import { HTML_FILE, RUN_FILE, readRunRecord } from './run-directory.js';

interface StoredNight {
  /** Where its results are, or were. */
  readonly directory: string;
  readonly night: Night;
}

/**
 * The nights in these places: a history, a directory that holds one, or the directory of a run. What is no run is left out with a
 * complaint, because a pattern such as `out/*` also names other things. `linkTo`: how the page leads to a file.
 *
 * @throws BadInput for a history that cannot be read, and if there is no night
 */
export const readNights = async (
  paths: readonly string[],
  linkTo: (file: string) => string,
  session: Session,
): Promise<readonly FoundNight[]> => {
  let lines: readonly StoredNight[] = [];
  const runs: StoredNight[] = [];
  for (const path of new Set(paths)) {
    const history = await historyAt(path);
    if (history === undefined) runs.push(...(await nightsAt(path, session)));
    else lines = lines.concat(await linesOf(history, session));
  }
  // A directory is read after the histories: it may have been resumed, or be the only one that knows how far a killed night came.
  const nights = new Map([...lines, ...runs].map((stored) => [nameOf(stored), stored]));
  if (nights.size === 0) throw new BadInput('trend', 'no night could be read; name directories of runs, or a history');
  return await withReports([...nights.values()], linkTo);
};

/** A campaign that is given the same seed and directory on another day is another night. */
const nameOf = ({ directory, night }: StoredNight): string => [resolve(directory), night.seed, dayOf(night)].join('\n');

/** Undefined for the directory of a run, and for what is neither. */
const historyAt = async (path: string): Promise<string | undefined> => {
  if ((await pathKind(path)) === 'file') return path;
  const history = join(path, HISTORY_FILE);
  const isRun =
    (await pathKind(join(path, RUN_FILE))) === 'file' || (await pathKind(join(path, SUMMARY_FILE))) === 'file';
  return !isRun && (await pathKind(history)) === 'file' ? history : undefined;
};

const linesOf = async (history: string, session: Session): Promise<readonly StoredNight[]> => {
  const stored: StoredNight[] = [];
  const complain = (problem: string): void => session.complain(`shadowdiff: ${printable(problem)}`);
  for (const night of await readHistory(history, complain)) {
    const directory = join(dirname(history), night.directory);
    stored.push({ directory, night: night.verdict === 'unfinished' ? await soFar(directory, night, session) : night });
  }
  return stored;
};

/** A night that did not end, as far as its directory knows of it, if that is still there and still its own. */
const soFar = async (directory: string, night: Night, session: Session): Promise<Night> => {
  try {
    const now = await nightIn(directory, session);
    return nameOf({ directory, night: now }) === nameOf({ directory, night }) ? now : night;
  } catch (error) {
    if (error instanceof BadInput) return night;
    throw error;
  }
};

const nightsAt = async (directory: string, session: Session): Promise<readonly StoredNight[]> => {
  try {
    return [{ directory, night: await nightIn(directory, session) }];
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    session.complain(`shadowdiff: left out: ${printable(error.message)}`);
    return [];
  }
};

/** Throws `BadInput` for a directory that holds no run, or one shard of several. */
const nightIn = async (directory: string, session: Session): Promise<Night> => {
  const hasRecord = (await pathKind(join(directory, RUN_FILE))) === 'file';
  const record = hasRecord ? await readRunRecord(directory) : undefined;
  if (record?.kind === 'run' && record.campaign.shards > 1)
    throw new BadInput(directory, 'one shard of several, a part of a night; name what shadowdiff merge makes of them');
  const summary = join(directory, SUMMARY_FILE);
  if (record !== undefined && (await pathKind(summary)) === 'absent') {
    const complain = (problem: string): void => session.complain(`shadowdiff: ${printable(problem)}`);
    const { ledger } = await readRun(directory, complain);
    return readNight(unfinishedNight(directory, record, session, ledger), join(directory, RUN_FILE));
  }
  const results = await readResults(directory);
  if (results.summary === undefined) throw new BadInput(directory, 'no run of fuzz or nightly is here; name its --out');
  const { document } = uniteResults([results], session);
  return readNight(nightOf(basename(resolve(directory)), results.summary, document), summary);
};

/** Of the nights in one directory, the last one left its report there. */
const withReports = async (
  stored: readonly StoredNight[],
  linkTo: (file: string) => string,
): Promise<readonly FoundNight[]> => {
  const sorted = stored.toSorted((one, other) => timeOf(one.night) - timeOf(other.night));
  const last = new Map(sorted.map(({ directory, night }) => [resolve(directory), night]));
  const found: FoundNight[] = [];
  for (const { directory, night } of sorted) {
    const report = join(directory, HTML_FILE);
    const isThere = last.get(resolve(directory)) === night && (await pathKind(report)) === 'file';
    found.push({ night, report: isThere ? linkTo(report) : undefined });
  }
  return found;
};
