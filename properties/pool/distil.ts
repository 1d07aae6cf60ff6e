/** A few programs that reach what many do. */

import { programHash } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import { cellsOf } from './cells.js';

/** A program and the situation cells that it reaches. */
export interface Reaching {
  readonly program: Program;
  readonly cells: readonly number[];
}

export interface DistilOptions {
  /** Cells that need not be reached. */
  readonly settled: Iterable<number>;
  /** The largest number of programs that are kept. */
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
 * Programs that together reach the same cells, each of them at least one that no other reaches; if there are too many, those that
 * reach most. The order of the programs decides nothing.
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

/** Of equals the first. Those that bring nothing any more are taken out of the set. */
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

/** Those that were chosen later may reach all that an earlier one was chosen for. */
const withoutIdle = (chosen: readonly Reaching[], settled: ReadonlySet<number>): readonly Reaching[] => {
  const counts = new Map<number, number>();
  for (const { cells } of chosen) for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  return chosen.filter(({ cells }) => {
    if (cells.some((cell) => !settled.has(cell) && counts.get(cell) === 1)) return true;
    for (const cell of cells) counts.set(cell, counts.get(cell)! - 1);
    return false;
  });
};

/** Shorter programs first; of equals the hash decides. */
const byWorth = ({ program: one }: Reaching, { program: other }: Reaching): number =>
  one.steps.length - other.steps.length || compare(programHash(one), programHash(other));

const compare = (one: string, other: string): number => Number(one > other) - Number(one < other);
