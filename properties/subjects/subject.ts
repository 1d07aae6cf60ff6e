/** The two kinds of machines that can be compared: in this process, or outside it. */

import type { Machine, Program, Trace } from '../../model/vocabulary/index.js';
import type { SubjectFailure } from '../divergence.js';

/** A machine in this process: it runs in lockstep, and may have a shadow view for invariants. */
export interface InProcessSubject {
  readonly kind: 'in-process';
  readonly name: string;
  readonly create: () => Machine;
}

/** What an external subject answered to a program. */
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
  /** Stops it. It may be started again. */
  close(): Promise<void>;
}

export type Subject = InProcessSubject | ExternalSubject;
