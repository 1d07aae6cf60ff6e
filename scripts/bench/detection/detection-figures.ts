/** Steps to the first catch: medians, geometric means, targets, and the report on them. */

import Table from 'cli-table3';
import type { Mixture } from '../../../properties/generators/index.js';
import { formatCount } from '../../terminal/numbers.js';
import type { TimeRow } from './detection-time.js';

export const MIXTURES = ['swarm', 'weighted', 'uniform'] as const satisfies readonly Mixture[];

export const MIXTURE_TITLES: Readonly<Record<Mixture, string>> = {
  swarm: 'swarm',
  weighted: 'no swarm',
  uniform: 'uniform',
};

/**
 * Generators may be tuned on one half of the catalogue; the held-out half shows whether that helped in general. The id decides: the
 * sum of its bytes is even or odd.
 */
export const HALVES = ['tuning', 'held-out'] as const;
export type Half = (typeof HALVES)[number];

export const halfOf = (defect: string): Half => HALVES[Buffer.from(defect).reduce((sum, byte) => sum + byte, 0) % 2];

export interface DetectionRow {
  readonly defect: string;
  readonly half: Half;
  /** Median steps to the first catch; Infinity if most seeds reached the limit. */
  readonly medians: Readonly<Record<Mixture, number>>;
}

/** Of one mixture over some defects. A missing median counts as the limit on the steps, which it exceeds. */
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
  readonly times: readonly TimeRow[];
}

/** All rows, then each half. An empty half, in a run on a few defects, is left out. */
export const groupsOf = (
  rows: readonly DetectionRow[],
): readonly (readonly [name: 'all' | Half, rows: readonly DetectionRow[]])[] => {
  const halves = HALVES.map((half) => [half, rows.filter((row) => row.half === half)] as const);
  return [['all', rows], ...halves.filter(([, members]) => members.length > 0)];
};

/** How many times sooner a screened campaign catches, as the geometric mean over the defects. */
export const timesSooner = (rows: readonly TimeRow[]): number =>
  Math.exp(rows.reduce((sum, { judged, screened }) => sum + Math.log(judged / screened), 0) / rows.length);

export interface Target {
  readonly title: string;
  readonly measured: number;
  readonly met: boolean;
}

export const targetsOf = ({ rows, mostSteps, times }: DetectionFigures): readonly Target[] => {
  const mean = geometricMean(rows, 'swarm', mostSteps);
  const worst = worstMedian(rows);
  const gain = geometricMean(rows, 'uniform', mostSteps) / mean;
  const sooner = timesSooner(times);
  return [
    { title: 'geometric mean of the medians at most 3,000 steps', measured: mean, met: mean <= 3000 },
    { title: 'worst median at most 100,000 steps', measured: worst, met: worst <= 100_000 },
    { title: 'at least 3 times sooner than with uniform weights', measured: gain, met: gain >= 3 },
    {
      title: 'at least 2 times sooner, by processor time, if most programs are screened',
      measured: sooner,
      met: sooner >= 2,
    },
  ];
};

export const detectionReport = (figures: DetectionFigures): string => {
  const { seeds, mostSteps, rows, times } = figures;
  const title = `median steps to the first catch over ${seeds} seeds, at most ${formatCount(mostSteps)} steps each`;
  return [title, medians(rows, times), means(figures), ...targetLines(figures)].join('\n');
};

const medians = (rows: readonly DetectionRow[], times: readonly TimeRow[]): string => {
  const table = tableOf(['defect', 'half', ...TITLES, 'ms judged', 'ms screened']);
  for (const { defect, half, medians } of rows.toSorted((one, other) => other.medians.swarm - one.medians.swarm)) {
    const time = times.find((each) => each.defect === defect)!;
    const steps = MIXTURES.map((mixture) => stepsText(medians[mixture]));
    table.push([defect, half, ...steps, time.judged.toFixed(2), time.screened.toFixed(2)]);
  }
  return table.toString();
};

const means = ({ rows, mostSteps }: DetectionFigures): string => {
  const table = tableOf(['geometric mean', 'defects', ...TITLES]);
  for (const [name, members] of groupsOf(rows)) {
    const cells = MIXTURES.map((mixture) => formatCount(Math.round(geometricMean(members, mixture, mostSteps))));
    table.push([name, String(members.length), ...cells]);
  }
  return table.toString();
};

const TITLES = MIXTURES.map((mixture) => MIXTURE_TITLES[mixture]);

const tableOf = (head: string[]): Table.Table =>
  new Table({
    head,
    colAligns: head.map((_, index) => (index < 2 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });

const stepsText = (steps: number): string => (steps === Infinity ? 'not caught' : formatCount(steps));

const targetLines = (figures: DetectionFigures): readonly string[] =>
  targetsOf(figures).map(
    ({ title, measured, met }) =>
      `${met ? 'met   ' : 'missed'}  ${title}: ${measured < 100 ? measured.toFixed(1) : stepsText(Math.round(measured))}`,
  );
