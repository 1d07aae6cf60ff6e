import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { BadInput } from '../../model/format/index.js';
import type { Summary } from '../report/summary.js';

export const SUMMARY_FILE = 'summary.json';

/** Writes a summary into a directory, whole or not at all. Throws `BadInput` if that cannot be done. */
export const writeSummary = async (directory: string, summary: Summary): Promise<void> => {
  const path = join(directory, SUMMARY_FILE);
  try {
    await writeFileAtomic(path, `${JSON.stringify(summary, undefined, 1)}\n`);
  } catch (error) {
    throw new BadInput(path, `cannot be written: ${(error as Error).message}; free space or name another --out`);
  }
};
