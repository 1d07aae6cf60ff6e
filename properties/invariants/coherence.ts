import { isHostRefusal } from '../../model/vocabulary/index.js';
import { COHERENT_STEPS } from '../generators/case.js';
import { compareOutcomes, hasOwnInvariant } from './outcome-difference.js';
import { ACCESS, ADDRESSING, ANSWER, FEATURE_SHOWN, PAGING, answerUnreachable } from './situations/dimensions.js';
import type { Invariant } from './invariant.js';
import { HELD, VACUOUS, stateless } from './invariant.js';

/** The purpose of shadow tables: a guest that keeps its contract sees no difference from running on its own tables. */
export const coherence: Invariant = {
  id: 'coherence',
  statement: 'In coherent traffic each outcome equals that of a walk of the guest’s own tables with nothing cached.',
  source: 'machine.md 5, Coherent',
  exercisedBy: 'an access or guest-pa of a living coherent guest that no lack of host memory or host page killed',
  harms: 'guest',
  looksAt: ['fresh'],
  contract: 'kept',
  neverAlone:
    'while the model is sound, an outcome that differs from its fresh walk differs from its own; it alone sees what both sides serve stale',
  stages: ['access', 'guest-pa'],
  needs: COHERENT_STEPS.map((op) => [op]),
  situations: [
    {
      name: 'an access',
      stages: ['access'],
      dimensions: [PAGING, ACCESS, ADDRESSING, ANSWER],
      when: ({ config }) => config.features === undefined,
      unreachable: answerUnreachable,
    },
    {
      name: 'an access, on a CPU with features',
      stages: ['access'],
      dimensions: [PAGING, FEATURE_SHOWN],
      when: ({ config }) => config.features !== undefined,
      isRare: true,
      unreachable: ({ paging, feature }) =>
        paging === '2-level' && feature.startsWith('fetch') ? 'XD is a bit of PAE entries' : undefined,
    },
    { name: 'the host asks', stages: ['guest-pa'], dimensions: [PAGING, ADDRESSING] },
  ],
  watch: stateless(({ model: { fresh }, subject, subjectKind }) => {
    // The guest is dead, or was never created.
    if (fresh === undefined) return VACUOUS;
    if (subjectKind === 'dead' || hasOwnInvariant(subjectKind)) return VACUOUS;
    if (subject.outcome.kind === 'killed' && isHostRefusal(subject.outcome)) return VACUOUS;
    return compareOutcomes(fresh, subject.outcome) ?? HELD;
  }),
};
