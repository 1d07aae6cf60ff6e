/** What programs from a seed pool are worth: situations reached, and steps to the first catch, beside a campaign without. */

/** The parts of a campaign that are made from the pool; the first one is what the others are compared with. */
export const SHARES = [0, 0.25, 0.5] as const;
export type Share = (typeof SHARES)[number];

export interface DefectRow {
  readonly defect: string;
  /** For each of `SHARES` the median steps to the first catch; Infinity when most seeds were given up. */
  readonly medians: readonly number[];
}

export interface ReachRow {
  /** Steps after which is counted. */
  readonly steps: number;
  /** For each of `SHARES`: situations reached, and of those the ones that the earlier campaign had not; means over the seeds. */
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
    /** Of running, and then of distilling. */
    readonly seconds: readonly [run: number, distil: number];
  };
  readonly reach: readonly ReachRow[];
  /** For each of `SHARES` the median seconds for a million steps. */
  readonly seconds: readonly number[];
  readonly defects: readonly DefectRow[];
}

export const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** Ascending or not; of an even number the larger of the two in the middle. */
export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1];

/** A median that is none counts as the steps after which a seed was given up: it is no less. */
const logarithm = ({ medians }: DefectRow, share: number, mostSteps: number): number =>
  Math.log(Math.min(medians[share], mostSteps));

export const geometricMean = (rows: readonly DefectRow[], share: number, mostSteps: number): number =>
  Math.exp(mean(rows.map((row) => logarithm(row, share, mostSteps))));

/** How many times the steps of a campaign without a pool a share takes, and between which bounds that surely lies. */
export interface Ratio {
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
}

/** Each defect is its own pair; the bounds are two standard errors away. */
export const ratioOf = ({ defects, mostSteps }: GuidedFigures, share: number): Ratio => {
  const logarithms = defects.map((row) => logarithm(row, share, mostSteps) - logarithm(row, 0, mostSteps));
  const middle = mean(logarithms);
  const deviations = logarithms.map((each) => (each - middle) ** 2);
  const error = Math.sqrt(mean(deviations) / Math.max(1, defects.length - 1));
  return { ratio: Math.exp(middle), least: Math.exp(middle - 2 * error), most: Math.exp(middle + 2 * error) };
};

/** What `--guided` should be if nobody says: the share that surely catches soonest and reaches no less; without one, none. */
export const bestShare = (figures: GuidedFigures): Share => {
  const last = figures.reach.at(-1)!;
  const paying = SHARES.map((_, index) => index).filter(
    (index) => index > 0 && ratioOf(figures, index).most < 1 && last.reached[index] >= last.reached[0],
  );
  const [best = 0] = paying.toSorted((one, other) => ratioOf(figures, one).ratio - ratioOf(figures, other).ratio);
  return SHARES[best];
};
