/** What a run adds to the seed pool: programs that reached what no seed does, and of those as few as will do. */

import { BadInput } from '../../properties/formats/index.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import { programsOf } from '../../properties/explore.js';
import { allCells, distil, reachingOf } from '../../properties/pool/distil.js';
import { readPrograms, saveProgram, programsDirectory } from '../../properties/pool/program-pool.js';
import { guidanceOf } from './pool-file.js';
import { settingsOf } from './run-plan.js';
import type { RunRecord } from './run-record.js';

/** Where seeds are kept, and how many there may be. */
interface SeedKeeping {
  readonly corpus: string;
  readonly most: number;
}

export interface KeptPrograms {
  readonly directory: string;
  readonly added: number;
  /** With those that were added. */
  readonly seeds: number;
  /** Situation cells that they reach. */
  readonly cells: number;
  /** There was no room for all that reached something new. */
  readonly full: boolean;
}

/** Nobody is taken out: two runs that are published at once lose nothing. Throws `BadInput` if seeds cannot be read or written. */
const keepPrograms = async (
  ledger: Ledger,
  { campaign }: RunRecord,
  { corpus, most, directory }: SeedKeeping & { readonly directory: string },
): Promise<KeptPrograms> => {
  const settings = settingsOf(campaign, directory);
  const guidance = settings.guidance === undefined ? undefined : await guidanceOf(settings.guidance);
  const programs = programsOf(settings.campaign, { ...settings, guidance });
  const there = await reachingOf((await readPrograms(corpus)).map(({ program }) => program));
  const reached = allCells(there);
  const found = await reachingOf(ledger.firstReached.list().map(({ program }) => programs(program).value.program));
  const wanted = distil(found, { settled: reached, most: Infinity });
  const added = distil(found, { settled: reached, most: Math.max(0, most - there.length) });
  for (const { program } of added) await saveProgram(corpus, program);
  return {
    directory: programsDirectory(corpus),
    added: added.length,
    seeds: there.length + added.length,
    cells: allCells([...there, ...added]).size,
    full: added.length < wanted.length,
  };
};

/** As `keepPrograms`, for whoever must go on: what goes wrong is a trouble to tell. */
export const tryToKeepPrograms = async (...asked: Parameters<typeof keepPrograms>): Promise<KeptPrograms | string> => {
  try {
    return await keepPrograms(...asked);
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
};
