/** All that the command line takes from the process it runs in, so that a test can give it something else. */

import type { Readable, Writable } from 'node:stream';
import type { Failure } from '../../properties/campaign/events.js';
import type { subjectNamed } from '../../properties/subjects/subject-names.js';

/** Where text goes; a terminal has a size, which is zero if it does not know it. */
export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Surroundings {
  /** A function, because a process that never reads its input must not open it. */
  readonly stdin: () => Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The reader of standard output is gone; what is written there is lost. */
  readonly unread: () => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since some moment; never goes back. */
  readonly monotonic: () => number;
  readonly today: () => Date;
  /** A short name for a campaign without a --seed. */
  readonly freshSeed: () => string;
  /** Resolves the names of subjects; left out: the registry does. */
  readonly subjectNamed?: typeof subjectNamed;
  /** Starts the worker processes of a run. */
  readonly workers: (options: WorkerOptions) => WorkerPool | Promise<WorkerPool>;
  /**
   * Calls the listener once, when the command should end: on a signal, or when the reader of its output is gone. Returns how to
   * unsubscribe. Without any listener an interruption ends the process.
   */
  onInterrupt(listener: () => void): () => void;
}

export interface WorkerOptions {
  readonly jobs: number;
  /** A file for the workers' standard error, which stays if it is not empty; undefined for none that stays. */
  readonly log: string | undefined;
}

/** Runs tasks, which are plain data, in workers. */
export interface WorkerPool {
  /**
   * Has a worker do a task; at most as many tasks at a time as there are workers. `patience`: milliseconds without a sign of life after
   * which a worker counts as hung. `onSteps`: called now and then with the steps of the program that is being shrunk. Throws `BadInput` if
   * the worker did.
   */
  run(task: unknown, patience: number, signal: AbortSignal, onSteps?: (steps: number) => void): Promise<Outcome>;
  /** Ends all workers. */
  end(): Promise<void>;
}

/** How a task ended. */
export type Outcome<Result = unknown> =
  | { readonly kind: 'done'; readonly result: Result }
  /** The worker failed at the task, and another one has replaced it. `program`: the last one that it reported to begin. */
  | { readonly kind: 'failed'; readonly how: Failure; readonly detail: string; readonly program: number | undefined }
  /** Something outside ended the worker, or it never began: that shows nothing about the task. */
  | { readonly kind: 'killed' }
  | { readonly kind: 'aborted' };
