/** What programs from a pool are worth, compared with a campaign without: situations reached, and steps to the first catch. */

import Table from 'cli-table3';
import { formatCount } from '../../terminal/numbers.js';

/** The shares of a campaign that are made from the pool. The first is the baseline. */
export const SHARES = [0, 0.25, 0.5] as const;
export type Share = (typeof SHARES)[number];

export interface DefectRow {
  readonly defect: string;
  /** For each of `SHARES` the median steps to the first catch; Infinity if most seeds reached the limit. */
  readonly medians: readonly number[];
}

export interface ReachRow {
  /** Counted after this many steps. */
  readonly steps: number;
  /** Means over the seeds, for each of `SHARES`: situations reached, and those among them that the earlier campaign did not reach. */
  readonly reached: readonly number[];
  readonly beyond: readonly number[];
}

export interface GuidedFigures {
  readonly seeds: number;
  readonly mostSteps: number;
  /** Situations that programs can reach. */
  readonly reachable: number;
  readonly epoch: {
    readonly steps: number;
    readonly seeds: number;
    readonly cells: number;
    /** Of running, then of distilling. */
    readonly seconds: readonly [run: number, distil: number];
  };
  readonly reach: readonly ReachRow[];
  /** For each of `SHARES` the median seconds for a million steps. */
  readonly seconds: readonly number[];
  readonly defects: readonly DefectRow[];
}

export const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** The upper median if the count is even. The values need not be sorted. */
export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1];

/** A missing median counts as the limit on the steps, which it exceeds. */
const logarithm = ({ medians }: DefectRow, share: number, mostSteps: number): number =>
  Math.log(Math.min(medians[share], mostSteps));

export const geometricMean = (rows: readonly DefectRow[], share: number, mostSteps: number): number =>
  Math.exp(mean(rows.map((row) => logarithm(row, share, mostSteps))));

/** The steps that a share takes over those of a campaign without a pool, with bounds. */
export interface Ratio {
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
}

/** Compares each defect with itself. The bounds are two standard errors away. */
export const ratioOf = ({ defects, mostSteps }: GuidedFigures, share: number): Ratio => {
  const logarithms = defects.map((row) => logarithm(row, share, mostSteps) - logarithm(row, 0, mostSteps));
  const middle = mean(logarithms);
  const deviations = logarithms.map((each) => (each - middle) ** 2);
  const error = Math.sqrt(mean(deviations) / Math.max(1, defects.length - 1));
  return { ratio: Math.exp(middle), least: Math.exp(middle - 2 * error), most: Math.exp(middle + 2 * error) };
};

/** The default that `--guided` should have: the share that catches soonest beyond doubt and reaches no less; 0 without one. */
export const bestShare = (figures: GuidedFigures): Share => {
  const last = figures.reach.at(-1)!;
  const paying = SHARES.map((_, index) => index).filter(
    (index) => index > 0 && ratioOf(figures, index).most < 1 && last.reached[index] >= last.reached[0],
  );
  const [best = 0] = paying.toSorted((one, other) => ratioOf(figures, one).ratio - ratioOf(figures, other).ratio);
  return SHARES[best];
};

export const guidedReport = (figures: GuidedFigures): string =>
  [
    epochLine(figures),
    reached(figures),
    defects(figures),
    means(figures),
    `best default: --guided ${bestShare(figures)}`,
  ].join('\n');

const epochLine = ({ epoch, reachable }: GuidedFigures): string => {
  const { steps, seeds, cells, seconds } = epoch;
  const [run, distil] = seconds.map((each) => each.toFixed(1));
  const reach = `${formatCount(cells)} of ${formatCount(reachable)} situations`;
  return `pool: ${formatCount(steps)} steps reached ${reach} in ${run} s; ${seeds} seeds distilled in ${distil} s`;
};

const reached = ({ reach, seconds }: GuidedFigures): string => {
  const table = tableOf(['situations reached, mean']);
  for (const { steps, reached: all, beyond } of reach) {
    table.push([`after ${formatCount(steps)} steps`, ...all.map(decimal)]);
    table.push(['  that the pool’s campaign did not reach', ...beyond.map(decimal)]);
  }
  table.push(['seconds for a million steps, median', ...seconds.map((each) => each.toFixed(2))]);
  return table.toString();
};

const defects = ({ defects: rows, seeds }: GuidedFigures): string => {
  const table = tableOf([`median steps to the first catch, ${seeds} seeds`]);
  for (const { defect, medians } of rows.toSorted((one, other) => other.medians[0] - one.medians[0])) {
    table.push([defect, ...medians.map(stepsText)]);
  }
  return table.toString();
};

const means = (figures: GuidedFigures): string => {
  const { defects: rows, mostSteps } = figures;
  const table = tableOf([`all ${rows.length} defects, at most ${formatCount(mostSteps)} steps`]);
  const each = <Cell>(of: (share: number) => Cell): readonly Cell[] => SHARES.map((_, share) => of(share));
  table.push(['geometric mean', ...each((share) => formatCount(Math.round(geometricMean(rows, share, mostSteps))))]);
  table.push(['times the steps without', ...each((share) => ratioOf(figures, share).ratio.toFixed(2))]);
  table.push(['  two standard errors', ...each((share) => boundsText(figures, share))]);
  table.push([
    'not caught',
    ...each((share) => String(rows.filter(({ medians }) => medians[share] === Infinity).length)),
  ]);
  return table.toString();
};

const boundsText = (figures: GuidedFigures, share: number): string => {
  const { least, most } = ratioOf(figures, share);
  return `${least.toFixed(2)} and ${most.toFixed(2)}`;
};

const tableOf = (head: readonly string[]): Table.Table =>
  new Table({
    head: [...head, ...SHARES.map((share) => (share === 0 ? 'without' : `--guided ${share}`))],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });

const decimal = (value: number): string => value.toFixed(1);

const stepsText = (steps: number): string => (steps === Infinity ? 'not caught' : formatCount(steps));
