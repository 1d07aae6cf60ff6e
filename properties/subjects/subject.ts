/** The two ways in which a machine can stand on either side. */

import type { Machine, Program, Trace } from '../../model/vocabulary/index.js';
import type { SubjectFailure } from '../divergence.js';

/** A machine of this process: it is stepped in lockstep, and may let invariants look inside. */
export interface InProcessSubject {
  readonly kind: 'in-process';
  readonly name: string;
  readonly create: () => Machine;
}

/** What a program outside this process made of a program. */
export type Answer =
  | { readonly kind: 'trace'; readonly trace: Trace }
  | { readonly kind: 'failed'; readonly failure: SubjectFailure; readonly detail: string };

/** A machine outside this process: it answers whole programs (formats.md, Subject protocol). */
export interface ExternalSubject {
  readonly kind: 'external';
  readonly name: string;
  /** Starts it, or throws `BadInput` if it cannot be started. */
  start(): Promise<void>;
  answer(program: Program): Promise<Answer>;
  /** Ends it. It may be started again. */
  close(): Promise<void>;
}

export type Subject = InProcessSubject | ExternalSubject;
