/** A tally as plain numbers, for files and for the way between processes; and how such numbers are added up. */

import * as z from 'zod';
import { exactObject, naturalNumber } from './formats/fields.js';
import { OPS } from '../model/vocabulary/index.js';
import type { Tally } from './tally.js';

const SCALARS = ['programs', 'steps', 'diedEarly', 'hits', 'misses', 'cacheHits', 'cacheMisses'] as const;

const numbers = z.array(naturalNumber);

export const tallyCountsSchema = exactObject({
  programs: naturalNumber,
  steps: naturalNumber,
  diedEarly: naturalNumber,
  hits: naturalNumber,
  misses: naturalNumber,
  cacheHits: naturalNumber,
  cacheMisses: naturalNumber,
  checks: numbers,
  exercised: numbers,
  /** For each invariant, for each of its grids: how often each cell was met. */
  situations: z.array(z.array(numbers)),
  /** A list for each of `OPS`: how often it ended in each of `OUTCOME_KINDS`. */
  ends: z.array(numbers),
});

export type TallyCounts = z.infer<typeof tallyCountsSchema>;

export const countsOf = (tally: Tally): TallyCounts => ({
  programs: tally.programs,
  steps: tally.steps,
  diedEarly: tally.diedEarly,
  hits: tally.hits,
  misses: tally.misses,
  cacheHits: tally.cacheHits,
  cacheMisses: tally.cacheMisses,
  checks: [...tally.checks],
  exercised: [...tally.exercised],
  situations: tally.situations.map((grids) => grids.map(({ counts }) => [...counts])),
  ends: OPS.map((op) => [...tally.endsOf(op)]),
});

/** Adds counts to a tally of the same invariants. */
export const addCounts = (tally: Tally, counts: TallyCounts): void => {
  for (const scalar of SCALARS) tally[scalar] += counts[scalar];
  addEach(tally.checks, counts.checks);
  addEach(tally.exercised, counts.exercised);
  for (const [index, grids] of tally.situations.entries()) {
    for (const [place, grid] of grids.entries()) addEach(grid.counts, counts.situations[index][place]);
  }
  for (const [index, op] of OPS.entries()) addEach(tally.endsOf(op), counts.ends[index]);
};

const addEach = (sums: Float64Array, counts: readonly number[]): void => {
  for (const [index, count] of counts.entries()) sums[index] += count;
};
