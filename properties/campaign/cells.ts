/**
 * What a program may be the first to reach, as numbers: cells. First come the situation cells of all grids of all invariants, in the order
 * of the registry. A subject that counts edges of its own code (formats.md, Edges) adds a cell for each of them, and then for each
 * invariant a row of such cells: those of a program in which the invariant was exercised. The numbers hold within one version and one
 * build of the subject only; programs outlive both, and running them gives their cells.
 */

import type { Invariant } from '../invariants/invariant.js';
import { cellCount } from '../invariants/situations/grid.js';
import type { Tally } from '../tally.js';

/** Programs kept for each edge: enough to tell whether one, two or more reached it (residual-risk.ts). */
const PROGRAMS_OF_EDGE = 3;

export class CellNumbers {
  /** How many edges the subject counts. */
  readonly edges: number;
  /** The number of each invariant's first situation cell, and one more for the end. */
  readonly starts: readonly number[];
  private readonly situations: number;

  constructor(invariants: readonly Invariant[], edges: number) {
    const starts = [0];
    for (const { situations = [] } of invariants) {
      starts.push(situations.reduce((sum, grid) => sum + cellCount(grid), starts.at(-1)!));
    }
    this.edges = edges;
    this.starts = starts;
    this.situations = starts.at(-1)!;
  }

  /** How many there are. */
  get count(): number {
    return this.situations + this.edges * this.starts.length;
  }

  /** The number of edge 0 in row `row`: 0 for any program, then one for each invariant. */
  rowStart(row: number): number {
    return this.situations + row * this.edges;
  }

  /** How many programs are kept that reached a cell: those with the smallest numbers. */
  keeps(cell: number): number {
    return this.rowOf(cell) === 0 ? PROGRAMS_OF_EDGE : 1;
  }

  /** The row of an edge's cell; undefined for a situation cell. */
  rowOf(cell: number): number | undefined {
    return cell < this.situations ? undefined : Math.floor((cell - this.situations) / this.edges);
  }
}

/** Reports which cells were reached since the last call, each cell for as many programs as it keeps. */
export class NewCells {
  private readonly tally: Tally;
  private readonly numbers: CellNumbers;
  /** By cell: how many more programs to report. */
  private readonly wanted: Uint8Array;
  /** How often each invariant had been exercised at the last call. */
  private readonly exercised: Float64Array;

  /** `settled`: cells never to report. `edges`: how many the subject counts. */
  constructor(tally: Tally, settled: readonly number[], edges = 0) {
    this.tally = tally;
    this.numbers = new CellNumbers(tally.invariants, edges);
    const { numbers } = this;
    this.wanted = Uint8Array.from({ length: numbers.count }, (_, cell) => numbers.keeps(cell));
    this.exercised = tally.exercised.slice();
    for (const cell of settled) this.wanted[cell] = 0;
  }

  /**
   * The new cells, ascending. Called after each program it costs next to nothing once new cells are rare. `edges`: those that the program
   * reached.
   */
  take(edges: readonly number[] = []): readonly number[] {
    const { lastNew, programs } = this.tally;
    const cells: number[] = [];
    for (let index = 0; index < lastNew.length; index++) if (lastNew[index] === programs) this.scan(index, cells);
    if (this.numbers.edges > 0) this.addEdges(edges, cells);
    return cells;
  }

  private scan(index: number, cells: number[]): void {
    let cell = this.numbers.starts[index];
    for (const { counts } of this.tally.situations[index]) {
      for (let place = 0; place < counts.length; place++, cell++) if (counts[place] > 0) this.add(cell, cells);
    }
  }

  private addEdges(edges: readonly number[], cells: number[]): void {
    const { numbers, exercised, tally } = this;
    for (let row = 0; row <= exercised.length; row++) {
      if (row > 0 && tally.exercised[row - 1] === exercised[row - 1]) continue;
      const start = numbers.rowStart(row);
      const fresh = edges.filter((edge) => this.wanted[start + edge] > 0).toSorted((one, other) => one - other);
      // A subject may list an edge twice.
      for (const edge of new Set(fresh)) this.add(start + edge, cells);
    }
    exercised.set(tally.exercised);
  }

  private add(cell: number, cells: number[]): void {
    if (this.wanted[cell] === 0) return;
    this.wanted[cell]--;
    cells.push(cell);
  }
}
