/** Which catalogued defects an invariant catches, from a stored kill matrix. */

import { BadInput } from '../../properties/formats/index.js';
import type { MatrixDocument } from './matrix-document.js';
import { matrixDocument } from './matrix-document.js';
import { readDocument } from '../report/document/read-results.js';

/** Which invariants catch a defect, with the number of seeds in which they did. */
export type Caught = Pick<MatrixDocument['rows'][number], 'defect' | 'caughtBy'>;

/** Reads what `defects matrix --json` printed; undefined if nothing is there. Throws `BadInput`. */
export const readMatrix = async (path: string): Promise<readonly Caught[] | undefined> =>
  (await readDocument(path, matrixDocument))?.rows;

/** The same of a file that must be there. */
export const readNamedMatrix = async (path: string): Promise<readonly Caught[]> => {
  const rows = await readMatrix(path);
  if (rows === undefined) throw new BadInput(path, 'there is no such file; write it with "defects matrix --json"');
  return rows;
};
