/**
 * The program pool of a run: how it is stored as it was when the run began, whatever the corpus holds by now; and which programs of the
 * run join the pool of the corpus: those that reached new situations, and as few as will do.
 */

import { basename, join } from 'node:path';
import type { FirstReached, Ledger } from '../../properties/campaign/ledger.js';
import type { CampaignOptions } from '../../properties/campaign/programs.js';
import { programsOf } from '../../properties/campaign/programs.js';
import type { Program } from '../../model/vocabulary/index.js';
import { openFile, removeTemporaries, writeTextFile } from '../../properties/corpus/store.js';
import { BadInput, formatProgram, parseProgram, programHash } from '../../properties/formats/index.js';
import { CellNumbers } from '../../properties/pool/cells.js';
import { allCells, countReached, distil, reachingOf } from '../../properties/pool/distil.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import type { Guidance, ProgramPool } from '../../properties/pool/program-pool.js';
import { poolOf, programsDirectory, readPrograms, saveProgram } from '../../properties/pool/program-pool.js';
import type { Subject } from '../../properties/subjects/subject.js';
import { capabilitiesOf } from '../../properties/subjects/subject.js';
import { readLines } from '../terminal/bounded-lines.js';
import { POOL_FILE } from './run-directory.js';

/** A `Guidance` that can travel between processes. */
export interface GuidanceSettings {
  /** 0 … 1. */
  readonly share: number;
  /** The identity of the pool. */
  readonly pool: string;
  readonly favoured: Guidance['favoured'];
  /** Where to read it: a run's directory, or a corpus for a run without one. */
  readonly from: { readonly run: string } | { readonly corpus: string };
}

/** The pool of a corpus. Throws `BadInput` if it cannot be read. */
export const corpusPool = async (corpus: string): Promise<ProgramPool> =>
  poolOf((await readPrograms(corpus)).map(({ program }) => program));

/** Throws `BadInput` if it cannot be written. */
export const writePool = (directory: string, { members }: ProgramPool): Promise<void> =>
  writeTextFile(join(directory, POOL_FILE), linesOf(members), 'name another --out');

function* linesOf(programs: readonly Program[]): Generator<string> {
  for (const program of programs) yield `${formatProgram(program)}\n`;
}

/** Throws `BadInput` if it is not the pool of this identity. */
export const readPool = async (from: GuidanceSettings['from'], identity: string): Promise<ProgramPool> => {
  const path = 'run' in from ? join(from.run, POOL_FILE) : programsDirectory(from.corpus);
  const pool = 'run' in from ? await storedPool(path) : await corpusPool(from.corpus);
  if (pool.identity === identity) return pool;
  throw new BadInput(
    path,
    `pool: the run began with ${identity} and this is ${pool.identity}; restore the file, or begin a new run`,
  );
};

const storedPool = async (path: string): Promise<ProgramPool> => {
  const file = await openFile(path);
  const programs: Program[] = [];
  try {
    for await (const line of readLines(file.createReadStream(), path))
      programs.push(parseProgram(line, `${path}: line ${programs.length + 1}`));
  } finally {
    await file.close();
  }
  return poolOf(programs);
};

/** The pool that this process read last: a run has one. */
let latest: { readonly from: string; readonly pool: ProgramPool } | undefined;

/** Reads the pool of a run once. Throws `BadInput` if it is not the right one. */
export const guidanceOf = async (settings: GuidanceSettings | undefined): Promise<Guidance | undefined> => {
  if (settings === undefined) return undefined;
  const from = JSON.stringify(settings.from);
  if (latest?.from !== from || latest.pool.identity !== settings.pool) {
    latest = { from, pool: await readPool(settings.from, settings.pool) };
  }
  return { share: settings.share, pool: latest.pool, favoured: settings.favoured };
};

export interface KeptPrograms {
  readonly directory: string;
  /** Programs of this run that are in the pool now. */
  readonly added: number;
  /** Those in the pool now. */
  readonly programs: number;
  /** Situation cells that they reach. */
  readonly cells: number;
  /** Edges of the subject's own code that they reach; left out if it counts none. */
  readonly edges?: number;
  /** There was no room for every program that reached something new. */
  readonly full: boolean;
}

export interface KeepOptions {
  readonly corpus: string;
  /** The most programs of its pool. */
  readonly most: number;
  /** Programs are kept for edges of its code too; undefined if it counts none. */
  readonly subject: Subject | undefined;
}

/**
 * Adds to the pool of a corpus, up to `most` programs. Nothing is removed, so that two runs that are published at once lose nothing.
 * Returns what went wrong, if a pool cannot be read or written.
 */
export const keepPrograms = async (
  ledger: Ledger,
  settings: Omit<CampaignOptions, 'guidance'> & { readonly guidance: GuidanceSettings | undefined },
  { corpus, most, subject }: KeepOptions,
): Promise<KeptPrograms | string> => {
  try {
    const programs = programsOf({ ...settings, guidance: await guidanceOf(settings.guidance) });
    const there = await reachingOf(
      (await readPrograms(corpus)).map(({ program }) => program),
      subject,
    );
    const reached = allCells(there);
    const first = firstReaching(ledger.firstReached, subject === undefined ? 0 : (await capabilitiesOf(subject)).edges);
    const found = await reachingOf(
      first.map((program) => programs(program).value.program),
      subject,
    );
    const wanted = distil(found, { settled: reached, most: Infinity });
    const added = distil(found, { settled: reached, most: Math.max(0, most - there.length) });
    for (const { program } of added) await saveProgram(corpus, program);
    const { situations, edges } = countReached([...there, ...added]);
    // Counted in the pool, so that publishing a run again gives the same number.
    const own = new Set(found.map(({ program }) => programHash(program)));
    await removeTemporaries(programsDirectory(corpus), (name) => own.has(basename(name, '.json')));
    return {
      directory: programsDirectory(corpus),
      added: [...there, ...added].filter(({ program }) => own.has(programHash(program))).length,
      programs: there.length + added.length,
      cells: situations,
      ...(subject === undefined ? {} : { edges }),
      full: added.length < wanted.length,
    };
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
};

/** The numbers of the programs that were the first to reach a situation or an edge, whatever invariant was exercised with it. */
const firstReaching = (reached: FirstReached, edges: number): readonly number[] => {
  const numbers = new CellNumbers(INVARIANTS, edges);
  const isWanted = (cell: number): boolean => cell < numbers.rowStart(1);
  return reached
    .list()
    .filter(({ cells }) => cells.some(isWanted))
    .map(({ program }) => program);
};
