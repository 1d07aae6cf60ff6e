import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it, as far as they are missing. Not `mkdir`'s own `recursive`, which on Node 20 never
 * comes back from a place such as /proc that pretends a directory is missing and lets none be made.
 */
export const makeDirectory = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const above = dirname(directory);
    if (code !== 'ENOENT' || above === directory) throw error;
    await makeDirectory(above);
    await mkdir(directory).catch(refuseUnlessThere);
  }
};

/** Somebody else may have made it in between. */
const refuseUnlessThere = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};
