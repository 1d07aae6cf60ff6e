/** The figures of a run as a file, for a later run to be compared with. */

import { readFileSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import type { Figure } from './figures.js';

const RESULTS_FORMAT = 'shadowdiff-bench/1';

export interface GroupResult {
  readonly group: string;
  readonly title: string;
  readonly figures: readonly Figure[];
}

export interface Results {
  readonly format: typeof RESULTS_FORMAT;
  /** Where it was measured: absolute figures mean something on the same machine only. */
  readonly node: string;
  readonly machine: string;
  readonly groups: readonly GroupResult[];
}

export const resultsOf = (machine: string, groups: readonly GroupResult[]): Results => ({
  format: RESULTS_FORMAT,
  node: process.version,
  machine,
  groups,
});

export const writeResults = async (path: string, results: Results): Promise<void> => {
  await writeFileAtomic(path, `${JSON.stringify(results, undefined, 1)}\n`);
};

/** Throws an error that names the file. */
export const readResults = (path: string): Results => {
  const read = parsed(path) as Partial<Results> | null;
  if (read?.format === RESULTS_FORMAT) return read as Results;
  throw new Error(`${path}: is no file of "npm run bench -- --save"; make one`);
};

const parsed = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
};

export interface Change {
  readonly figure: Figure;
  readonly before: Figure;
  /** Median now over median then. */
  readonly ratio: number;
  /** The two spreads do not even touch. */
  readonly clear: boolean;
}

/** Of the figures that both runs have. */
export const changesBetween = (before: Results, now: Results): readonly Change[] => {
  const earlier = new Map(before.groups.flatMap(({ figures }) => figures).map((figure) => [figure.id, figure]));
  return now.groups
    .flatMap(({ figures }) => figures)
    .flatMap((figure) => {
      const then = earlier.get(figure.id);
      if (then === undefined) return [];
      const clear = figure.least > then.most || figure.most < then.least;
      return [{ figure, before: then, ratio: figure.median / then.median, clear }];
    });
};
