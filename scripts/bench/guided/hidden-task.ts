/** Hunts a bug in a subject outside the process, in campaigns of which each starts from what the one before it kept. */

import { programsOf, runOptionsOf } from '../../../properties/campaign/programs.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { CellNumbers, NewCells } from '../../../properties/pool/cells.js';
import { distil, neededForEdges, reachingOf } from '../../../properties/pool/distil.js';
import type { ProgramPool } from '../../../properties/pool/program-pool.js';
import { DEFAULT_POOL_SIZE, poolOf } from '../../../properties/pool/program-pool.js';
import type { Program } from '../../../model/vocabulary/index.js';
import { CommandSubject } from '../../../properties/subjects/command-subject.js';
import { MODEL } from '../../../properties/subjects/subject-names.js';

export interface HiddenTask {
  /** The path of the machine. */
  readonly command: string;
  readonly campaign: string;
  /** The share of programs that are made from the pool. */
  readonly share: number;
  /** Campaigns, and the programs of each. */
  readonly epochs: number;
  readonly programs: number;
}

const TIMEOUT = 20_000;

/** The programs that it took to the first finding; Infinity if there was none. */
const hunt = async ({ command, campaign, share, epochs, programs }: HiddenTask): Promise<number> => {
  const subject = new CommandSubject(command, 'bench', { caseTimeout: TIMEOUT, startTimeout: TIMEOUT });
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  try {
    let pool = poolOf([]);
    for (let epoch = 0; epoch < epochs; epoch++) {
      const guidance = { pool, share, favoured: await neededForEdges(pool.members, subject) };
      const options = { ...DEFAULT_PROGRAM_OPTIONS, campaign: `${campaign}/${epoch}`, guidance };
      const { found, reaching } = await explore(pair, programsOf(options), programs);
      if (found !== undefined) return epoch * programs + found + 1;
      if (share > 0) pool = await poolAfter(pool, reaching, subject);
    }
    return Infinity;
  } finally {
    await pair.close();
  }
};

/** Runs programs up to the first that diverges, and collects those that reach a situation or an edge first. */
const explore = async (
  pair: Pair,
  programs: ReturnType<typeof programsOf>,
  count: number,
): Promise<{ readonly found: number | undefined; readonly reaching: readonly Program[] }> => {
  await pair.start();
  pair.tally.clear();
  const newCells = new NewCells(pair.tally, [], pair.edgeCount);
  const ofInvariants = new CellNumbers(INVARIANTS, pair.edgeCount).rowStart(1);
  const reaching: Program[] = [];
  for (let program = 0; program < count; program++) {
    const { value } = programs(program);
    const found = await pair.run(value.program, runOptionsOf(program, value));
    if (found !== undefined) return { found: program, reaching };
    if (newCells.take(pair.reachedEdges).some((cell) => cell < ofInvariants)) reaching.push(value.program);
  }
  return { found: undefined, reaching };
};

const poolAfter = async (
  { members }: ProgramPool,
  reaching: readonly Program[],
  subject: CommandSubject,
): Promise<ProgramPool> => {
  const found = await reachingOf([...members, ...reaching], subject);
  return poolOf(distil(found, { settled: [], most: DEFAULT_POOL_SIZE }).map(({ program }) => program));
};

export default hunt;
