#!/usr/bin/env node
/** `npm run bench:guided`: whether programs made from a pool reach more and catch defects sooner, in the same number of steps. */

import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { Tinypool } from 'tinypool';
import { defectNamed, DEFECTS } from '../../../impl/defects/catalogue.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { cellCount, whyUnreachable } from '../../../properties/invariants/situations/grid.js';
import type { Guidance, ProgramPool } from '../../../properties/pool/program-pool.js';
import { wholeNumber } from '../../cli/options/option-values.js';
import type { DefectRow, GuidedFigures, ReachRow } from './guided-figures.js';
import { guidedReport, mean, median, SHARES } from './guided-figures.js';
import type { Caught, Epoch, GuidedTask, Reached } from './guided-task.js';

interface Flags {
  readonly seeds: number;
  readonly maxSteps: number;
  readonly steps: number;
  readonly epochSteps: number;
  readonly workers: number;
  readonly defect?: readonly string[];
  readonly json?: true;
}

const measure = async (flags: Flags): Promise<GuidedFigures> => {
  const filename = new URL('guided-task.js', import.meta.url).href;
  const pool = new Tinypool({ filename, minThreads: flags.workers, maxThreads: flags.workers });
  const perform = async <Result>(task: GuidedTask): Promise<Result> => (await pool.run(task)) as Result;
  try {
    return await measureWith(flags, perform);
  } finally {
    await pool.destroy();
  }
};

type Perform = <Result>(task: GuidedTask) => Promise<Result>;

const measureWith = async (flags: Flags, perform: Perform): Promise<GuidedFigures> => {
  const { seeds, maxSteps, epochSteps } = flags;
  const epoch = await perform<Epoch>({ kind: 'epoch', campaign: 'guided/epoch', steps: epochSteps });
  const [run, distilled] = epoch.milliseconds;
  const ids = flags.defect ?? DEFECTS.map(({ id }) => id);
  return {
    seeds,
    mostSteps: maxSteps,
    reachable: reachable(),
    epoch: {
      steps: epochSteps,
      seeds: epoch.pool.members.length,
      cells: epoch.cells.length,
      seconds: [run / 1000, distilled / 1000],
    },
    ...(await measureReach(flags, epoch, perform)),
    defects: await Promise.all(ids.map((defect) => measureDefect(defect, flags, epoch.pool, perform))),
  };
};

const guidancesFrom = (pool: ProgramPool): readonly Guidance[] => SHARES.map((share) => ({ pool, share }));

/** Every share runs the same campaigns. */
const measureReach = async (
  { seeds, steps }: Flags,
  { pool, cells }: Epoch,
  perform: Perform,
): Promise<Pick<GuidedFigures, 'reach' | 'seconds'>> => {
  const known = new Set(cells);
  const campaigns = Array.from({ length: seeds }, (_, seed) => `guided/reach/${seed}`);
  // The shares of one campaign run one after the other, so that warming up and other load affect all of them.
  const runs = await Promise.all(
    campaigns.map((campaign) =>
      Promise.all(
        guidancesFrom(pool).map((guidance) => perform<Reached>({ kind: 'reach', campaign, steps, guidance })),
      ),
    ),
  );
  const byShare = SHARES.map((_, share) => runs.map((some) => some[share]));
  const rowAt = (limit: number): ReachRow => {
    const reachedIn = ({ arrivals }: Reached): readonly number[] =>
      arrivals.filter((arrival) => arrival.steps <= limit).flatMap((arrival) => arrival.cells);
    return {
      steps: limit,
      reached: byShare.map((some) => mean(some.map((each) => reachedIn(each).length))),
      beyond: byShare.map((some) =>
        mean(some.map((each) => reachedIn(each).filter((cell) => !known.has(cell)).length)),
      ),
    };
  };
  const perMillion = byShare.map((some) => median(some.map(({ milliseconds }) => (milliseconds * 1000) / steps)));
  return { reach: [steps / 100, steps / 10, steps].map((each) => rowAt(Math.round(each))), seconds: perMillion };
};

const measureDefect = async (
  defect: string,
  { seeds, maxSteps }: Flags,
  pool: ProgramPool,
  perform: Perform,
): Promise<DefectRow> => {
  const detect = async (guidance: Guidance): Promise<number> =>
    median(await perform<Caught>({ kind: 'detect', defect, seeds, mostSteps: maxSteps, guidance }));
  return { defect, medians: await Promise.all(guidancesFrom(pool).map(detect)) };
};

const reachable = (): number =>
  INVARIANTS.flatMap(({ situations = [] }) => situations).reduce((sum, grid) => {
    const cells = Array.from({ length: cellCount(grid) }, (_, index) => whyUnreachable(grid, index));
    return sum + cells.filter((why) => why === undefined).length;
  }, 0);

const run = async (flags: Flags): Promise<void> => {
  const figures = await measure(flags);
  console.log(flags.json === true ? JSON.stringify(figures) : guidedReport(figures));
};

const defectId = (id: string, before: readonly string[] = []): readonly string[] => {
  if (defectNamed(id) !== undefined) return [...before, id];
  throw new InvalidArgumentError('"shadowdiff defects" lists them.');
};

await new Command('bench:guided')
  .description('Measure whether programs made from a pool reach more and catch defects sooner; takes some minutes.')
  .option('--seeds <count>', 'seeds for each figure', wholeNumber(1, 1000), 7)
  .option('--steps <count>', 'steps of a campaign whose situations are counted', wholeNumber(100, 1e9), 1_000_000)
  .option('--epoch-steps <count>', 'steps of the earlier campaign that fills the pool', wholeNumber(1, 1e9), 1_000_000)
  .option('--max-steps <count>', 'limit on the steps for each defect', wholeNumber(1, 1e9), 100_000)
  .option('--workers <count>', 'worker threads', wholeNumber(1, 256), availableParallelism())
  .option('--defect <id...>', 'only these', defectId)
  .option('--json', 'print one JSON object; steps are null where most seeds reached the limit')
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
