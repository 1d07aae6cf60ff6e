/** Paths that are not what a command expects: each is refused in words, and nothing but a bug of ours ends with 4. */

import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { capturedCall } from '../../test-support/captured-call.js';

const start = process.cwd();
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shadowdiff-odd-'));
  process.chdir(directory);
  await mkdir('directory');
  await writeFile('zero', '');
  await writeFile('binary', Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
  await symlink('loop', 'loop');
  await symlink('nowhere', 'dangling');
});
afterAll(async () => {
  process.chdir(start);
  await rm(directory, { recursive: true });
});

const PATHS = ['directory', 'zero', 'zero/', 'zero/x', 'binary', 'loop', 'dangling', 'x'.repeat(300), '/dev/full'];
const READERS = [
  'replay',
  'explain',
  'shrink',
  'trace',
  'regress',
  'report',
  'trend',
  'corpus add',
  'merge --out merged',
  'nightly --resume',
  'known list --known',
  'known remove x --known',
  'corpus list --corpus',
  'corpus stats --corpus',
  'corpus prune --corpus',
  'defects findings --corpus',
  'coverage --matrix',
  'fuzz --programs 1 --known',
  'fuzz --programs 1 --subject',
];
/** They accept an empty directory, or one that is not there. */
const ACCEPTED = new Set([
  'corpus list --corpus directory',
  'corpus stats --corpus directory',
  'corpus prune --corpus directory',
  'defects findings --corpus directory',
]);

/** A code of the system, such as ENOTDIR, or a line of a stack. */
const RAW = /\bE(?!FER\b)[A-Z]{3,}\b|^ {4}at /m;

test.each(READERS)('%s', async (command) => {
  for (const path of PATHS) {
    const { code, out, err } = await capturedCall([...command.split(' '), path]);
    const called = `${command} ${path}`;
    expect({ called, code }).toEqual({ called, code: ACCEPTED.has(called) ? 0 : 2 });
    expect(out + err).not.toMatch(RAW);
    expect(out + err).not.toBe('');
  }
});

test.each(['fuzz --programs 1 --out', 'fuzz --programs 1 --corpus', 'nightly --programs 1 --out', 'coverage --out'])(
  '%s a path that cannot be a directory',
  async (command) => {
    for (const path of ['zero', 'zero/x', 'binary', 'loop', 'loop/x', 'x'.repeat(300), '/dev/full']) {
      const { code, out, err } = await capturedCall([...command.split(' '), path]);
      const called = `${command} ${path}`;
      expect({ called, code, out }).toEqual({ called, code: 2, out: '' });
      expect(err).not.toMatch(RAW);
    }
  },
);
