import type { Outcome } from '../../model/vocabulary/index.js';
import { isHostRefusal } from '../../model/vocabulary/index.js';
import { pureAccess, purePhysical } from '../pure-walk.js';
import { differenceOf, describe, hasOwnInvariant } from './outcome-difference.js';
import { ACCESS, ADDRESSING, ANSWER, PAGING, answerUnreachable } from './situations/dimensions.js';
import type { Invariant } from './invariant.js';
import { HELD, VACUOUS, stateless, violation } from './invariant.js';

/** What the shadow tables are for: a guest that keeps its contract must not be able to tell that they are there. */
export const coherence: Invariant = {
  id: 'coherence',
  statement: 'In coherent traffic each outcome equals that of a walk of the guest’s own tables with nothing cached.',
  source: 'machine.md 5, Coherent',
  exercisedBy: 'an access or guest-pa of a living coherent guest that no lack of host memory or host page killed',
  looksAt: 'observations',
  contract: 'kept',
  neverAlone:
    'while the model is sound, an outcome that differs from a pure walk differs from the model’s; it alone sees a bug that both sides share',
  stages: ['access', 'guest-pa'],
  situations: [
    {
      name: 'an access',
      stages: ['access'],
      dimensions: [PAGING, ACCESS, ADDRESSING, ANSWER],
      unreachable: answerUnreachable,
    },
    { name: 'the host asks', stages: ['guest-pa'], dimensions: [PAGING, ADDRESSING] },
  ],
  watch: stateless(({ step, subject, subjectKind, referenceKind, guest }) => {
    // Of a machine whose creation failed there is no guest (machine.md 2).
    if (referenceKind === 'absent') return VACUOUS;
    if (subjectKind === 'dead' || hasOwnInvariant(subjectKind)) return VACUOUS;
    if (subject.outcome.kind === 'killed' && isHostRefusal(subject.outcome)) return VACUOUS;
    if (step?.op === 'access') return compare(pureAccess(guest, step.vaddr, step.kind, step.mode), subject.outcome);
    if (step?.op === 'guest-pa') return compare(purePhysical(guest, step.vaddr), subject.outcome);
    return VACUOUS;
  }),
};

const compare = (expected: Outcome, actual: Outcome) => {
  const difference = differenceOf(expected, actual);
  if (difference === undefined) return HELD;
  return violation('outcome', describe(expected), describe(actual), difference);
};
