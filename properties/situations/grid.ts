/**
 * Situations: the named circumstances in which an invariant can be exercised. A grid is a finite product of dimensions, declared
 * beside the invariant; a run counts each check whose premise held in its cell, so that an empty cell is something that the run
 * never looked at.
 */

import type { Moment, Stage } from '../invariants/invariant.js';

/** How situations differ in one respect. Its value is a fact of the scene, or is found when it is asked for. */
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
  /** Reads the subject's inside; not counted for a subject that lets nobody look. */
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

const ASKED = 255;

/** Counts what is met at one stage. */
export class StageCounter {
  private readonly counts: Float64Array;
  private readonly when: ((moment: Moment) => boolean) | undefined;
  /** Where the stage stands among the grid's. */
  private readonly place: number;
  private readonly sizes: Uint8Array;
  /** For each dimension its fact, or `ASKED`. */
  private readonly facts: Uint8Array;
  private readonly finders: readonly ((moment: Moment) => number)[];

  constructor({ grid, counts }: GridCount, stage: Stage) {
    const { dimensions, stages, when } = grid;
    this.counts = counts;
    this.when = when;
    this.place = stages.indexOf(stage);
    this.sizes = Uint8Array.from(dimensions, ({ values }) => values.length);
    this.facts = Uint8Array.from(dimensions, (dimension) => ('fact' in dimension ? dimension.fact : ASKED));
    this.finders = dimensions.map((dimension) => ('fact' in dimension ? () => 0 : dimension.of));
  }

  /** Answers whether the cell is a new one. */
  count(moment: Moment): boolean {
    if (this.when?.(moment) === false) return false;
    const { sizes, facts, finders } = this;
    const known = moment.scene.facts;
    let index = this.place;
    for (let i = 0; i < sizes.length; i++) {
      const fact = facts[i];
      index = index * sizes[i] + (fact === ASKED ? finders[i](moment) : known[fact]);
    }
    return this.counts[index]++ === 0;
  }
}
