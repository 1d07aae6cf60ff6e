import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SMALLEST_MACHINE, sampleFinding } from '../../test-support/sample-finding.js';
import { init, newPgtable } from '../../test-support/steps.js';
import { storeFinding } from './finding-store.js';
import { checkDirectory, makeResultDirectory } from '../terminal/result-directory.js';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'finding-store-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const ENTRY = sampleFinding({ program: { machine: SMALLEST_MACHINE, steps: [init(), newPgtable(0)] } });

test('a finding makes its directory', async () => {
  const stored = await storeFinding(join(directory, 'a', 'b'), ENTRY);
  expect('problem' in stored).toBe(false);
  expect(await readdir(join(directory, 'a', 'b'))).toHaveLength(1);
});

test('an entry that somebody has worked on stays as it is', async () => {
  const first = await storeFinding(directory, { ...ENTRY, status: 'fixed', note: 'mended in slot.ts' });
  const again = await storeFinding(directory, ENTRY);
  expect(again).toEqual(first);
  expect(again).toMatchObject({ status: 'fixed', note: 'mended in slot.ts' });
});

test('a broken file in its place is replaced', async () => {
  const first = await storeFinding(directory, ENTRY);
  if ('problem' in first) throw new Error('not stored');
  await writeFile(first.file, '{');
  expect(await storeFinding(directory, ENTRY)).toEqual(first);
  expect(await readFile(first.file, 'utf8')).toContain('translation');
});

test('what cannot be stored is told', async () => {
  await writeFile(join(directory, 'file'), '');
  const stored = await storeFinding(join(directory, 'file'), ENTRY);
  expect('problem' in stored).toBe(true);
});

test('a directory is checked without being made', async () => {
  await checkDirectory('--corpus', join(directory, 'a', 'b'));
  expect(await readdir(directory)).toEqual([]);
  await writeFile(join(directory, 'file'), '');
  await expect(checkDirectory('--corpus', join(directory, 'file'))).rejects.toThrow('this is a file');
  await expect(checkDirectory('--corpus', join(directory, 'file', 'a'))).rejects.toThrow('this is a file');
});

test('places where nothing can be made are refused, and soon', async () => {
  await expect(makeResultDirectory('--out', '/proc/no-such-place/out')).rejects.toThrow(
    '--out: /proc/no-such-place/out',
  );
});
