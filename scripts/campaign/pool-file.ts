/** The seed pool of a run, as it was when the run began: its programs are made from this, whatever the corpus has by now. */

import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { BadInput, formatProgram, parseProgram } from '../../properties/formats/index.js';
import { readTextFile } from '../../properties/corpus/store.js';
import type { Guidance, ProgramPool } from '../../properties/pool/program-pool.js';
import { poolOf } from '../../properties/pool/program-pool.js';
import { POOL_FILE } from './run-files.js';

/** How programs are made from a pool, by names: it travels between processes. */
export interface GuidanceSettings {
  /** 0 … 1. */
  readonly share: number;
  /** The directory of the run. */
  readonly directory: string;
  readonly pool: string;
}

/** Throws `BadInput` if it cannot be written. */
export const writePool = async (directory: string, { members }: ProgramPool): Promise<void> => {
  const path = join(directory, POOL_FILE);
  const lines = members.map((program) => `${formatProgram(program)}\n`);
  await writeFileAtomic(path, lines.join('')).catch((error: Error) => {
    throw new BadInput(path, `cannot be written: ${error.message}; free space or name another --out`);
  });
};

/** Throws `BadInput` if it is not the pool of this identity. */
export const readPool = async (directory: string, identity: string): Promise<ProgramPool> => {
  const path = join(directory, POOL_FILE);
  const lines = (await readTextFile(path)).split('\n').slice(0, -1);
  const pool = poolOf(lines.map((line, index) => parseProgram(line, `${path}: line ${index + 1}`)));
  if (pool.identity === identity) return pool;
  throw new BadInput(
    path,
    `pool: the run was begun with ${identity} and this is ${pool.identity}; bring back the file, or begin a new run`,
  );
};

/** The pool that this process read last: a run has one. */
let latest: { readonly directory: string; readonly pool: ProgramPool } | undefined;

/** Reads the pool of a run once. Throws `BadInput` if it is not the right one. */
export const guidanceOf = async ({ share, directory, pool: identity }: GuidanceSettings): Promise<Guidance> => {
  if (latest?.directory !== directory || latest.pool.identity !== identity) {
    latest = { directory, pool: await readPool(directory, identity) };
  }
  return { share, pool: latest.pool };
};
