/** What makes a process a worker: it reports that it is alive, and does not outlive the process that started it. */

import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadInput } from '../../properties/formats/index.js';
import { blamedOnModules } from '../../properties/subjects/module-subject.js';
import type { subjectNamed } from '../../properties/subjects/subject-names.js';
import { divertOutput } from '../terminal/diverted-output.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import { EXIT } from '../terminal/exit-codes.js';
import type { Results, Task, TaskKind, Workplace } from './tasks.js';
import { Subjects, perform } from './tasks.js';
import type { SignOfLife } from './worker-pool.js';

/** Milliseconds between two signs of life; sending one takes longer than a short program. */
const SIGN_EVERY = 100;
const STANDARD_ERROR = 2;
/** The most UTF-16 units in the log of what a module prints in one worker. */
const MOST_PRINTED = 2 ** 20;

/** Makes this process a worker and returns what performs its tasks. */
export const becomeWorker = (named: typeof subjectNamed): ((task: Task) => Promise<Results[TaskKind]>) => {
  const log = process.argv[2];
  if (log !== undefined) writeErrorsTo(log);
  divertOutput(MOST_PRINTED);
  // Ctrl-C reaches every process of the terminal; the one that started us decides when we end.
  process.on('SIGINT', () => undefined);
  const leave = (): void => process.exit(EXIT.interrupted);
  process.on('SIGTERM', leave);
  process.on('disconnect', leave);
  let outside: BadInput | undefined;
  const crash = (error: unknown): void => {
    const blamed = blamedOnModules(error);
    if (blamed instanceof BadInput) {
      outside = blamed;
      return;
    }
    console.error(error);
    process.exit(EXIT.internal);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const subjects = new Subjects(named);
  return async (task) => {
    const result = await perform(task, workplaceOf(subjects));
    // What a module left behind, such as a timer, belongs to the task.
    await sleep(1);
    if (outside !== undefined) throw outside;
    return result;
  };
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
    alive: (late) => {
      if (late !== undefined) return sent({ late });
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
