/** One process works at a time, and a dead one holds up none. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { capturing } from '../../test-support/captured-call.js';
import { withLock } from './lock.js';
import { Session } from './session.js';

const at = directoryForEachTest();

const path = (): string => at('run.lock');

/** Returns what was complained about. */
const locked = async (
  work: () => Promise<void> = () => Promise.resolve(),
  place = path(),
  patience = 300,
): Promise<string> => {
  const { surroundings, stderr } = capturing();
  await withLock(place, { patience, refusal: 'is in use; wait' }, new Session(surroundings), work);
  return stderr.text;
};

/** Runs a script that locks the file and holds on to it, in a process of its own. */
const otherHolder = async (): Promise<ChildProcess> => {
  const other = spawn('flock', ['--no-fork', path(), 'sh', '-c', 'echo; exec sleep 60']);
  await once(other.stdout, 'data');
  return other;
};

test('a lock has one holder, and is free again after the work or its failure', async () => {
  const never = (): Promise<void> => Promise.reject(new Error('worked all the same'));
  const failing = locked(async () => {
    await expect(locked(never)).rejects.toThrow(/run\.lock: is in use; wait$/);
    throw new Error('failed');
  });
  await expect(failing).rejects.toThrow('failed');
  expect(await locked()).toBe('');
});

test('those that want a lock wait for their turn', async () => {
  let working = 0;
  const work = async (): Promise<void> => {
    expect(++working).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    working--;
  };
  await Promise.all(Array.from({ length: 10 }, () => locked(work, path(), 60_000)));
});

test('a process that was killed holds no lock', async () => {
  const other = await otherHolder();
  await expect(locked()).rejects.toThrow('in use');
  other.kill('SIGKILL');
  expect(await locked()).toBe('');
});

test('the lock on a directory leaves nothing in it', async () => {
  const place = `${at()}/`;
  await locked(() => expect(locked(undefined, place)).rejects.toThrow('in use'), place);
  expect(await readdir(at())).toEqual([]);
});

test('where nothing can be locked, the work is done with a warning', async () => {
  let done = 0;
  const complaint = await locked(() => Promise.resolve(void done++), at('none', 'run.lock'));
  expect([done, complaint]).toEqual([1, expect.stringMatching(/run\.lock: cannot be locked: .*No such file/)]);
  const before = process.env['PATH'];
  process.env['PATH'] = at();
  const withoutCommand = await locked(() => Promise.resolve(void done++)).finally(() => (process.env['PATH'] = before));
  expect([done, withoutCommand]).toEqual([2, expect.stringContaining('flock: no such file or directory')]);
  await locked(undefined, at('missing/'));
  expect(await readdir(at())).toEqual([]);
});
