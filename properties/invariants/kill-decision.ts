import { OPS } from '../../model/vocabulary/index.js';
import { differenceOf, describe } from './outcome-difference.js';
import type { Invariant } from './invariant.js';
import { HELD, VACUOUS, stateless, violation } from './invariant.js';

/** Who is killed, when, and why. */
export const killDecision: Invariant = {
  id: 'kill-decision',
  statement: 'Both sides kill the guest at the same step and for the same reason, or neither does.',
  source: 'machine.md 3, Kills',
  exercisedBy: 'a step at which either side killed',
  looksAt: 'observations',
  contract: 'any',
  stages: OPS,
  outcomes: ['killed'],
  watch: stateless(({ reference, subject, referenceKind, subjectKind }) => {
    if (referenceKind !== 'killed' && subjectKind !== 'killed') return VACUOUS;
    const difference = differenceOf(reference.outcome, subject.outcome);
    if (difference === undefined) return HELD;
    return violation('outcome', describe(reference.outcome), describe(subject.outcome), difference);
  }),
};
