/**
 * The pool of a guided campaign: interesting programs to start from, and where the corpus keeps them (`programs/` beside the
 * counterexamples, one file a program, named by its hash). A pool is frozen while a campaign runs, because shards cannot share
 * what they have reached; its identity is part of the campaign's.
 */

import { createHash } from 'node:crypto';
import { access, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { BadInput, formatProgram, parseProgram, programHash, whyFailed } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import { makeDirectory, readTextFile, refuseLink } from '../corpus/store.js';

/** The most programs that a corpus keeps, by default and at the option's upper limit. */
export const DEFAULT_POOL_SIZE = 200;
export const LARGEST_POOL_SIZE = 10_000;

/** Enough to distinguish pools, short enough to read. */
const IDENTITY_DIGITS = 16;

export interface ProgramPool {
  /** In the order of their JSON, without duplicates. */
  readonly members: readonly Program[];
  /** The first 16 hex digits of the SHA-256 of the members, one a line. Equal pools have equal identities. */
  readonly identity: string;
}

/** Which pool a campaign draws on, and how much. */
export interface Guidance {
  readonly pool: ProgramPool;
  /** The share of programs that are made from the pool, 0 … 1. */
  readonly share: number;
  /** Indexes of members that every other parent is picked from; left out or empty: all are picked alike. */
  readonly favoured?: readonly number[] | undefined;
}

/** The pool of these programs, whatever their order. */
export const poolOf = (programs: readonly Program[]): ProgramPool => {
  const byForm = new Map(programs.map((program) => [formatProgram(program), program]));
  const forms = [...byForm.keys()].toSorted();
  const hash = createHash('sha256');
  for (const form of forms) hash.update(`${form}\n`);
  return { members: forms.map((form) => byForm.get(form)!), identity: hash.digest('hex').slice(0, IDENTITY_DIGITS) };
};

export interface StoredProgram {
  readonly path: string;
  readonly program: Program;
}

export const programsDirectory = (corpus: string): string => join(corpus, 'programs');

const nameOf = (program: Program): string => `${programHash(program)}.json`;

/** Every program of a corpus's pool, by name; empty if the corpus has no pool yet. Throws `BadInput` for an unreadable file. */
export const readPrograms = async (corpus: string): Promise<readonly StoredProgram[]> => {
  const directory = programsDirectory(corpus);
  const programs: StoredProgram[] = [];
  // One after the other: a process may not open thousands of files at once.
  for (const name of await listPrograms(directory)) programs.push(await readProgram(join(directory, name)));
  return programs;
};

const listPrograms = async (directory: string): Promise<readonly string[]> => {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new BadInput(
      directory,
      `${code === 'ENOTDIR' ? 'this is a file' : whyFailed(error)}; it must be a directory of programs`,
    );
  }
};

const readProgram = async (path: string): Promise<StoredProgram> => {
  const program = parseProgram(await readTextFile(path), path);
  const name = nameOf(program);
  if (name === basename(path)) return { path, program };
  throw new BadInput(path, `its content belongs in "${name}"; undo the edit, or rename the file`);
};

/** Writes a program's file atomically; an existing one is left alone. Throws `BadInput` if it cannot be written. */
export const saveProgram = async (corpus: string, program: Program): Promise<void> => {
  const directory = programsDirectory(corpus);
  const path = join(directory, nameOf(program));
  await refuseLink(directory);
  try {
    await makeDirectory(directory);
    if (!(await exists(path))) await writeFileAtomic(path, `${formatProgram(program)}\n`);
  } catch (error) {
    throw new BadInput(path, `cannot be written: ${whyFailed(error)}; free space or name another --corpus`);
  }
};

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
