#!/usr/bin/env node
/**
 * `npm run bench:guided`: processor time with and without programs from a pool, to the first catch of each defect, to the last situations, and
 * to bugs of a subject that counts edges of its own code (needs clang).
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { Tinypool } from 'tinypool';
import { DEFECTS } from '../../../impl/defects/catalogue.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { cellCount, whyUnreachable } from '../../../properties/invariants/situations/grid.js';
import type { ProgramPool } from '../../../properties/pool/program-pool.js';
import { wholeNumber } from '../../cli/options/option-values.js';
import type { GuidedFigures } from './guided-figures.js';
import { guidedReport } from './guided-figures.js';
import type { Detected, GuidedTask, Hunted, Reached } from './guided-task.js';
import { HIDDEN_BUGS, buildHiddenBug } from './hidden-bugs.js';

interface Flags {
  readonly defects: number;
  readonly seeds: number;
  readonly maxSteps: number;
  readonly reachSeeds: number;
  readonly reachSeconds: number;
  readonly hunts: number;
  readonly epochs: number;
  readonly programs: number;
  readonly workers: number;
  readonly json?: true;
}

const POOL_STEPS = 1_000_000;
/** Of the situations, what the earlier campaign reaches. */
const KNOWN = 0.95;

type Perform = <Result>(task: GuidedTask) => Promise<Result>;

const measure = async (flags: Flags): Promise<GuidedFigures> => {
  const { workers } = flags;
  const filename = new URL('guided-task.js', import.meta.url).href;
  const threads = { minThreads: workers, maxThreads: workers };
  const pool = new Tinypool({ filename, ...threads, runtime: 'child_process', isolateWorkers: true });
  const directory = mkdtempSync(join(tmpdir(), 'hidden-bugs-'));
  try {
    return await measureWith(flags, directory, async <Result>(task: GuidedTask) => (await pool.run(task)) as Result);
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await pool.destroy();
  }
};

const measureWith = async (flags: Flags, directory: string, perform: Perform): Promise<GuidedFigures> => {
  const { seeds, maxSteps, epochs, programs } = flags;
  const known = Math.round(KNOWN * reachable());
  const limit = flags.reachSeconds * 1000;
  const reached = await Promise.all(
    numbersTo(flags.reachSeeds).map((seed) =>
      perform<Reached>({ kind: 'reach', seed, cells: known, milliseconds: limit }),
    ),
  );
  console.error('situations are done');
  const hunts = await Promise.all(
    HIDDEN_BUGS.flatMap((bug) => {
      const command = buildHiddenBug(bug, directory);
      return numbersTo(flags.hunts).map(async (seed) => {
        const task: GuidedTask = { kind: 'hunt', command, campaign: `hidden/${bug.id}/${seed}`, epochs, programs };
        return { bug: bug.id, ...(await perform<Hunted>(task)) };
      });
    }),
  );
  console.error('hunts are done');
  const pool = await perform<ProgramPool>({ kind: 'pool', steps: POOL_STEPS });
  const defects = await Promise.all(
    DEFECTS.slice(0, flags.defects).map(async ({ id: defect }) => {
      return { defect, ...(await perform<Detected>({ kind: 'detect', defect, seeds, mostSteps: maxSteps, pool })) };
    }),
  );
  return { defects, left: reachable() - known, limit, reached, hunts };
};

const numbersTo = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);

const reachable = (): number =>
  INVARIANTS.flatMap(({ situations = [] }) => situations).reduce((sum, grid) => {
    const cells = numbersTo(cellCount(grid)).map((index) => whyUnreachable(grid, index));
    return sum + cells.filter((why) => why === undefined).length;
  }, 0);

const run = async (flags: Flags): Promise<void> => {
  const figures = await measure(flags);
  console.log(flags.json === true ? JSON.stringify(figures) : guidedReport(figures));
};

await new Command('bench:guided')
  .description(
    'Measure whether programs made from a pool find more in the same processor time; takes a quarter of an hour.',
  )
  .option(
    '--defects <count>',
    'defects of the catalogue, from the first',
    wholeNumber(1, DEFECTS.length),
    DEFECTS.length,
  )
  .option('--seeds <count>', 'seeds for each defect', wholeNumber(1, 1000), 16)
  .option('--max-steps <count>', 'limit on the steps for each defect', wholeNumber(1, 1e9), 100_000)
  .option('--reach-seeds <count>', 'campaigns that look for the last situations', wholeNumber(1, 1000), 6)
  .option('--reach-seconds <count>', 'limit on the processor time of each', wholeNumber(1, 3600), 20)
  .option('--hunts <count>', 'hunts of each hidden bug', wholeNumber(1, 1000), 5)
  .option('--epochs <count>', 'campaigns of a hunt, each from the pool of those before it', wholeNumber(1, 1000), 6)
  .option('--programs <count>', 'programs of each campaign', wholeNumber(1, 1e9), 3000)
  .option('--workers <count>', 'worker processes', wholeNumber(1, 256), availableParallelism())
  .option('--json', 'print one JSON object')
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
