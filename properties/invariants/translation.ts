import { differenceOf, describe, hasOwnInvariant } from './outcome-difference.js';
import type { Invariant } from './invariant.js';
import { HELD, VACUOUS, stateless, violation } from './invariant.js';

/** The comparison that the harness exists for. */
export const translation: Invariant = {
  id: 'translation',
  statement: 'Both sides give every step the same outcome: the same address, fault code, device access or answer.',
  source: 'machine.md 3; formats.md, Trace',
  exercisedBy:
    'a step that answers more than ok, and whose answer is not another invariant’s (killed, stuck, host-bug)',
  looksAt: 'observations',
  contract: 'any',
  stages: [
    'create',
    'store',
    'init',
    'new-pgtable',
    'flush-tlb',
    'set-stack',
    'set-pmd',
    'set-pte',
    'set-pgd',
    'access',
    'guest-pa',
    'migrate',
    'fail-alloc',
    'protect',
    'destroy',
  ],
  watch: stateless(({ reference, subject }) => {
    const expected = reference.outcome;
    const actual = subject.outcome;
    if (expected.kind === 'killed' || actual.kind === 'killed' || hasOwnInvariant(actual.kind)) return VACUOUS;
    const difference = differenceOf(expected, actual);
    if (difference !== undefined) return violation('outcome', describe(expected), describe(actual), difference);
    return expected.kind === 'ok' || expected.kind === 'dead' ? VACUOUS : HELD;
  }),
};
