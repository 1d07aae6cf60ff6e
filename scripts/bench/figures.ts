/** What a benchmark says: numbers with their spread, and ratios of numbers that were taken in the same round. */

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

/** Nanoseconds a step of each workload, by its id; all taken one after the other, so that they can be divided. */
export type Round = Readonly<Record<string, number>>;

export const ratioOf = (named: Omit<Named, 'unit'>, rounds: readonly Round[], of: (round: Round) => number): Figure =>
  figureOf({ ...named, unit: 'times' }, rounds.map(of));

export interface Line {
  readonly slope: number;
  readonly base: number;
}

/** The line that fits points best, by least squares. */
export const fittedLine = (points: readonly (readonly [x: number, y: number])[]): Line => {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const across = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const along = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = across / along;
  return { slope, base: meanY - slope * meanX };
};
