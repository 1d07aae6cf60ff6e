/** What makes a process a worker: it tells that it lives, and does not outlive whoever started it. */

import { closeSync, openSync } from 'node:fs';
import type { Subject } from '../../properties/subjects/subject.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import { EXIT } from '../terminal/exit-codes.js';
import type { SignOfLife } from './crew.js';
import type { Results, Task, TaskKind, Workplace } from './tasks.js';
import { perform } from './tasks.js';

/** Milliseconds between two signs of life; sending one takes longer than a short program. */
const SIGN_EVERY = 100;
const STANDARD_ERROR = 2;

/** Makes this process a worker whose subjects have these names; answers what performs its tasks. */
export const becomeWorker = (subjectNamed: Workplace['subjectNamed']): ((task: Task) => Promise<Results[TaskKind]>) => {
  const log = process.argv[2];
  if (log !== undefined) writeErrorsTo(log);
  // Ctrl-C reaches every process of the terminal; the first of them decides what becomes of us.
  process.on('SIGINT', () => undefined);
  const leave = (): void => process.exit(EXIT.interrupted);
  process.on('SIGTERM', leave);
  process.on('disconnect', leave);
  const remembered = remembering(subjectNamed);
  return async (task) => await perform(task, workplaceOf(remembered));
};

/** A command that has been started serves all tasks. */
const remembering = (subjectNamed: Workplace['subjectNamed']): Workplace['subjectNamed'] => {
  const sides = new Map<string, Subject>();
  return (name, where, settings) => {
    const side = sides.get(name) ?? subjectNamed(name, where, settings);
    sides.set(name, side);
    return side;
  };
};

/** What the engine says when it gives up must not spoil the terminal. The lowest free number is that of the file just closed. */
const writeErrorsTo = (log: string): void => {
  closeSync(STANDARD_ERROR);
  openSync(log, 'a');
};

/** The surroundings of one task; the first sign of life comes at once. */
const workplaceOf = (subjectNamed: Workplace['subjectNamed']): Workplace => {
  const monotonic = (): number => performance.now();
  const eventLoop = new EventLoopYield(monotonic);
  let last = -Infinity;
  const sign = (message: SignOfLife): void => {
    if (monotonic() - last < SIGN_EVERY) return;
    last = monotonic();
    process.send!(message);
  };
  return {
    subjectNamed,
    monotonic,
    alive: () => {
      sign({});
      return eventLoop.pause();
    },
    begin: (program, surely) => {
      if (surely) return sent({ program });
      sign({ program });
      return eventLoop.pause();
    },
  };
};

const sent = (message: SignOfLife): Promise<void> =>
  new Promise((resolve) => {
    process.send!(message, undefined, undefined, () => resolve());
  });
