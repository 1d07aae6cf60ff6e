import type { AllowedAnswer } from '../../model/translation-history.js';
import type { Outcome } from '../../model/vocabulary/index.js';
import { isHostRefusal } from '../../model/vocabulary/index.js';
import { COHERENT_STEPS } from '../generators/case.js';
import { compareOutcomes, describe, differenceOf, hasOwnInvariant } from './outcome-difference.js';
import { ACCESS, ADDRESSING, ANSWER, FEATURE_SHOWN, PAGING, answerUnreachable } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Violation } from './invariant.js';
import { HELD, VACUOUS, stateless } from './invariant.js';

/** A racy guest's access: where its answer comes from; of several places the one that is most up to date. */
const ORIGINS = ['current entries', 'old entries', 'a mixture'] as const;
const ANSWERED_FROM: Dimension = {
  name: 'from',
  values: ORIGINS,
  of: ({ guest, step, subject }) => {
    const allowed = step?.op === 'access' ? (guest.history?.answersTo(step) ?? []) : [];
    const fitting = allowed.filter(({ outcome }) => differenceOf(outcome, subject.outcome) === undefined);
    return Math.min(...fitting.map(({ from }) => ORIGINS.indexOf(from)), ORIGINS.length - 1);
  },
};

const ANSWERED: Dimension = {
  name: 'answer',
  values: ['mapped', 'fault'],
  of: ({ subjectKind }) => (subjectKind === 'mapped' ? 0 : 1),
};

/** The purpose of shadow tables: a guest that keeps its contract sees no difference from running on its own tables. */
export const coherence: Invariant = {
  id: 'coherence',
  statement:
    'In coherent traffic each outcome equals that of a walk of the guest’s own tables with nothing cached; in racy traffic it is one that a CPU may give until it is told of the change.',
  source: 'machine.md 5, Coherent; 6, Racy guests',
  exercisedBy: 'an access or guest-pa of a living coherent guest that no lack of host memory or host page killed',
  harms: 'guest',
  looksAt: ['fresh'],
  contract: 'kept',
  ofRacy: true,
  neverAlone:
    'while the model is sound, an outcome that differs from its fresh walk differs from its own; it alone sees what both sides serve stale',
  stages: ['access', 'guest-pa'],
  needs: COHERENT_STEPS.map((op) => [op]),
  situations: [
    {
      name: 'an access',
      stages: ['access'],
      dimensions: [PAGING, ACCESS, ADDRESSING, ANSWER],
      when: ({ config, guest }) => config.features === undefined && guest.history === undefined,
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
    {
      name: 'an access of a racy guest',
      stages: ['access'],
      dimensions: [PAGING, ANSWERED_FROM, ANSWERED],
      when: ({ guest }) => guest.history !== undefined && !guest.linear,
      isRare: true,
    },
    { name: 'the host asks', stages: ['guest-pa'], dimensions: [PAGING, ADDRESSING] },
  ],
  watch: stateless(({ model: { fresh }, subject, subjectKind, guest, step }) => {
    // The guest is dead, or was never created.
    if (fresh === undefined) return VACUOUS;
    if (guest.history !== undefined && step?.op === 'access' && !guest.linear)
      return whyNotAllowed(guest.history.answersTo(step), subject.outcome) ?? HELD;
    if (subjectKind === 'dead' || hasOwnInvariant(subjectKind)) return VACUOUS;
    if (subject.outcome.kind === 'killed' && isHostRefusal(subject.outcome)) return VACUOUS;
    return compareOutcomes(fresh, subject.outcome) ?? HELD;
  }),
};

/** Whether the answer comes from entries that a CPU could hold. */
const whyNotAllowed = (allowed: readonly AllowedAnswer[], actual: Outcome): Violation | undefined => {
  if (allowed.some(({ outcome }) => differenceOf(outcome, actual) === undefined)) return undefined;
  const expected = [...new Set(allowed.map(({ outcome }) => describe(outcome)))].join(' or ');
  const difference = `${actual.kind}, as no entry that can be cached has it`;
  return { kind: 'answer-not-cached', field: 'outcome', expected, actual: describe(actual), difference };
};
