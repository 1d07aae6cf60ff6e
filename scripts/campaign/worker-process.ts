/** What makes a process a worker: it reports that it is alive, and does not outlive the process that started it. */

import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import type { subjectNamed } from '../../properties/subjects/subject-names.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import { EXIT } from '../terminal/exit-codes.js';
import type { Results, Task, TaskKind, Workplace } from './tasks.js';
import { Subjects, perform } from './tasks.js';
import type { SignOfLife } from './worker-pool.js';

/** Milliseconds between two signs of life; sending one takes longer than a short program. */
const SIGN_EVERY = 100;
const STANDARD_ERROR = 2;

/** Makes this process a worker and returns what performs its tasks. */
export const becomeWorker = (named: typeof subjectNamed): ((task: Task) => Promise<Results[TaskKind]>) => {
  const log = process.argv[2];
  if (log !== undefined) writeErrorsTo(log);
  // Ctrl-C reaches every process of the terminal; the one that started us decides when we end.
  process.on('SIGINT', () => undefined);
  const leave = (): void => process.exit(EXIT.interrupted);
  process.on('SIGTERM', leave);
  process.on('disconnect', leave);
  const crash = (error: unknown): void => {
    console.error(error);
    process.exit(EXIT.internal);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const subjects = new Subjects(named);
  return async (task) => await perform(task, workplaceOf(subjects));
};

/**
 * What V8 prints before it aborts must not reach the terminal. The new file takes the lowest free number, the one just closed. It is lost where no
 * file can be written, such as in a directory for temporary files that does not exist.
 */
const writeErrorsTo = (log: string): void => {
  closeSync(STANDARD_ERROR);
  try {
    openSync(log, 'a');
  } catch {
    openSync(devNull, 'a');
  }
};

/** The workplace of one task; the first sign of life is sent at once. */
const workplaceOf = (subjects: Subjects): Workplace => {
  const monotonic = (): number => performance.now();
  const eventLoop = new EventLoopYield(monotonic);
  let last = -Infinity;
  const sign = (message: SignOfLife): void => {
    if (monotonic() - last < SIGN_EVERY) return;
    last = monotonic();
    process.send!(message);
  };
  return {
    isWatched: true,
    subjects,
    monotonic,
    alive: () => {
      sign({});
      return eventLoop.pause();
    },
    shrunkTo: (steps) => sign({ steps }),
    begin: (program, careful) => {
      if (careful) return sent({ program });
      sign({ program });
      return eventLoop.pause();
    },
  };
};

const sent = (message: SignOfLife): Promise<void> =>
  new Promise((resolve) => {
    process.send!(message, undefined, undefined, () => resolve());
  });
