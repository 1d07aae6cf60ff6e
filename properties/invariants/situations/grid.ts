/**
 * Situations: the named circumstances in which an invariant can be exercised. A grid is a finite product of dimensions, declared
 * beside the invariant. A run counts every check whose premise held in its cell; an empty cell was never tested.
 */

import type { Op } from '../../../model/vocabulary/index.js';
import type { Moment, Stage } from '../moment.js';

/** One respect in which situations differ. Its value is a fact of the step, or is computed when needed. */
export type Dimension = { readonly name: string; readonly values: readonly string[] } & (
  | { /** See `FACT`. */ readonly fact: number }
  | {
      /** Index of a moment's value in `values`. Called after the step, if the check was exercised. */
      readonly of: (moment: Moment) => number;
    }
);

/** One value of each dimension, by the dimensions' names. */
export type Cell = Readonly<Record<string, string>>;

export interface Grid {
  readonly name: string;
  /** Stages at which it counts; two or more are the first dimension. */
  readonly stages: readonly Stage[];
  /** Further dimensions; the last varies fastest. */
  readonly dimensions: readonly Dimension[];
  /** False for moments at these stages that the dimensions do not cover. */
  readonly when?: (moment: Moment) => boolean;
  /** Not counted for a subject that does not expose this. */
  readonly looksAt?: 'shadow' | 'ram';
  /** Only programs with this step come to it. */
  readonly needs?: Op;
  /** Left out of reports of runs in which no program came to it: most runs are of machines that never do. */
  readonly isRare?: true;
  /** Why no program reaches a cell; undefined if some do. */
  readonly unreachable?: (cell: Cell) => string | undefined;
}

/** A grid's dimensions with their values, the step among them. */
export const axesOf = ({ stages, dimensions }: Grid): readonly { name: string; values: readonly string[] }[] =>
  stages.length > 1 ? [{ name: 'step', values: stages }, ...dimensions] : dimensions;

/** The number of cells, unreachable ones included. */
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

/** A cell by its index. */
export const cellAt = (grid: Grid, index: number): Cell => {
  const values = valuesAt(grid, index);
  return Object.fromEntries(axesOf(grid).map(({ name }, place) => [name, values[place]]));
};

/** Why the cell cannot be reached, if it cannot. */
export const whyUnreachable = (grid: Grid, index: number): string | undefined =>
  grid.unreachable?.(cellAt(grid, index));

/** More programs that reach a cell are not counted: the estimators of what is left to find need no more (residual-risk.ts). */
export const MOST_INCIDENCE = 3;

/** How often each cell of a grid was reached. */
export interface GridCount {
  readonly grid: Grid;
  readonly counts: Float64Array;
  /** In how many programs; `MOST_INCIDENCE` stands for that many or more. */
  readonly incidence: Uint8Array;
  /** The number of the program that was the last to raise `incidence`; 0 if none did. */
  readonly latest: Float64Array;
}

/** Whether a run reports it: a rare grid only if some program came to it. */
export const isReported = ({ grid, counts }: Pick<GridCount, 'grid' | 'counts'>): boolean =>
  grid.isRare !== true || counts.some((count) => count > 0);

export const emptyCount = (grid: Grid): GridCount => {
  const cells = cellCount(grid);
  return {
    grid,
    counts: new Float64Array(cells),
    incidence: new Uint8Array(cells),
    latest: new Float64Array(cells),
  };
};

/** Counts the cells reached at one stage. */
export class StageCounter {
  private readonly counts: Float64Array;
  private readonly incidence: Uint8Array;
  private readonly latest: Float64Array;
  private readonly when: ((moment: Moment) => boolean) | undefined;
  /** The stage's first cell. */
  private readonly first: number;
  /** For each dimension that is a fact: the fact, then the distance in cells between its values. */
  private readonly facts: number[] = [];
  private readonly finders: ((moment: Moment) => number)[] = [];
  /** That distance for each of `finders`. */
  private readonly strides: number[] = [];

  constructor({ grid, counts, incidence, latest }: GridCount, stage: Stage) {
    const { dimensions, stages, when } = grid;
    this.counts = counts;
    this.incidence = incidence;
    this.latest = latest;
    this.when = when;
    let stride = 1;
    for (const dimension of dimensions.toReversed()) {
      this.take(dimension, stride);
      stride *= dimension.values.length;
    }
    this.first = stages.indexOf(stage) * stride;
  }

  /** Returns whether the cell is reached for the first time. `program`: a number of its own for each program, from 1. */
  count(moment: Moment, program: number): boolean {
    if (this.when?.(moment) === false) return false;
    const { facts, finders } = this;
    const known = moment.preState.facts;
    let index = this.first;
    for (let i = 0; i < facts.length; i += 2) index += known[facts[i]] * facts[i + 1];
    for (let i = 0; i < finders.length; i++) index += finders[i](moment) * this.strides[i];
    if (this.incidence[index] < MOST_INCIDENCE && this.latest[index] !== program) {
      this.incidence[index]++;
      this.latest[index] = program;
    }
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
