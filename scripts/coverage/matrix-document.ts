/** The kill matrix as `defects matrix --json` prints it. */

import * as z from 'zod';
import { anyText, choice, naturalNumber, openObject } from '../../properties/formats/fields.js';
import type { MatrixRow } from '../../properties/kill-matrix.js';
import type { Immutable } from '../report/document/fields.js';
import { listOf, tableOf } from '../report/document/fields.js';

export const MATRIX_FORMAT = 'shadowdiff-matrix/1';

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
