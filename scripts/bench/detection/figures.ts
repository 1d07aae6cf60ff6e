/** What the steps to the first catch say: medians, geometric means, and whether the targets are met. */

import type { Mixture } from '../../../properties/generators/index.js';

export const MIXTURES = ['swarm', 'weighted', 'uniform'] as const satisfies readonly Mixture[];

export const MIXTURE_TITLES: Readonly<Record<Mixture, string>> = {
  swarm: 'swarm',
  weighted: 'no swarm',
  uniform: 'uniform',
};

/**
 * Generators may be tuned on one half of the catalogue; the other half tells whether that helped in general. The half is fixed by
 * the id: the sum of its bytes is even, or odd.
 */
export const HALVES = ['tuning', 'held-out'] as const;
export type Half = (typeof HALVES)[number];

export const halfOf = (defect: string): Half => HALVES[Buffer.from(defect).reduce((sum, byte) => sum + byte, 0) % 2];

export interface DetectionRow {
  readonly defect: string;
  readonly half: Half;
  /** Median steps to the first catch; Infinity when most seeds were given up. */
  readonly medians: Readonly<Record<Mixture, number>>;
}

/** Of one mixture over some defects. A median that is none counts as the steps after which a seed was given up: it is no less. */
export const geometricMean = (rows: readonly DetectionRow[], mixture: Mixture, mostSteps: number): number => {
  const logarithms = rows.map(({ medians }) => Math.log(Math.min(medians[mixture], mostSteps)));
  return Math.exp(logarithms.reduce((sum, each) => sum + each, 0) / rows.length);
};

export const worstMedian = (rows: readonly DetectionRow[]): number =>
  Math.max(...rows.map(({ medians }) => medians.swarm));

export interface DetectionFigures {
  readonly seeds: number;
  readonly mostSteps: number;
  readonly rows: readonly DetectionRow[];
}

/** `all` where no half is named. Empty halves (of a run on a few defects) are left out. */
export const groupsOf = (
  rows: readonly DetectionRow[],
): readonly (readonly [name: 'all' | Half, rows: readonly DetectionRow[]])[] => {
  const halves = HALVES.map((half) => [half, rows.filter((row) => row.half === half)] as const);
  return [['all', rows], ...halves.filter(([, members]) => members.length > 0)];
};

export interface Target {
  readonly title: string;
  readonly measured: number;
  readonly met: boolean;
}

export const targetsOf = ({ rows, mostSteps }: DetectionFigures): readonly Target[] => {
  const mean = geometricMean(rows, 'swarm', mostSteps);
  const worst = worstMedian(rows);
  const gain = geometricMean(rows, 'uniform', mostSteps) / mean;
  return [
    { title: 'geometric mean of the medians at most 3,000 steps', measured: mean, met: mean <= 3000 },
    { title: 'worst median at most 100,000 steps', measured: worst, met: worst <= 100_000 },
    { title: 'at least 3 times as soon as uniform weights', measured: gain, met: gain >= 3 },
  ];
};
