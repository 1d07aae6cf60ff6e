/** A lock file: while it exists, a command is changing the file beside it. */

import { open, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadInput } from '../../../properties/formats/index.js';

/** Milliseconds between two attempts, and the number of attempts. A change takes a few milliseconds. */
const PAUSE = 20;
const MOST_LOOKS = 500;

/**
 * Does the work while no other command that takes this lock changes the file at `path`. Throws `BadInput` if no lock can be made there, or if
 * one stays, because its owner was killed.
 */
export const withLock = async (path: string, work: () => Promise<void>, looks = MOST_LOOKS): Promise<void> => {
  const lock = `${path}.lock`;
  for (let look = 0; !(await made(lock, path)); look++) {
    if (look >= looks)
      throw new BadInput(lock, `another command is changing ${path}; wait, or delete this file if none is running`);
    await sleep(PAUSE);
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
};

/** Whether we made it: the system lets one alone do so. */
const made = async (lock: string, path: string): Promise<boolean> => {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new BadInput(path, `cannot be changed: ${message}; free space or name another --known`);
  }
};
