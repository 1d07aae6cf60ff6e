/** A corpus on disk: a directory of counterexamples, one file each. */

import { createReadStream, existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BadInput } from '../formats/index.js';
import type { Finding } from '../finding.js';
import { fileNameOf, formatCounterexample, parseCounterexample } from './counterexample.js';
import { makeDirectory } from './make-directory.js';

/** A larger file is none of ours: the longest program that fits the formats stays far below. */
const LARGEST_FILE = 16 * 2 ** 20;

/** A file of the corpus: its entry, or why it has none. */
export type Stored =
  | { readonly kind: 'entry'; readonly path: string; readonly entry: Finding }
  | { readonly kind: 'unreadable'; readonly path: string; readonly problem: string };
export type StoredEntry = Extract<Stored, { readonly kind: 'entry' }>;

/** Reads a text file. Throws `BadInput` for one that is missing, a directory, empty of rights, or too large. */
export const readTextFile = async (path: string): Promise<string> => {
  try {
    const file = await stat(path);
    if (!file.isFile() && !file.isDirectory()) return await readPipe(path);
    refuseLarge(path, file.size, String(file.size));
    return await readFile(path, 'utf8');
  } catch (error) {
    throw error instanceof BadInput ? error : new BadInput(path, whyUnreadable(error));
  }
};

/** A pipe or a device, such as the shell's `<(…)`: it does not say its size, and may never end. */
const readPipe = async (path: string): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: LARGEST_FILE })) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  refuseLarge(path, whole.length, `more than ${LARGEST_FILE}`);
  return whole.toString('utf8');
};

const refuseLarge = (path: string, size: number, told: string): void => {
  if (size <= LARGEST_FILE) return;
  throw new BadInput(path, `the file has ${told} bytes; a program or counterexample has at most ${LARGEST_FILE}`);
};

/** Writes a text file, whole or not at all. Throws `BadInput` if that cannot be done; `remedy` is what helps beside space. */
export const writeTextFile = async (path: string, text: string, remedy: string): Promise<void> => {
  try {
    await writeWhole(path, text);
  } catch (error) {
    throw unwritable(path, error, remedy);
  }
};

/** The library is loaded when something is saved: whoever only reads does not wait for it. */
const writeWhole = async (path: string, text: string): Promise<void> => {
  const { default: writeFileAtomic } = await import('write-file-atomic');
  await writeFileAtomic(path, text);
};

const unwritable = (path: string, error: unknown, remedy: string): BadInput =>
  new BadInput(path, `cannot be written: ${(error as Error).message}; free space or ${remedy}`);

const whyUnreadable = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file; check the path';
  if (code === 'EISDIR') return 'this is a directory; name a file in it';
  if (code === 'EACCES') return 'the file may not be read; change its rights';
  return message;
};

/** Every file of a corpus, by name. An unreadable one is told, never skipped. Throws `BadInput` if there is no directory. */
export const readCorpus = async (directory: string): Promise<readonly Stored[]> => {
  const stored: Stored[] = [];
  // One after the other: a process may not open thousands of files at once.
  for (const name of await listJson(directory)) stored.push(await readStored(join(directory, name)));
  return stored;
};

/** The same of a corpus that may not be there yet: it begins with its first entry. */
export const readCorpusIfThere = async (directory: string): Promise<readonly Stored[]> =>
  existsSync(directory) ? readCorpus(directory) : [];

/** Throws `BadInput` for a file that could not be read. */
export const readableOf = (stored: Stored): StoredEntry => {
  if (stored.kind === 'unreadable') throw new BadInput('corpus', stored.problem);
  return stored;
};

const listJson = async (directory: string): Promise<readonly string[]> => {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such directory' : code === 'ENOTDIR' ? 'this is a file' : String(error);
    throw new BadInput(directory, `${why}; name a directory of counterexamples with --corpus`);
  }
};

/** Reads one file of a corpus; what is wrong with it is told, not thrown. */
export const readStored = async (path: string): Promise<Stored> => {
  try {
    const entry = parseCounterexample(await readTextFile(path), path);
    if (fileNameOf(entry) !== basename(path)) {
      throw new BadInput(path, `its content belongs in "${fileNameOf(entry)}"; undo the edit, or rename the file`);
    }
    return { kind: 'entry', path, entry };
  } catch (error) {
    if (error instanceof BadInput) return { kind: 'unreadable', path, problem: error.message };
    throw error;
  }
};

/**
 * Saves an entry under its name, whole or not at all; answers the path. A second entry for the same program replaces the first.
 */
export const saveFinding = async (directory: string, entry: Finding): Promise<string> => {
  const path = join(directory, fileNameOf(entry));
  try {
    await makeDirectory(directory);
    await writeWhole(path, formatCounterexample(entry));
  } catch (error) {
    throw unwritable(path, error, 'name another --corpus');
  }
  return path;
};
