/** What a run looked at: how often each invariant was checked and exercised, and how the steps ended. */

import type { Op, OutcomeKind } from '../model/vocabulary/index.js';
import { OPS } from '../model/vocabulary/index.js';
import type { Invariant } from './invariants/invariant.js';

const OUTCOME_KINDS = [
  'created',
  'no-memory',
  'initialized',
  'ok',
  'mapped',
  'fault',
  'mmio',
  'physical',
  'stuck',
  'killed',
  'dead',
  'destroyed',
  'host-bug',
  'halted',
  'absent',
] as const satisfies readonly OutcomeKind[];

const indexed = <Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> =>
  Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>;

const OP_INDEX = indexed(OPS);
const KIND_INDEX = indexed(OUTCOME_KINDS);
const KINDS = OUTCOME_KINDS.length;

export class Tally {
  programs = 0;
  steps = 0;
  /** Programs that ended in a kill or without memory before their tenth step had run. */
  diedEarly = 0;
  /** Accesses that the shadow answered by itself, of those that were mapped; known of a subject that lets us look inside. */
  hits = 0;
  misses = 0;
  /** New-pgtable calls that found their root cached, and that did not. */
  cacheHits = 0;
  cacheMisses = 0;
  readonly invariants: readonly Invariant[];
  readonly checks: Float64Array;
  readonly exercised: Float64Array;
  private readonly outcomes = new Float64Array(OPS.length * KINDS);

  constructor(invariants: readonly Invariant[]) {
    this.invariants = invariants;
    this.checks = new Float64Array(invariants.length);
    this.exercised = new Float64Array(invariants.length);
  }

  countOutcome(op: Op, kind: OutcomeKind): void {
    this.outcomes[OP_INDEX[op] * KINDS + KIND_INDEX[kind]]++;
  }

  /** How often a step of this kind ended so. */
  outcomesOf(op: Op, kind: OutcomeKind): number {
    return this.outcomes[OP_INDEX[op] * KINDS + KIND_INDEX[kind]];
  }

  /** How often any step ended so. */
  allOutcomes(kind: OutcomeKind): number {
    return OPS.reduce((sum, op) => sum + this.outcomesOf(op, kind), 0);
  }
}
