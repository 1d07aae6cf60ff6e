/** Reads the JSON files that runs leave in a directory. */

import { stat } from 'node:fs/promises';
import type * as z from 'zod';
import { readTextFile } from '../../properties/corpus/store.js';
import { BadInput, readJson, whyFailed } from '../../properties/formats/index.js';
import { Problems } from '../../properties/formats/problems.js';

/** Throws `BadInput` for a path that cannot be inspected. */
export const pathKind = async (path: string): Promise<'file' | 'directory' | 'absent'> => {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
    throw new BadInput(path, `cannot be read: ${whyFailed(error)}; check the path and its rights`);
  }
};

/** A JSON file that fits the schema; undefined if there is no such file. Throws `BadInput` if it is malformed. */
export const readDocument = async <Value>(path: string, schema: z.core.$ZodType<Value>): Promise<Value | undefined> => {
  if ((await pathKind(path)) === 'absent') return undefined;
  return new Problems(path).readWhole(schema, readJson(await readTextFile(path), path, 'file'));
};
