/**
 * For each situation cell the program with the smallest number that reached it: a minimum, so that it does not matter in which
 * order, how often and by which shard it is told.
 */

import type { Reach } from './batch.js';

export class FirstReached {
  /** The number of a program, by cell. */
  private readonly byCell = new Map<number, number>();

  add({ program, cells }: Reach): void {
    for (const cell of cells) this.byCell.set(cell, Math.min(program, this.byCell.get(cell) ?? Infinity));
  }

  /** Each program once, by its number. */
  list(): readonly Reach[] {
    const byProgram = new Map<number, number[]>();
    for (const [cell, program] of this.byCell) {
      const cells = byProgram.get(program) ?? [];
      byProgram.set(program, cells);
      cells.push(cell);
    }
    return [...byProgram]
      .toSorted(([one], [other]) => one - other)
      .map(([program, cells]) => ({ program, cells: cells.toSorted((one, other) => one - other) }));
  }

  /** Cells of which no program with this number or a larger one is the first, ascending. */
  settledBefore(program: number): readonly number[] {
    const cells = [...this.byCell].filter(([, first]) => first < program).map(([cell]) => cell);
    return cells.toSorted((one, other) => one - other);
  }
}
