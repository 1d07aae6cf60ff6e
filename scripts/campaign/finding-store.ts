/** Puts findings where they outlive the run. What cannot be stored is told, and must then be printed. */

import { access, constants, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BadInput } from '../../properties/formats/index.js';
import type { Finding } from '../../properties/finding.js';
import { fileNameOf, parseCounterexample } from '../../properties/corpus/counterexample.js';
import { makeDirectory } from '../../properties/corpus/make-directory.js';
import { readTextFile, saveFinding } from '../../properties/corpus/store.js';

export type StoredFinding =
  /** `recorded`: the entry that the file holds, the new one or an older one of the same program. */
  | { readonly kind: 'stored'; readonly path: string; readonly recorded: Finding }
  | { readonly kind: 'lost'; readonly problem: string };

/**
 * Stores an entry in a directory. A file that is there already stays as it is: somebody may have written a note into it or
 * marked it as fixed.
 */
export const storeFinding = async (directory: string, entry: Finding): Promise<StoredFinding> => {
  const path = join(directory, fileNameOf(entry));
  try {
    const recorded = await entryAt(path);
    if (recorded !== undefined) return { kind: 'stored', path, recorded };
    return { kind: 'stored', path: await saveFinding(directory, entry), recorded: entry };
  } catch (error) {
    if (error instanceof BadInput) return { kind: 'lost', problem: error.message };
    throw error;
  }
};

const entryAt = async (path: string): Promise<Finding | undefined> => {
  try {
    return parseCounterexample(await readTextFile(path), path);
  } catch (error) {
    if (error instanceof BadInput) return undefined;
    throw error;
  }
};

/**
 * Throws `BadInput` if files could not be written into a directory, which may not exist yet. Writes nothing: a run that
 * finds nothing leaves nothing behind.
 */
export const checkDirectory = async (option: string, directory: string): Promise<void> => {
  let place = resolve(directory);
  for (;;) {
    const problem = await problemAt(place);
    if (problem === undefined) return;
    const above = dirname(place);
    if (problem !== 'absent' || above === place) {
      throw new BadInput(option, `${place}: ${problem}; name another directory`);
    }
    place = above;
  }
};

/** What keeps us from writing into this directory; `absent` if it is not there. */
const problemAt = async (directory: string): Promise<string | undefined> => {
  try {
    if (!(await stat(directory)).isDirectory()) return 'this is a file';
    await access(directory, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'absent';
    if (code === 'ENOTDIR') return 'absent';
    return code === 'EACCES' || code === 'EROFS' ? 'this directory may not be written to' : message;
  }
};

/** Makes a directory for results. Throws `BadInput` if that cannot be done. */
export const makeResultDirectory = async (option: string, directory: string): Promise<void> => {
  try {
    await makeDirectory(resolve(directory));
  } catch (error) {
    throw new BadInput(option, `${directory}: ${(error as Error).message}; name another directory`);
  }
};
