import { join } from 'node:path';
import { writeTextFile } from '../../properties/corpus/store.js';
import type { Summary } from '../report/summary.js';

export const SUMMARY_FILE = 'summary.json';
/** Where the counterexamples of a run are, beside its summary. */
export const FINDINGS_DIRECTORY = 'findings';

/** Writes a summary into a directory, whole or not at all. Throws `BadInput` if that cannot be done. */
export const writeSummary = async (directory: string, summary: Summary): Promise<void> => {
  const text = `${JSON.stringify(summary, undefined, 1)}\n`;
  await writeTextFile(join(directory, SUMMARY_FILE), text, 'name another --out');
};
