import { dirname, relative, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import { writeTextFile } from '../../../properties/corpus/store.js';
import { readNights } from '../../campaign/nights.js';
import { trendPage, weekSentence } from '../../report/trend/trend-page.js';
import { trendOf } from '../../report/trend/trend.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';
import { addHelp } from '../help.js';

interface TrendFlags {
  readonly out?: string;
}

const TREND_FILE = 'trend.html';
/** Where nightly keeps its runs and their history, unless options say otherwise. */
const NIGHTS = 'out';

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('trend')
    .description(
      'Make a page over many nights: what is new, open, flaky and fixed, how much each night did and has left to find, and which nights are missing.',
    )
    .argument(
      '[directory...]',
      `the --out of runs, or a history.jsonl, or a directory that holds one (default: ${NIGHTS})`,
    )
    .option('--out <file>', `where to write it (default: ${TREND_FILE})`);
  addHelp(command, [
    ['shadowdiff trend', 'writes trend.html from out/history.jsonl, which nightly keeps'],
    ['shadowdiff trend out/2026-11-*', 'from the runs of a month'],
  ]).action(async (paths: readonly string[], flags: TrendFlags) => {
    await runTrend(paths, flags, session);
  });
};

export const runTrend = async (
  paths: readonly string[],
  { out = TREND_FILE }: TrendFlags,
  session: Session,
): Promise<void> => {
  const linkTo = (file: string): string =>
    relative(dirname(resolve(out)), resolve(file))
      .split(sep)
      .map(encodeURIComponent)
      .join('/');
  const nights = await readNights(paths.length === 0 ? [NIGHTS] : paths, linkTo, session);
  const trend = trendOf(nights, session.surroundings.today());
  const { text } = await trendPage(trend);
  await writeTextFile(out, `${text}\n`, 'name another --out');
  session.print(printable(`${out}: ${weekSentence(trend)}`));
};
