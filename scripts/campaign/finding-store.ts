/** Puts findings where they outlive the run. What cannot be stored is told, and must then be printed. */

import { join } from 'node:path';
import { BadInput } from '../../properties/formats/index.js';
import type { Finding } from '../../properties/finding.js';
import { fileNameOf, parseCounterexample } from '../../properties/corpus/counterexample.js';
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
