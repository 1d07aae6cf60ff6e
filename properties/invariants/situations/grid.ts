/**
 * Situations: the named circumstances in which an invariant can be exercised. A grid is a finite product of dimensions, declared
 * beside the invariant; a run counts each check whose premise held in its cell, so that an empty cell is something that the run
 * never looked at.
 */

import type { Moment, Stage } from '../moment.js';

/** How situations differ in one respect. Its value is a fact of the step, or is computed when needed. */
export type Dimension = { readonly name: string; readonly values: readonly string[] } & (
  | { /** See `FACT`. */ readonly fact: number }
  | {
      /** Where a moment stands in `values`. Called after the step, of a check that was exercised. */
      readonly of: (moment: Moment) => number;
    }
);

/** One value of each dimension, by the dimensions' names. */
export type Cell = Readonly<Record<string, string>>;

export interface Grid {
  readonly name: string;
  /** Stages at which it counts; if there are several, they are the first dimension. */
  readonly stages: readonly Stage[];
  /** Further dimensions, of which the last runs fastest. */
  readonly dimensions: readonly Dimension[];
  /** Leaves out moments at these stages that the dimensions do not speak of. */
  readonly when?: (moment: Moment) => boolean;
  /** Reads the subject's inside; not counted for a subject that cannot be inspected. */
  readonly looksAt?: 'shadow';
  /** Why no program comes to a cell; undefined for one that programs can reach. */
  readonly unreachable?: (cell: Cell) => string | undefined;
}

/** A grid's dimensions with their values, the step among them. */
export const axesOf = ({ stages, dimensions }: Grid): readonly { name: string; values: readonly string[] }[] =>
  stages.length > 1 ? [{ name: 'step', values: stages }, ...dimensions] : dimensions;

/** Cells, whether they can be reached or not. */
export const cellCount = (grid: Grid): number =>
  axesOf(grid).reduce((product, { values }) => product * values.length, 1);

/** The values of a cell in the order of `axesOf`. */
export const valuesAt = (grid: Grid, index: number): readonly string[] => {
  let rest = index;
  return axesOf(grid)
    .toReversed()
    .map(({ values }) => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return value;
    })
    .toReversed();
};

/** Why the cell cannot be reached, if it cannot. */
export const whyUnreachable = (grid: Grid, index: number): string | undefined => {
  const values = valuesAt(grid, index);
  return grid.unreachable?.(Object.fromEntries(axesOf(grid).map(({ name }, place) => [name, values[place]])));
};

/** How often each cell of a grid was met. */
export interface GridCount {
  readonly grid: Grid;
  readonly counts: Float64Array;
}

export const emptyCount = (grid: Grid): GridCount => ({ grid, counts: new Float64Array(cellCount(grid)) });

/** Counts what is met at one stage. */
export class StageCounter {
  private readonly counts: Float64Array;
  private readonly when: ((moment: Moment) => boolean) | undefined;
  /** The stage's first cell. */
  private readonly first: number;
  /** Of each dimension that is a fact, which one, and how many cells its next value is away; the two in turn. */
  private readonly facts: number[] = [];
  private readonly finders: ((moment: Moment) => number)[] = [];
  /** The same distance, for each of `finders`. */
  private readonly strides: number[] = [];

  constructor({ grid, counts }: GridCount, stage: Stage) {
    const { dimensions, stages, when } = grid;
    this.counts = counts;
    this.when = when;
    let stride = 1;
    for (const dimension of dimensions.toReversed()) {
      this.take(dimension, stride);
      stride *= dimension.values.length;
    }
    this.first = stages.indexOf(stage) * stride;
  }

  /** Answers whether the cell is a new one. */
  count(moment: Moment): boolean {
    if (this.when?.(moment) === false) return false;
    const { facts, finders } = this;
    const known = moment.preState.facts;
    let index = this.first;
    for (let i = 0; i < facts.length; i += 2) index += known[facts[i]] * facts[i + 1];
    for (let i = 0; i < finders.length; i++) index += finders[i](moment) * this.strides[i];
    return this.counts[index]++ === 0;
  }

  private take(dimension: Dimension, stride: number): void {
    if ('fact' in dimension) this.facts.push(dimension.fact, stride);
    else {
      this.finders.push(dimension.of);
      this.strides.push(stride);
    }
  }
}
