/** What a run looked at: how often each invariant was checked and exercised, in which situations, and how the steps ended. */

import * as z from 'zod';
import type { Op, OutcomeKind } from '../model/vocabulary/index.js';
import { OPS, OUTCOME_KINDS } from '../model/vocabulary/index.js';
import { exactObject, naturalNumber } from './formats/fields.js';
import type { Invariant } from './invariants/invariant.js';
import type { GridCount } from './invariants/situations/grid.js';
import { MOST_INCIDENCE, emptyCount } from './invariants/situations/grid.js';

const KIND_INDEX: ReadonlyMap<OutcomeKind, number> = new Map(OUTCOME_KINDS.map((kind, index) => [kind, index]));

/** Index of a kind in `OUTCOME_KINDS`. */
export const kindIndex = (kind: OutcomeKind): number => KIND_INDEX.get(kind)!;

/** What was counted over the programs of a run. Arrays by invariant have the order of `invariants`. */
export class Tally {
  programs = 0;
  /** Of `programs`: those that the invariants judged at every step. Of the others only programs, steps and early deaths are counted. */
  judged = 0;
  steps = 0;
  /** Programs that ended in a kill or without memory before their tenth step had run. */
  diedEarly = 0;
  /** Mapped accesses that changed no shadow leaf, and those that did; known of a subject that exposes its shadow tables. */
  hits = 0;
  misses = 0;
  /** New-pgtable calls that found their root cached, and that did not. */
  cacheHits = 0;
  cacheMisses = 0;
  readonly invariants: readonly Invariant[];
  readonly checks: Float64Array;
  readonly exercised: Float64Array;
  /** For each invariant, how often each of its situations was met. */
  readonly situations: readonly (readonly GridCount[])[];
  /** For each invariant, the number of the program that last reached a new situation; 0 if none did. */
  readonly lastNew: Float64Array;
  private readonly outcomes: ReadonlyMap<Op, Float64Array> = new Map(
    OPS.map((op) => [op, new Float64Array(OUTCOME_KINDS.length)]),
  );

  constructor(invariants: readonly Invariant[]) {
    this.invariants = invariants;
    this.checks = new Float64Array(invariants.length);
    this.exercised = new Float64Array(invariants.length);
    this.situations = invariants.map(({ situations = [] }) => situations.map(emptyCount));
    this.lastNew = new Float64Array(invariants.length);
  }

  /** Starts counting anew, in the same arrays: V8 has optimized the loop for them. */
  clear(): void {
    for (const scalar of SCALARS) this[scalar] = 0;
    for (const counts of [this.checks, this.exercised, this.lastNew, ...this.outcomes.values()]) counts.fill(0);
    for (const { counts, incidence, latest } of this.situations.flat()) {
      counts.fill(0);
      incidence.fill(0);
      latest.fill(0);
    }
  }

  /** How often a step of this kind ended in each of `OUTCOME_KINDS`. Lockstep counts in it. */
  endsOf(op: Op): Float64Array {
    return this.outcomes.get(op)!;
  }

  /** How often a step of this kind ended so. */
  outcomesOf(op: Op, kind: OutcomeKind): number {
    return this.endsOf(op)[kindIndex(kind)];
  }

  /** How often any step ended so. */
  allOutcomes(kind: OutcomeKind): number {
    return OPS.reduce((sum, op) => sum + this.outcomesOf(op, kind), 0);
  }
}

const SCALARS = ['programs', 'judged', 'steps', 'diedEarly', 'hits', 'misses', 'cacheHits', 'cacheMisses'] as const;

const numbers = z.array(naturalNumber);
const digits = z
  .string()
  .check(z.regex(new RegExp(`^[0-${MOST_INCIDENCE}]*$`), { error: `give digits up to ${MOST_INCIDENCE}` }));

export const tallyCountsSchema = exactObject({
  programs: naturalNumber,
  judged: naturalNumber,
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
  /** Of the same shape: in how many programs each cell was met, a digit each; the largest stands for that many or more. */
  incidence: z.array(z.array(digits)),
  /** A list for each of `OPS`: how often it ended in each of `OUTCOME_KINDS`. */
  ends: z.array(numbers),
}).check(
  z.refine(({ judged, programs }) => judged <= programs, {
    path: ['judged'],
    error: 'more than programs; restore the file of this run',
  }),
);

/** A tally as plain numbers, for files and for the way between processes. */
export type TallyCounts = z.infer<typeof tallyCountsSchema>;

export const countsOf = (tally: Tally): TallyCounts => ({
  programs: tally.programs,
  judged: tally.judged,
  steps: tally.steps,
  diedEarly: tally.diedEarly,
  hits: tally.hits,
  misses: tally.misses,
  cacheHits: tally.cacheHits,
  cacheMisses: tally.cacheMisses,
  checks: [...tally.checks],
  exercised: [...tally.exercised],
  situations: tally.situations.map((grids) => grids.map(({ counts }) => [...counts])),
  incidence: tally.situations.map((grids) => grids.map(({ incidence }) => incidence.join(''))),
  ends: OPS.map((op) => [...tally.endsOf(op)]),
});

/** Whether both are counts of the same invariants: those of a file may be of any shape. */
export const sameShape = (one: TallyCounts, other: TallyCounts): boolean =>
  one.checks.length === other.checks.length &&
  one.exercised.length === other.exercised.length &&
  sameLengths(one.situations, other.situations) &&
  sameLengths(one.situations.flat(), other.situations.flat()) &&
  sameLengths(one.incidence, other.incidence) &&
  sameLengths(one.incidence.flat(), other.incidence.flat()) &&
  sameLengths(one.ends, other.ends);

const sameLengths = (one: readonly ArrayLike<unknown>[], other: readonly ArrayLike<unknown>[]): boolean =>
  one.length === other.length && one.every((list, index) => list.length === other[index].length);

/** Adds counts to a tally of the same invariants. */
export const addCounts = (tally: Tally, counts: TallyCounts): void => {
  for (const scalar of SCALARS) tally[scalar] += counts[scalar];
  addEach(tally.checks, counts.checks);
  addEach(tally.exercised, counts.exercised);
  for (const [index, grids] of tally.situations.entries()) {
    for (const [place, { counts: sums, incidence }] of grids.entries()) {
      addEach(sums, counts.situations[index][place]);
      addIncidence(incidence, counts.incidence[index][place]);
    }
  }
  for (const [index, op] of OPS.entries()) addEach(tally.endsOf(op), counts.ends[index]);
};

const addEach = (sums: Float64Array, counts: readonly number[]): void => {
  for (const [index, count] of counts.entries()) sums[index] += count;
};

/** No program is in both, so the sum is exact up to where it saturates, in whatever order parts are added. */
const addIncidence = (sums: Uint8Array, digitsToAdd: string): void => {
  for (let cell = 0; cell < sums.length; cell++) {
    sums[cell] = Math.min(MOST_INCIDENCE, sums[cell] + Number(digitsToAdd[cell]));
  }
};
