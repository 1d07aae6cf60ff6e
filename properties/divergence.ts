/** The first point at which the two machines, or a machine and an invariant, disagree. */

import type { Stage } from './invariants/moment.js';
import type { Violation } from './invariants/invariant.js';

/** Where in a program: at creation, at a step (from 0), after the last step, or at `destroy`. */
export type ProgramPlace =
  | { readonly kind: 'create' }
  | { readonly kind: 'step'; readonly index: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'destroy' };

/** Behind all programs of a process comes the end of its input. */
export type Place = ProgramPlace | { readonly kind: 'end-of-input' };

/** How a subject outside the process failed to answer (formats.md, Subject protocol). */
export const SUBJECT_FAILURES = ['subject-crash', 'subject-timeout', 'subject-garbage'] as const;
export type SubjectFailure = (typeof SUBJECT_FAILURES)[number];

/** The rule that a subject breaks by failing, reported like an invariant. */
export const SUBJECT_RULE = {
  statement: 'A subject answers every program with a trace, and in time.',
  source: 'formats.md, Subject protocol',
  harms: 'host',
} as const;

export const isSubjectFailure = (invariant: string): boolean => SUBJECT_FAILURES.some((each) => each === invariant);

/** What a finding is named after if a program that was screened (screening.ts) shows a difference and full judgement none. */
export const SCREEN_DISAGREES = 'screen-disagrees';

/** The rule that such a finding breaks, reported like an invariant. */
export const SCREEN_RULE = {
  statement: 'A difference that screening sees breaks an invariant when the program is judged in full.',
  source: 'properties/screening.ts',
  harms: 'guest',
} as const;

/** The rule behind a finding that is named after no invariant. */
export const ruleBeside = (name: string): typeof SUBJECT_RULE | typeof SCREEN_RULE =>
  name === SCREEN_DISAGREES ? SCREEN_RULE : SUBJECT_RULE;

/** `kind` and `location` are known of a divergence that was just seen; counterexample files do not record them. */
export interface Divergence extends Omit<Violation, 'kind'>, Partial<Pick<Violation, 'kind'>> {
  /** The invariant that the finding is named after, or how the subject failed. */
  readonly invariant: string;
  /** Other invariants that broke at the same moment. */
  readonly alsoBroken: readonly string[];
  readonly place: Place;
  readonly stage: Stage | 'end-of-input';
  /** Of a subject that crashed: the end of its standard error, at most `MOST_STANDARD_ERROR` UTF-16 units. */
  readonly standardError?: string;
  /** Of a subject that failed: a busy machine may be to blame, or what killed its process from outside. Not stored. */
  readonly mayBeChance?: boolean;
}

export const MOST_STANDARD_ERROR = 64 * 1024;

/** What makes two findings the same: invariant, kind of step and class of difference, never an address. */
export const signatureOf = ({ invariant, stage, difference }: Divergence): string =>
  `${invariant} | ${stage} | ${difference}`;

export const samePlace = (one: Place, other: Place): boolean =>
  one.kind === other.kind && (one.kind !== 'step' || other.kind !== 'step' || one.index === other.index);

export const describePlace = (place: Place): string => {
  if (place.kind === 'end-of-input') return 'the end of input';
  return place.kind === 'step' ? `step ${place.index}` : place.kind;
};
