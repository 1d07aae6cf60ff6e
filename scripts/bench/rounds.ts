/** Takes the time of workloads in rounds, so that a machine which is busy for a while is busy for all of them. */

import { Bench } from 'tinybench';
import type { Figure, Round } from './figures.js';
import { figureOf } from './figures.js';

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** Goes through its steps once; answers how many they were. */
  readonly run: () => number | Promise<number>;
}

/** How much is measured. */
export interface Budget {
  readonly rounds: number;
  /** Of processor time, for one workload in one round. */
  readonly milliseconds: number;
  /** The same for each workload before the first round: what compilers take belongs to no step. */
  readonly warmUp: number;
  /** Programs in one pass of a workload that runs generated ones. */
  readonly programs: number;
}

/** Processor time of the whole process, in milliseconds: what other processes take does not count. */
const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Before the first round everything runs for a while unmeasured. */
export const takeRounds = async (
  workloads: readonly Workload[],
  { rounds: count, milliseconds, warmUp }: Budget,
): Promise<readonly Round[]> => {
  await takeRound(workloads, warmUp);
  const rounds: Round[] = [];
  while (rounds.length < count) rounds.push(await takeRound(workloads, milliseconds));
  return rounds;
};

/** A figure for each workload: nanoseconds of processor time a step. */
export const stepFigures = (workloads: readonly Workload[], rounds: readonly Round[]): readonly Figure[] =>
  workloads.map(({ id, title }) =>
    figureOf(
      { id, title, unit: 'ns' },
      rounds.map((round) => round[id]),
    ),
  );

const takeRound = async (workloads: readonly Workload[], milliseconds: number): Promise<Round> => {
  const bench = new Bench({ now: cpuMilliseconds, time: milliseconds, iterations: 2, warmup: false, throws: true });
  for (const { id, run } of workloads) bench.add(id, () => timed(run), { async: true });
  const tasks = await bench.run();
  const medians = tasks.map((task): [string, number] => {
    if (task.result.state !== 'completed') throw new Error(`${task.name} was not measured: ${task.result.state}`);
    return [task.name, task.result.latency.p50 * 1e6];
  });
  return Object.fromEntries(medians);
};

/** A sample is the mean of a step, the budget that of the whole pass. */
const timed = async (
  run: Workload['run'],
): Promise<{ overriddenDuration: number; overriddenIterationCost: number }> => {
  const begin = cpuMilliseconds();
  const answer = run();
  const steps = typeof answer === 'number' ? answer : await answer;
  const passed = cpuMilliseconds() - begin;
  return { overriddenDuration: passed / steps, overriddenIterationCost: passed };
};
