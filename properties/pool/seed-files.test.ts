import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_PROGRAM_OPTIONS } from '../generators/index.js';
import { programsOf } from '../explore.js';
import { readSeeds, saveSeed, seedsOf } from './seed-files.js';

const { program } = programsOf('seed files', DEFAULT_PROGRAM_OPTIONS)(0).value;

let corpus: string;
beforeEach(async () => {
  corpus = await mkdtemp(join(tmpdir(), 'seed-files-'));
});
afterEach(() => rm(corpus, { recursive: true, force: true }));

test('a seed is read as it was saved, and none is no seed', async () => {
  expect(await readSeeds(corpus)).toEqual([]);
  await saveSeed(corpus, program);
  expect((await readSeeds(corpus)).map((each) => each.program)).toEqual([program]);
});

test('a seed that is there is left alone', async () => {
  await saveSeed(corpus, program);
  const [{ path }] = await readSeeds(corpus);
  await utimes(path, 1, 1);
  await saveSeed(corpus, program);
  expect((await stat(path)).mtimeMs).toBe(1000);
});

test('where no seed can be read or saved is told', async () => {
  await writeFile(seedsOf(corpus), '');
  await expect(readSeeds(corpus)).rejects.toThrow(/seeds: this is a file; it must be a directory/);
  await expect(saveSeed(corpus, program)).rejects.toThrow(/cannot be written/);
});
