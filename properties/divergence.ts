/** The first point at which the two sides, or a side and an invariant, part. */

import type { Stage } from './invariants/invariant.js';

/** Where in a program: at creation, at a step (from 0), after the last step, or at `destroy`. */
export type Place =
  | { readonly kind: 'create' }
  | { readonly kind: 'step'; readonly index: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'destroy' };

/** How a subject outside the process failed to answer (formats.md, Subject protocol). */
export const SUBJECT_FAILURES = ['subject-crash', 'subject-timeout', 'subject-garbage'] as const;
export type SubjectFailure = (typeof SUBJECT_FAILURES)[number];

export interface Divergence {
  /** The invariant that the finding is named after, or how the subject failed. */
  readonly invariant: string;
  /** Other invariants that broke at the same moment. */
  readonly alsoBroken: readonly string[];
  readonly place: Place;
  readonly stage: Stage;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** Free of addresses, pages and counts. */
  readonly difference: string;
}

/** What makes two findings the same: invariant, kind of step and class of difference, never an address. */
export const signatureOf = ({ invariant, stage, difference }: Divergence): string =>
  `${invariant} | ${stage} | ${difference}`;

export const describePlace = (place: Place): string => (place.kind === 'step' ? `step ${place.index}` : place.kind);
