/** All that the command line takes from the process it runs in, so that a test can give it something else. */

import type { Readable, Writable } from 'node:stream';
import type { subjectNamed } from '../../properties/subjects/subject-names.js';
import type { Crew, CrewOptions } from '../campaign/crew.js';

/** Where text goes: a terminal says so, and how wide it is. */
export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Surroundings {
  /** A function, because a process that never reads its input must not open it. */
  readonly stdin: () => Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Nobody reads standard output any more; what is written there is lost. */
  readonly unread: () => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since whenever; never goes back. */
  readonly monotonic: () => number;
  readonly today: () => Date;
  /** A short name for a campaign that nobody has named. */
  readonly freshSeed: () => string;
  /** Who stands behind the name of a subject; left out, those of the registry. */
  readonly subjectNamed?: typeof subjectNamed;
  /** Hires the workers of a run. */
  readonly crew: (options: CrewOptions) => Crew | Promise<Crew>;
  /**
   * Calls the listener once, when somebody wants the command to end or nobody reads its output any more; answers how to take
   * the listener back. Without any listener an interruption ends the process.
   */
  onInterrupt(listener: () => void): () => void;
}
