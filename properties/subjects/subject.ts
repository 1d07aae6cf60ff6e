/** The two kinds of machines that can be compared: in this process, or outside it. */

import type { Machine, Program, Trace } from '../../model/vocabulary/index.js';
import type { Divergence, Place, SubjectFailure } from '../divergence.js';
import type { Capabilities } from './capabilities.js';
import { capabilitiesOfMachine } from './capabilities.js';

/** A machine in this process: it runs in lockstep, and may have a shadow view for invariants. */
export interface InProcessSubject {
  readonly kind: 'in-process';
  readonly name: string;
  /**
   * Loads it; the first call does the work. Throws `BadInput` if it cannot be used. Left out: there is nothing to load, it takes every
   * program, and it shows what its machines show.
   */
  readonly start?: () => Promise<Capabilities>;
  /** Only after `start`. */
  readonly create: () => Machine;
}

/** What a subject answered to a program. */
export type Answer = { readonly kind: 'trace'; readonly trace: Trace } | FailedAnswer;

export interface FailedAnswer {
  readonly kind: 'failed';
  readonly failure: SubjectFailure;
  /** A clause. */
  readonly detail: string;
  /** What it did, as a verb phrase for the signature, so without addresses; left out: it did not answer. */
  readonly did?: string;
  /** Where in the program, if that is known. */
  readonly at?: { readonly place: Place; readonly stage: Divergence['stage'] } | undefined;
  /** The end of its standard error, if it is a process that wrote there. */
  readonly standardError?: string;
  /** A busy machine may be to blame, or what killed the process from outside. */
  readonly mayBeChance?: boolean;
}

/** How a process failed at the end of its input, and the last programs that it had answered. */
export interface FailedEnd {
  readonly answer: FailedAnswer;
  readonly seen: readonly Program[];
}

export const failedAnswer = (failure: SubjectFailure, detail: string): FailedAnswer => ({
  kind: 'failed',
  failure,
  detail,
});

/** A machine outside this process: it answers whole programs (formats.md, Subject protocol). */
export interface ExternalSubject {
  readonly kind: 'external';
  readonly name: string;
  /** What it can do. Starts it if that is not known yet; throws `BadInput` if it does not come to its first answer. */
  start(): Promise<Capabilities>;
  answer(program: Program): Promise<Answer>;
  /** What the process that was asked this program last had answered before it, at most `MOST_BEFORE` programs. Left out: nothing. */
  seenBefore?(program: Program): readonly Program[];
  /** Stops it. It may be started again. Returns how it failed at the end of its input, if it did. */
  close(): Promise<FailedEnd | undefined>;
}

export type Subject = InProcessSubject | ExternalSubject;

/** The same subject, but for some of its methods. */
export const withMethods = (side: ExternalSubject, methods: Partial<ExternalSubject>): ExternalSubject => ({
  kind: side.kind,
  name: side.name,
  start: () => side.start(),
  answer: (program) => side.answer(program),
  seenBefore: (program) => side.seenBefore?.(program) ?? [],
  close: () => side.close(),
  ...methods,
});

/** What a subject can do and show. It is started for that; throws `BadInput` if that fails. */
export const capabilitiesOf = async (subject: Subject): Promise<Capabilities> => {
  if (subject.kind === 'external') return await subject.start();
  return (await subject.start?.()) ?? capabilitiesOfMachine(subject.name, subject.create());
};
