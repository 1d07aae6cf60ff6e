/** Chooses a few programs that reach every situation that many programs reach. */

import type { Program } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import { compareWorth } from '../formats/program-format.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { Pair } from '../pair.js';
import { IMPL, MODEL } from '../subjects/subject-names.js';
import type { Subject } from '../subjects/subject.js';
import { Tally } from '../tally.js';
import { CellNumbers, NewCells } from './cells.js';

/** The situation cells that a program reaches when it runs alone on `impl`, ascending. */
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

/** A program and the cells that it reaches: situations on `impl`, and edges of a subject that counts its own. */
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

/** Runs each program by itself. `subject`: the one whose edges count; left out: none do. */
export const reachingOf = async (programs: readonly Program[], subject?: Subject): Promise<readonly Reaching[]> => {
  const edges = subject === undefined ? [] : await edgesReaching(programs, subject);
  const reaching: Reaching[] = [];
  for (const [index, program] of programs.entries()) {
    reaching.push({ program, cells: [...(await cellsOf(program)), ...(edges[index]?.cells ?? [])] });
  }
  return reaching;
};

/**
 * Indexes of the programs that are needed to reach every edge of the subject's code that all of them reach: about a tenth of a pool, in
 * which they would seldom be picked.
 */
export const neededForEdges = async (programs: readonly Program[], subject: Subject): Promise<readonly number[]> => {
  const reaching = await edgesReaching(programs, subject);
  const needed = new Set(distil(reaching, { settled: [], most: Infinity }));
  return [...reaching.keys()].filter((index) => needed.has(reaching[index]));
};

const edgesReaching = async (programs: readonly Program[], subject: Subject): Promise<readonly Reaching[]> => {
  const pair = new Pair({ model: MODEL, subject, invariants: [] });
  const reaching: Reaching[] = [];
  try {
    for (const program of programs) reaching.push({ program, cells: await edgeCellsOf(program, pair) });
    return reaching;
  } finally {
    await pair.close();
  }
};

/** Without invariants to break, a program runs to its end. */
const edgeCellsOf = async (program: Program, pair: Pair): Promise<readonly number[]> => {
  await pair.run(program, { contractKept: false, twice: false });
  const start = new CellNumbers(INVARIANTS, pair.edgeCount).rowStart(0);
  return pair.reachedEdges.map((edge) => start + edge);
};

export const allCells = (programs: readonly Reaching[]): ReadonlySet<number> =>
  new Set(programs.flatMap(({ cells }) => cells));

/** How many situations and how many edges programs reach. */
export const countReached = (
  programs: readonly Reaching[],
): { readonly situations: number; readonly edges: number } => {
  const cells = [...allCells(programs)];
  const firstEdge = new CellNumbers(INVARIANTS, 0).rowStart(0);
  const situations = cells.filter((cell) => cell < firstEdge).length;
  return { situations, edges: cells.length - situations };
};

/**
 * A greedy cover: programs that together reach the same cells, each at least one that no other reaches; at most `most` of them, those
 * that add most first. The order of `programs` does not matter.
 */
export const distil = (programs: readonly Reaching[], { settled, most }: DistilOptions): readonly Reaching[] => {
  const reached = new Set(settled);
  const before = new Set(reached);
  const left = new Set(programs.toSorted((one, other) => compareWorth(one.program, other.program)));
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
