/**
 * Situation cells by number: all cells of all grids of all invariants, in the order of the registry. The numbers hold within one
 * version; what outlives it is programs, and which cells they reach is found by running them.
 */

import type { Program } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import { INVARIANTS } from '../invariants/registry.js';
import { Pair } from '../pair.js';
import { IMPL, MODEL } from '../subjects/registry.js';
import { Tally } from '../tally.js';

/** Tells which cells a tally has met since it was last asked. */
export class NewCells {
  private readonly tally: Tally;
  /** By cell: it was told, or need not be. */
  private readonly settled: Uint8Array;
  /** The number of each invariant's first cell, and one more for the end. */
  private readonly starts: readonly number[];

  /** `settled`: cells that are not asked for. */
  constructor(tally: Tally, settled: readonly number[]) {
    this.tally = tally;
    this.starts = startsOf(tally);
    this.settled = new Uint8Array(this.starts.at(-1)!);
    for (const cell of settled) this.settled[cell] = 1;
  }

  /** Ascending. Asked after each program it costs next to nothing once new cells are rare. */
  take(): readonly number[] {
    const { lastNew, programs } = this.tally;
    const cells: number[] = [];
    for (let index = 0; index < lastNew.length; index++) if (lastNew[index] === programs) this.scan(index, cells);
    return cells;
  }

  private scan(index: number, cells: number[]): void {
    let cell = this.starts[index];
    for (const { counts } of this.tally.situations[index]) {
      for (let place = 0; place < counts.length; place++, cell++) {
        if (counts[place] === 0 || this.settled[cell] === 1) continue;
        this.settled[cell] = 1;
        cells.push(cell);
      }
    }
  }
}

const startsOf = ({ situations }: Tally): readonly number[] => {
  const starts = [0];
  for (const grids of situations) starts.push(grids.reduce((sum, { counts }) => sum + counts.length, starts.at(-1)!));
  return starts;
};

/** The cells that a program reaches by itself on our own machine, ascending. */
export const cellsOf = async (program: Program): Promise<readonly number[]> => {
  const tally = new Tally(INVARIANTS);
  const pair = new Pair({ reference: MODEL, subject: IMPL, invariants: INVARIANTS, tally });
  try {
    await pair.run(program, { contractKept: keepsContract(program), twice: true });
    return new NewCells(tally, []).take();
  } finally {
    await pair.close();
  }
};
