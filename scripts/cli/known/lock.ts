/** A file beside another one that says: somebody changes it just now. */

import { open, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadInput } from '../../../properties/formats/index.js';

/** Milliseconds between two looks whether the other one is done, and how many looks: a change takes a few of them. */
const PAUSE = 20;
const MOST_LOOKS = 500;

/**
 * Does the work while nobody else who asks here changes the file at `path`. Throws `BadInput` if no lock can be made there, or if
 * one stays, because its owner was killed.
 */
export const withLock = async (path: string, work: () => Promise<void>, looks = MOST_LOOKS): Promise<void> => {
  const lock = `${path}.lock`;
  for (let look = 0; !(await made(lock, path)); look++) {
    if (look >= looks) throw new BadInput(lock, `somebody changes ${path}; wait, or delete this file if nobody does`);
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
