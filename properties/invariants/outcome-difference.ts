/** Comparing two outcomes, and naming the class of their difference. */

import type { Killed, Outcome, OutcomeKind } from '../../model/vocabulary/index.js';
import { reasonWithoutNumbers } from '../../model/vocabulary/index.js';
import { hex } from './invariant.js';
import type { Violation } from './invariant.js';

/** Outcomes that are wrong in themselves, which `progress` and `host-intact` report. */
export const hasOwnInvariant = (kind: OutcomeKind): boolean =>
  kind === 'stuck' || kind === 'host-bug' || kind === 'halted';

/** How two outcomes differ, free of addresses and numbers; undefined when they are equal. */
export const differenceOf = (expected: Outcome, actual: Outcome): string | undefined => {
  const { kind } = actual;
  if (expected.kind !== kind) return `${expected.kind} became ${kind}`;
  switch (expected.kind) {
    case 'mapped':
    case 'mmio':
    case 'physical':
      return expected.paddr === (actual as typeof expected).paddr ? undefined : `${kind} elsewhere`;
    case 'fault':
      return expected.code === (actual as typeof expected).code ? undefined : 'another fault code';
    case 'initialized':
      return expected.reserved === (actual as typeof expected).reserved ? undefined : 'another reserved size';
    case 'killed': {
      const other = actual as typeof expected;
      return expected.reason === other.reason ? undefined : `${killClass(expected)} became ${killClass(other)}`;
    }
    default:
      return undefined;
  }
};

/** The violation, if an outcome differs from the one required. */
export const compareOutcomes = (expected: Outcome, actual: Outcome): Violation | undefined => {
  const difference = differenceOf(expected, actual);
  if (difference === undefined) return undefined;
  const words = { expected: describe(expected), actual: describe(actual) };
  return { kind: 'another-outcome', field: 'outcome', ...words, difference };
};

/** A text that machine.md does not know may be another one at every kill, and each would be a kind of finding of its own. */
const killClass = (kill: Killed): string =>
  kill.cause === 'unknown' ? 'an unknown text' : `"${reasonWithoutNumbers(kill)}"`;

export const describe = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case 'mapped':
    case 'mmio':
    case 'physical':
      return `${outcome.kind} ${hex(outcome.paddr)}`;
    case 'fault':
      return `fault code ${outcome.code}`;
    case 'initialized':
      return `initialized, ${hex(outcome.reserved)} reserved`;
    case 'killed':
    case 'host-bug':
      return `${outcome.kind}: ${outcome.reason}`;
    default:
      return outcome.kind;
  }
};
