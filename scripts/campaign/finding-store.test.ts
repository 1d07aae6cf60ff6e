import { readFile, readdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { sampleFinding } from '../../test-support/sample-finding.js';
import { init, machineOf, newPgtable } from '../../test-support/steps.js';
import { storeFinding } from './finding-store.js';
import { checkDirectory, makeResultDirectory } from '../terminal/result-directory.js';

const at = directoryForEachTest();

const ENTRY = sampleFinding({ program: { machine: machineOf(), steps: [init(), newPgtable(0)] } });

test('a finding makes its directory', async () => {
  const stored = await storeFinding(at('a', 'b'), ENTRY);
  expect('problem' in stored).toBe(false);
  expect(await readdir(at('a', 'b'))).toHaveLength(1);
});

test('an entry that somebody has worked on stays as it is', async () => {
  const first = await storeFinding(at(), { ...ENTRY, status: 'fixed', note: 'mended in slot.ts' });
  const again = await storeFinding(at(), ENTRY);
  expect(again).toEqual(first);
  expect(again).toMatchObject({ status: 'fixed', note: 'mended in slot.ts' });
});

test('a broken file in its place is replaced', async () => {
  const first = await storeFinding(at(), ENTRY);
  if ('problem' in first) throw new Error('not stored');
  await writeFile(first.file, '{');
  expect(await storeFinding(at(), ENTRY)).toEqual(first);
  expect(await readFile(first.file, 'utf8')).toContain('translation');
});

test('what cannot be stored is told', async () => {
  await writeFile(at('file'), '');
  const stored = await storeFinding(at('file'), ENTRY);
  expect('problem' in stored).toBe(true);
});

test('a directory is checked without being made', async () => {
  await checkDirectory('--corpus', at('a', 'b'));
  expect(await readdir(at())).toEqual([]);
  await writeFile(at('file'), '');
  await expect(checkDirectory('--corpus', at('file'))).rejects.toThrow('this is a file');
  await expect(checkDirectory('--corpus', at('file', 'a'))).rejects.toThrow('this is a file');
});

test('places where nothing can be made are refused, and soon', async () => {
  await expect(makeResultDirectory('--out', '/proc/no-such-place/out')).rejects.toThrow(
    '--out: /proc/no-such-place/out',
  );
});
