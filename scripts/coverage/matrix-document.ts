/** The kill matrix as `defects matrix --json` prints it. */

import { BadInput } from '../../properties/formats/index.js';
import * as z from 'zod';
import { anyText, choice, naturalNumber, openObject, listOf, tableOf } from '../../properties/formats/fields.js';
import type { MatrixRow } from '../../properties/kill-matrix.js';
import type { Immutable } from '../../properties/formats/fields.js';
import { readDocument } from './read-document.js';

export const MATRIX_FORMAT = 'shadowdiff-matrix/1';
export const MATRIX_FILE = 'matrix.json';

const matrixRow = openObject({
  defect: anyText,
  caughtBy: tableOf(naturalNumber),
  seedsCaught: naturalNumber,
  seeds: naturalNumber,
  medianPrograms: naturalNumber,
  worstPrograms: naturalNumber,
  medianSteps: naturalNumber,
  worstSteps: naturalNumber,
  /** JSON leaves it out where it is undefined. */
  minimizedSteps: z.optional(naturalNumber),
}) satisfies z.core.$ZodType<Omit<MatrixRow, 'minimizedSteps'>>;

export const matrixDocument = openObject({
  format: choice([MATRIX_FORMAT]),
  options: openObject({
    seeds: naturalNumber,
    mostSteps: naturalNumber,
    stepsBeyond: naturalNumber,
    mostTries: naturalNumber,
  }),
  rows: listOf(matrixRow),
});

export type MatrixDocument = Immutable<z.infer<typeof matrixDocument>>;

/** The invariants that catch a defect, each with the number of seeds in which it did. */
export type Caught = Pick<MatrixDocument['rows'][number], 'defect' | 'caughtBy'>;

/** Reads what `defects matrix --json` printed; undefined if there is no such file. Throws `BadInput`. */
export const readMatrix = async (path: string): Promise<readonly Caught[] | undefined> =>
  (await readDocument(path, matrixDocument))?.rows;

/** The same for a file that must exist. */
export const readNamedMatrix = async (path: string): Promise<readonly Caught[]> => {
  const rows = await readMatrix(path);
  if (rows === undefined) throw new BadInput(path, 'there is no such file; write it with "defects matrix --json"');
  return rows;
};

/** The defects that no other invariant catches, and those that others catch too. */
export const caughtBy = (
  rows: readonly Caught[],
  invariant: string,
): { readonly alone: readonly string[]; readonly withOthers: readonly string[] } => {
  const caught = rows.filter((row) => (row.caughtBy[invariant] ?? 0) > 0);
  const isAlone = (row: Caught): boolean => catchers(row).length === 1;
  return {
    alone: caught.filter(isAlone).map(({ defect }) => defect),
    withOthers: caught.filter((row) => !isAlone(row)).map(({ defect }) => defect),
  };
};

const catchers = ({ caughtBy: counts }: Caught): readonly string[] =>
  Object.keys(counts).filter((invariant) => counts[invariant] > 0);
