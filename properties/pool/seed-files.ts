/** The seed pool on disk: `seeds/` beside the counterexamples, a program a file, named by its hash. */

import { access, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { BadInput, formatProgram, parseProgram, programHash } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import { makeDirectory } from '../corpus/make-directory.js';
import { readTextFile } from '../corpus/store.js';

/** The largest pool that a run makes, unless an option says otherwise. */
export const DEFAULT_MOST_SEEDS = 200;

export interface StoredSeed {
  readonly path: string;
  readonly program: Program;
}

export const seedsOf = (corpus: string): string => join(corpus, 'seeds');

const nameOf = (program: Program): string => `${programHash(program)}.json`;

/** Every seed of a corpus, by name; none if it has no seeds yet. Throws `BadInput` for a file that is none. */
export const readSeeds = async (corpus: string): Promise<readonly StoredSeed[]> => {
  const directory = seedsOf(corpus);
  const seeds: StoredSeed[] = [];
  // One after the other: a process may not open thousands of files at once.
  for (const name of await listSeeds(directory)) seeds.push(await readSeed(join(directory, name)));
  return seeds;
};

const listSeeds = async (directory: string): Promise<readonly string[]> => {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).toSorted();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new BadInput(
      directory,
      `${code === 'ENOTDIR' ? 'this is a file' : message}; it must be a directory of programs`,
    );
  }
};

const readSeed = async (path: string): Promise<StoredSeed> => {
  const program = parseProgram(await readTextFile(path), path);
  const name = nameOf(program);
  if (name === basename(path)) return { path, program };
  throw new BadInput(path, `its content belongs in "${name}"; undo the edit, or rename the file`);
};

/** Saves a seed, whole or not at all; one that is there stays as it is. Throws `BadInput` if that cannot be done. */
export const saveSeed = async (corpus: string, program: Program): Promise<void> => {
  const directory = seedsOf(corpus);
  const path = join(directory, nameOf(program));
  try {
    await makeDirectory(directory);
    if (!(await isThere(path))) await writeFileAtomic(path, `${formatProgram(program)}\n`);
  } catch (error) {
    throw new BadInput(path, `cannot be written: ${(error as Error).message}; free space or name another --corpus`);
  }
};

const isThere = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
