/** Chooses a few programs that reach every situation that many programs reach. */

import type { Program } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import { programHash } from '../formats/index.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { Pair } from '../pair.js';
import { IMPL, MODEL } from '../subjects/subject-names.js';
import { Tally } from '../tally.js';

/**
 * Reports which situation cells a tally has met since the last call. Cells are numbered across all grids of all invariants, in
 * the order of the registry. The numbers hold within one version only; programs outlive it, and running them gives their cells.
 */
export class NewCells {
  private readonly tally: Tally;
  /** By cell: it has been reported, or is not wanted. */
  private readonly settled: Uint8Array;
  /** The number of each invariant's first cell, and one more for the end. */
  private readonly starts: readonly number[];

  /** `settled`: cells never to report. */
  constructor(tally: Tally, settled: readonly number[]) {
    this.tally = tally;
    this.starts = startsOf(tally);
    this.settled = new Uint8Array(this.starts.at(-1)!);
    for (const cell of settled) this.settled[cell] = 1;
  }

  /** The new cells, ascending. Called after each program it costs next to nothing once new cells are rare. */
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

/** The cells that a program reaches when it runs alone on `impl`, ascending. */
export const cellsOf = async (program: Program): Promise<readonly number[]> => {
  const tally = new Tally(INVARIANTS);
  const pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS, tally });
  try {
    await pair.run(program, { contractKept: keepsContract(program), twice: true });
    return new NewCells(tally, []).take();
  } finally {
    await pair.close();
  }
};

/** A program and the situation cells that it reaches. */
export interface Reaching {
  readonly program: Program;
  readonly cells: readonly number[];
}

export interface DistilOptions {
  /** Cells that no program need reach. */
  readonly settled: Iterable<number>;
  /** The most programs to keep. */
  readonly most: number;
}

/** Runs each program by itself. */
export const reachingOf = async (programs: readonly Program[]): Promise<readonly Reaching[]> => {
  const reaching: Reaching[] = [];
  for (const program of programs) reaching.push({ program, cells: await cellsOf(program) });
  return reaching;
};

export const allCells = (programs: readonly Reaching[]): ReadonlySet<number> =>
  new Set(programs.flatMap(({ cells }) => cells));

/**
 * A greedy cover: programs that together reach the same cells, each at least one that no other reaches; at most `most` of them, those
 * that add most first. The order of `programs` does not matter.
 */
export const distil = (programs: readonly Reaching[], { settled, most }: DistilOptions): readonly Reaching[] => {
  const reached = new Set(settled);
  const before = new Set(reached);
  const left = new Set(programs.toSorted(byWorth));
  const chosen: Reaching[] = [];
  while (chosen.length < most) {
    const next = mostNew(left, reached);
    if (next === undefined) break;
    left.delete(next);
    chosen.push(next);
    for (const cell of next.cells) reached.add(cell);
  }
  return withoutIdle(chosen, before);
};

/** The program that adds most cells, the first of equals. Removes from `left` the programs that add none. */
const mostNew = (left: Set<Reaching>, reached: ReadonlySet<number>): Reaching | undefined => {
  let best: Reaching | undefined;
  let most = 0;
  for (const each of left) {
    const fresh = each.cells.reduce((sum, cell) => sum + (reached.has(cell) ? 0 : 1), 0);
    if (fresh === 0) left.delete(each);
    if (fresh > most) [best, most] = [each, fresh];
  }
  return best;
};

/** Drops programs whose cells were all reached by later choices. */
const withoutIdle = (chosen: readonly Reaching[], settled: ReadonlySet<number>): readonly Reaching[] => {
  const counts = new Map<number, number>();
  for (const { cells } of chosen) for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  return chosen.filter(({ cells }) => {
    if (cells.some((cell) => !settled.has(cell) && counts.get(cell) === 1)) return true;
    for (const cell of cells) counts.set(cell, counts.get(cell)! - 1);
    return false;
  });
};

/** Shorter programs first, then by hash. */
const byWorth = ({ program: one }: Reaching, { program: other }: Reaching): number =>
  one.steps.length - other.steps.length || compare(programHash(one), programHash(other));

const compare = (one: string, other: string): number => Number(one > other) - Number(one < other);
