#!/usr/bin/env node
/**
 * `npm run bench:detection`: how soon random programs catch each defect of the catalogue, compared with two plainer mixtures, and how much
 * sooner if most are screened.
 */

import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { Tinypool } from 'tinypool';
import { defectNamed, DEFECTS } from '../../../impl/defects/catalogue.js';
import type { Mixture } from '../../../properties/generators/index.js';
import { wholeNumber } from '../../cli/options/option-values.js';
import type { DetectionFigures, DetectionRow } from './detection-figures.js';
import { detectionReport, halfOf, MIXTURES, targetsOf } from './detection-figures.js';
import type { DetectionTask } from './detection-task.js';
import type { TimeRow, TimeTask } from './detection-time.js';

interface Flags {
  readonly seeds: number;
  readonly maxSteps: number;
  readonly workers: number;
  readonly defect?: readonly string[];
  readonly json?: true;
  readonly check?: true;
}

const measure = async ({ seeds, maxSteps, workers, defect }: Flags): Promise<DetectionFigures> => {
  const defects = defect ?? DEFECTS.map(({ id }) => id);
  const filename = new URL('detection-task.js', import.meta.url).href;
  const pool = new Tinypool({ filename, minThreads: workers, maxThreads: workers });
  const median = async (defect: string, mixture: Mixture): Promise<number> => {
    const task: DetectionTask = { defect, mixture, seeds, mostSteps: maxSteps };
    const steps = (await pool.run(task)) as readonly number[];
    return steps[seeds >> 1];
  };
  const row = async (defect: string): Promise<DetectionRow> => {
    const [swarm, weighted, uniform] = await Promise.all(MIXTURES.map((mixture) => median(defect, mixture)));
    return { defect, half: halfOf(defect), medians: { swarm, weighted, uniform } };
  };
  try {
    const rows = await Promise.all(defects.map(row));
    await pool.destroy();
    const times = await measureTimes(defects, { seeds, maxSteps, workers });
    return { seeds, mostSteps: maxSteps, rows, times };
  } finally {
    await pool.destroy();
  }
};

/** Each task has a process of its own. The slowest seeds are cut short, so that a defect takes seconds. */
const MOST_TIMED_STEPS = 20_000;

const measureTimes = async (
  defects: readonly string[],
  { seeds, maxSteps, workers }: Pick<Flags, 'seeds' | 'maxSteps' | 'workers'>,
): Promise<readonly TimeRow[]> => {
  const filename = new URL('detection-time.js', import.meta.url).href;
  const threads = { minThreads: workers, maxThreads: workers };
  const pool = new Tinypool({ filename, ...threads, runtime: 'child_process', isolateWorkers: true });
  const mostSteps = Math.min(maxSteps, MOST_TIMED_STEPS);
  try {
    return await Promise.all(
      defects.map(async (defect) => (await pool.run({ defect, seeds, mostSteps } satisfies TimeTask)) as TimeRow),
    );
  } finally {
    await pool.destroy();
  }
};

const run = async (flags: Flags): Promise<void> => {
  const figures = await measure(flags);
  const targets = targetsOf(figures);
  console.log(flags.json === true ? JSON.stringify({ ...figures, targets }) : detectionReport(figures));
  if (flags.check === true && targets.some(({ met }) => !met)) process.exitCode = 1;
};

const defectId = (id: string, before: readonly string[] = []): readonly string[] => {
  if (defectNamed(id) !== undefined) return [...before, id];
  throw new InvalidArgumentError('"shadowdiff defects" lists them.');
};

await new Command('bench:detection')
  .description('Measure the steps of random programs to the first catch of each defect; takes some minutes.')
  .option('--seeds <count>', 'seeds for each defect; the tables show their median', wholeNumber(1, 1000), 20)
  .option('--max-steps <count>', 'limit on the steps of a seed', wholeNumber(1, 1e9), 200_000)
  .option('--workers <count>', 'worker threads', wholeNumber(1, 256), availableParallelism())
  .option('--defect <id...>', 'only these', defectId)
  .option('--check', 'exit with 1 if a target is missed')
  .option('--json', 'print one JSON object; steps are null where most seeds reached the limit')
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
