/**
 * How benchmarks measure: figures with their spread, rounds in which workloads take turns, and a stopwatch for what must be
 * prepared anew each time.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bench } from 'tinybench';

export type Unit = 'ns' | 'ms' | 'MiB' | 'times' | 'steps/s';

export interface Figure {
  /** Stable, so that a run can be compared with an earlier one. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

type Named = Pick<Figure, 'id' | 'title' | 'unit'>;

export const figureOf = (named: Named, values: readonly number[]): Figure => {
  const sorted = values.toSorted((one, other) => one - other);
  return { ...named, median: sorted[sorted.length >> 1], least: sorted[0], most: sorted.at(-1)! };
};

/** What each workload took in one round, by its id. Workloads take turns, so their ratios hold on a busy machine too. */
export type Round = Readonly<Record<string, number>>;

export const ratioOf = (named: Omit<Named, 'unit'>, rounds: readonly Round[], of: (round: Round) => number): Figure =>
  figureOf({ ...named, unit: 'times' }, rounds.map(of));

export interface Line {
  readonly slope: number;
  readonly base: number;
}

/** The least-squares fit. */
export const fittedLine = (points: readonly (readonly [x: number, y: number])[]): Line => {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const across = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const along = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = across / along;
  return { slope, base: meanY - slope * meanX };
};

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** Runs its steps once and returns their number. */
  readonly run: () => number | Promise<number>;
}

/** How much is measured. */
export interface Budget {
  readonly rounds: number;
  /** Processor time for one workload in one round. */
  readonly milliseconds: number;
  /** Milliseconds of processor time for each workload before the first round, so that compilation is not measured. */
  readonly warmUp: number;
  /** Generated programs in one pass of a workload. */
  readonly programs: number;
}

/** Processor time of this process in milliseconds. Other processes do not affect it. */
export const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Warms up, then measures every workload once per round. */
export const takeRounds = async (
  workloads: readonly Workload[],
  { rounds: count, milliseconds, warmUp }: Budget,
): Promise<readonly Round[]> => {
  await takeRound(workloads, warmUp);
  const rounds: Round[] = [];
  while (rounds.length < count) rounds.push(await takeRound(workloads, milliseconds));
  return rounds;
};

/** Nanoseconds of processor time per step, for each workload. */
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

/** A sample is the mean time of a step. The whole pass counts against the budget. */
const timed = async (
  run: Workload['run'],
): Promise<{ overriddenDuration: number; overriddenIterationCost: number }> => {
  const begin = cpuMilliseconds();
  const answer = run();
  const steps = typeof answer === 'number' ? answer : await answer;
  const passed = cpuMilliseconds() - begin;
  return { overriddenDuration: passed / steps, overriddenIterationCost: passed };
};

const TAKES = 9;
const WARM_UP_MILLISECONDS = 100;

export interface Timed {
  readonly id: string;
  readonly title: string;
  readonly prepare: () => void;
  readonly act: () => void;
  /** How many of the measured operations one `act` performs. */
  readonly count: number;
  /** Times that each take prepares and acts. */
  readonly repeats: number;
}

/** Nanoseconds per operation: the median of several takes, each the median of its repeats. An interruption moves neither. */
export const timedFigure = (timed: Timed): Figure => {
  const warm = performance.now() + WARM_UP_MILLISECONDS;
  while (performance.now() < warm) takeOne(timed);
  const takes = Array.from({ length: TAKES }, () => takeOne(timed));
  return figureOf({ id: timed.id, title: timed.title, unit: 'ns' }, takes);
};

const takeOne = ({ prepare, act, count, repeats }: Timed): number => {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    prepare();
    const begin = performance.now();
    act();
    times.push(((performance.now() - begin) * 1e6) / count);
  }
  return times.toSorted((one, other) => one - other)[repeats >> 1];
};

/** Node.js hides the collector behind a flag, which can also be set at run time. */
export const collectGarbage = (): void => {
  collect ??= exposedCollector();
  collect();
};

let collect: (() => void) | undefined = undefined;

const exposedCollector = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
};

/** Workloads that are measured together. Each group has its own process, so that no other group affects how V8 compiles it. */
export interface Group {
  readonly name: string;
  readonly title: string;
  readonly measure: (budget: Budget) => Promise<readonly Figure[]>;
}
