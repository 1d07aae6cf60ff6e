/** Which catalogued defects an invariant catches, from a stored kill matrix. */

import { join } from 'node:path';
import { z } from 'zod';
import { BadInput, readJson } from '../../model/format/index.js';
import { readTextFile } from '../../properties/corpus/store.js';
import { MATRIX_FORMAT } from '../defects/matrix-report.js';

export const MATRIX_FILE = 'matrix.json';

/** Which invariants catch a defect, with the number of seeds in which they did. */
export interface Caught {
  readonly defect: string;
  readonly caughtBy: Readonly<Record<string, number>>;
}

const matrix = z.object({
  format: z.literal(MATRIX_FORMAT),
  rows: z.array(z.object({ defect: z.string(), caughtBy: z.record(z.string(), z.number()) })),
});

/** Reads what `defects matrix --json` printed. Throws `BadInput`. */
export const readMatrix = async (path: string): Promise<readonly Caught[]> => {
  const result = matrix.safeParse(readJson(await readTextFile(path), path, 'file'));
  if (result.success) return result.data.rows;
  throw new BadInput(path, 'no kill matrix; write it with "shadowdiff defects matrix --json"', {
    place: result.error.issues[0].path.join('.') || 'file',
  });
};

export const defectsOf = (
  invariant: string,
  rows: readonly Caught[],
): { readonly alone: readonly string[]; readonly withOthers: readonly string[] } => {
  const mine = rows.filter(({ caughtBy }) => (caughtBy[invariant] ?? 0) > 0);
  const isAlone = ({ caughtBy }: Caught): boolean => Object.keys(caughtBy).length === 1;
  return {
    alone: mine.filter(isAlone).map(({ defect }) => defect),
    withOthers: mine.filter((row) => !isAlone(row)).map(({ defect }) => defect),
  };
};

/** Where a run looks for the matrix if nobody says. */
export const matrixIn = (directory: string): string => join(directory, MATRIX_FILE);
