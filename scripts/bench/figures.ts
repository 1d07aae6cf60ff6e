/** What the rounds say: medians, spread and ratios. */

import type { HeapAt } from './memory.js';
import type { Round } from './rounds.js';
import type { WorkloadName } from './workloads.js';
import { WORKLOADS } from './workloads.js';

export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Of numbers taken in the same round, so that they hold on any machine. Each with the bound that `--check` asks for. */
export const RATIOS = {
  implOverModel: {
    title: 'impl is faster than model by',
    of: ({ impl, model }: Round) => model / impl,
    least: 1.2,
    most: Infinity,
  },
  loopOverImpl: {
    title: 'a step of the loop, in steps of impl',
    of: ({ loop, impl }: Round) => loop / impl,
    least: 0,
    most: 18,
  },
  lockstepOverMachines: {
    title: 'a step of lockstep, in steps of impl and model',
    of: ({ lockstep, impl, model }: Round) => lockstep / (impl + model),
    least: 0,
    most: 3,
  },
  generationOverLoop: {
    title: 'share of generation in the loop',
    of: ({ generation, loop }: Round) => generation / loop,
    least: 0,
    most: 0.5,
  },
} as const;
export type RatioName = keyof typeof RATIOS;
const RATIO_NAMES = Object.keys(RATIOS) as RatioName[];

/** The heap may breathe by this much between a tenth of the steps and all of them. */
const MOST_HEAP_GROWTH = 1.25;

export interface Figures {
  /** Nanoseconds of processor time a step. */
  readonly nanoseconds: Readonly<Record<WorkloadName, Figure>>;
  readonly ratios: Readonly<Record<RatioName, Figure>>;
  readonly heap: readonly [early: HeapAt, late: HeapAt];
}

export const figuresOf = (rounds: readonly Round[], heap: Figures['heap']): Figures => ({
  nanoseconds: keyed(WORKLOADS, (name) => figureOf(rounds.map((round) => round[name]))),
  ratios: keyed(RATIO_NAMES, (name) => figureOf(rounds.map((round) => RATIOS[name].of(round)))),
  heap,
});

export const heapGrowth = ([early, late]: Figures['heap']): number => late.bytes / early.bytes;

/** Bounds that were missed, in words. Absolute times are no part of it: they belong to the machine that measured. */
export const missed = ({ ratios, heap }: Figures): readonly string[] => {
  const outside = RATIO_NAMES.filter((name) => {
    const { median } = ratios[name];
    return median < RATIOS[name].least || median > RATIOS[name].most;
  });
  const lines = outside.map((name) => {
    const { title, least, most } = RATIOS[name];
    const bound = most === Infinity ? `at least ${least}` : `at most ${most}`;
    return `${title} ${ratios[name].median.toFixed(2)}; expected ${bound}`;
  });
  if (heapGrowth(heap) <= MOST_HEAP_GROWTH) return lines;
  return [...lines, `the heap grew by ${heapGrowth(heap).toFixed(2)}; expected at most ${MOST_HEAP_GROWTH}`];
};

const keyed = <Name extends string>(names: readonly Name[], of: (name: Name) => Figure): Record<Name, Figure> =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, Figure>;

const figureOf = (values: readonly number[]): Figure => {
  const sorted = values.toSorted((one, other) => one - other);
  return { median: sorted[sorted.length >> 1], least: sorted[0], most: sorted.at(-1)! };
};
