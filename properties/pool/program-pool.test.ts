import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_PROGRAM_OPTIONS } from '../generators/index.js';
import { programsOf } from '../campaign/programs.js';
import { readPrograms, saveProgram, programsDirectory } from './program-pool.js';

const { program } = programsOf({ campaign: 'program files', ...DEFAULT_PROGRAM_OPTIONS })(0).value;

let corpus: string;
beforeEach(async () => {
  corpus = await mkdtemp(join(tmpdir(), 'program-pool-'));
});
afterEach(() => rm(corpus, { recursive: true, force: true }));

test('a program is read as it was saved, and a corpus without a pool has none', async () => {
  expect(await readPrograms(corpus)).toEqual([]);
  await saveProgram(corpus, program);
  expect((await readPrograms(corpus)).map((each) => each.program)).toEqual([program]);
});

test('an existing file is left alone', async () => {
  await saveProgram(corpus, program);
  const [{ path }] = await readPrograms(corpus);
  await utimes(path, 1, 1);
  await saveProgram(corpus, program);
  expect((await stat(path)).mtimeMs).toBe(1000);
});

test('a pool that can be neither read nor written is refused', async () => {
  await writeFile(programsDirectory(corpus), '');
  await expect(readPrograms(corpus)).rejects.toThrow(/programs: this is a file; it must be a directory/);
  await expect(saveProgram(corpus, program)).rejects.toThrow(/cannot be written/);
});
