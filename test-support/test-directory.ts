/** A directory of its own for each test of a file, gone when the test ends. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** Call it once, outside of tests. Returns the path of what has this name in the directory; without a name, of the directory. */
export const directoryForEachTest = (): ((...names: readonly string[]) => string) => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'shadowdiff-test-'))));
  afterEach(() => rm(directory, { recursive: true, force: true }));
  return (...names) => join(directory, ...names);
};
