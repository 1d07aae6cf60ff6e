/** Takes the time of workloads in rounds, so that a machine which is busy for a while is busy for all of them. */

import { Bench } from 'tinybench';
import type { Workload, WorkloadName } from './workloads.js';
import { WORKLOADS } from './workloads.js';

/** Processor time of the whole process, in milliseconds: what other processes take does not count. */
const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Nanoseconds of processor time a step, the median of a round, of each workload. */
export type Round = Readonly<Record<WorkloadName, number>>;

/** `seconds` are shared evenly by all rounds and workloads; before the first round everything runs for a while unmeasured. */
export const takeRounds = async (
  each: Readonly<Record<WorkloadName, Workload>>,
  count: number,
  seconds: number,
): Promise<readonly Round[]> => {
  const milliseconds = (seconds * 1000) / (count + 1) / WORKLOADS.length;
  await takeRound(each, milliseconds);
  const rounds: Round[] = [];
  while (rounds.length < count) rounds.push(await takeRound(each, milliseconds));
  return rounds;
};

const takeRound = async (each: Readonly<Record<WorkloadName, Workload>>, milliseconds: number): Promise<Round> => {
  const bench = new Bench({ now: cpuMilliseconds, time: milliseconds, iterations: 2, warmup: false, throws: true });
  for (const name of WORKLOADS) bench.add(name, () => timed(each[name]), { async: true });
  const tasks = await bench.run();
  const medians = tasks.map((task): [string, number] => {
    if (task.result.state !== 'completed') throw new Error(`${task.name} was not measured: ${task.result.state}`);
    return [task.name, task.result.latency.p50 * 1e6];
  });
  return Object.fromEntries(medians) as Record<WorkloadName, number>;
};

/** A sample is the mean of a step, the budget that of the whole pass. */
const timed = async (workload: Workload): Promise<{ overriddenDuration: number; overriddenIterationCost: number }> => {
  const begin = cpuMilliseconds();
  const answer = workload();
  const steps = typeof answer === 'number' ? answer : await answer;
  const passed = cpuMilliseconds() - begin;
  return { overriddenDuration: passed / steps, overriddenIterationCost: passed };
};
