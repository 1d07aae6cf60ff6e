/**
 * A worker's tasks: fill a pool, hunt a defect, reach the last situations, or hunt a bug in a subject outside the process. Each has a
 * process of its own, and all shares run in it one after the other. Programs are screened as in any campaign.
 */

import { readFileSync } from 'node:fs';
import type { Program } from '../../../model/vocabulary/index.js';
import { defectNamed } from '../../../impl/defects/catalogue.js';
import { programsOf, runOptionsOf } from '../../../properties/campaign/programs.js';
import { pairWith } from '../../../properties/detection.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { CellNumbers, NewCells } from '../../../properties/pool/cells.js';
import { distil, neededForEdges, reachingOf } from '../../../properties/pool/distil.js';
import type { Guidance, ProgramPool } from '../../../properties/pool/program-pool.js';
import { DEFAULT_POOL_SIZE, poolOf } from '../../../properties/pool/program-pool.js';
import { CommandSubject } from '../../../properties/subjects/command-subject.js';
import { IMPL, MODEL } from '../../../properties/subjects/subject-names.js';
import { DEFAULTS } from '../../campaign/new-plan.js';
import { cpuMilliseconds } from '../measurement.js';
import { SHARES } from './guided-figures.js';

export type GuidedTask =
  | { readonly kind: 'pool'; readonly steps: number }
  | {
      readonly kind: 'detect';
      readonly defect: string;
      readonly seeds: number;
      readonly mostSteps: number;
      readonly pool: ProgramPool;
    }
  | { readonly kind: 'reach'; readonly seed: number; readonly cells: number; readonly milliseconds: number }
  | {
      readonly kind: 'hunt';
      readonly command: string;
      readonly campaign: string;
      /** Campaigns, of which each starts from what those before it kept, and the programs of each. */
      readonly epochs: number;
      readonly programs: number;
    };

/** For each of `SHARES`: means over the seeds. One that caught nothing counts with what it took. */
export interface Detected {
  readonly milliseconds: readonly number[];
  readonly steps: readonly number[];
}

/** For each of `SHARES`. */
export interface Reached {
  /** Processor time at which each further situation was reached, ascending. It includes the time to fill the pool. */
  readonly arrivals: readonly (readonly number[])[];
}

/** For each of `SHARES`. */
export interface Hunted {
  readonly milliseconds: readonly number[];
  /** Programs up to the first finding; null if there was none. */
  readonly programs: readonly (number | null)[];
}

const perform = async (task: GuidedTask): Promise<ProgramPool | Detected | Reached | Hunted> => {
  switch (task.kind) {
    case 'pool':
      return await fillPool(task.steps);
    case 'detect':
      return await detect(task);
    case 'reach':
      return await reach(task);
    case 'hunt':
      return await hunt(task);
    default:
      return task satisfies never;
  }
};

const JUDGE = DEFAULTS.judge;

const distilled = async (programs: readonly Program[], subject?: CommandSubject): Promise<ProgramPool> => {
  const kept = distil(await reachingOf(programs, subject), { settled: [], most: DEFAULT_POOL_SIZE });
  return poolOf(kept.map(({ program }) => program));
};

/** A campaign on the sound machine, which collects the programs that reach situations first. */
class Explorer {
  readonly reaching: Program[] = [];
  private readonly pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS });
  private readonly newCells = new NewCells(this.pair.tally, []);

  get steps(): number {
    return this.pair.tally.steps;
  }

  /** `arrived` is called with the number of new cells. */
  async run(
    campaign: string,
    guidance: Guidance | undefined,
    judge: number,
    arrived: (cells: readonly number[]) => void,
    proceed: () => boolean,
  ): Promise<void> {
    const programs = programsOf({ campaign, ...DEFAULT_PROGRAM_OPTIONS, guidance });
    for (let number = 0; proceed(); number++) {
      const { value } = programs(number);
      const divergence = await this.pair.run(value.program, runOptionsOf(number, value, judge));
      if (divergence !== undefined) throw new Error(`program ${number} of ${campaign} diverges on the sound machine`);
      const cells = this.newCells.take();
      if (cells.length === 0) continue;
      this.reaching.push(value.program);
      arrived(cells);
    }
  }
}

const fillPool = async (steps: number): Promise<ProgramPool> => {
  const explorer = new Explorer();
  await explorer.run(
    'guided/pool',
    undefined,
    1,
    () => undefined,
    () => explorer.steps < steps,
  );
  return await distilled(explorer.reaching);
};

/** Of processor time for each side, before anything counts: what a process takes at first is mostly compilation. */
const WARM_UP = 700;

const detect = async ({
  defect,
  seeds,
  mostSteps,
  pool,
}: Extract<GuidedTask, { kind: 'detect' }>): Promise<Detected> => {
  const sides = SHARES.map((share) => ({ share, pair: pairWith(defectNamed(defect)!) }));
  const take = async ({ share, pair }: (typeof sides)[number], seed: string): Promise<readonly [number, number]> => {
    const campaign = `guided/${defect}/${seed}`;
    const guidance = share === 0 ? undefined : { pool, share };
    // Reading a pool is no part of a campaign's time.
    const programs = programsOf({ ...DEFAULT_PROGRAM_OPTIONS, campaign, guidance });
    const { steps } = pair.tally;
    const begin = cpuMilliseconds();
    for (let number = 0; pair.tally.steps - steps < mostSteps; number++) {
      const { value } = programs(number);
      if ((await pair.run(value.program, runOptionsOf(number, value, JUDGE))) !== undefined) break;
    }
    return [cpuMilliseconds() - begin, pair.tally.steps - steps];
  };
  for (const side of sides) {
    const begin = cpuMilliseconds();
    for (let round = 0; cpuMilliseconds() - begin < WARM_UP; round++) await take(side, `warm-up/${round}`);
  }
  const sums = SHARES.map(() => [0, 0]);
  for (let seed = 0; seed < seeds; seed++) {
    for (const [index, side] of sides.entries()) {
      const [milliseconds, steps] = await take(side, String(seed));
      sums[index][0] += milliseconds / seeds;
      sums[index][1] += steps / seeds;
    }
  }
  return { milliseconds: sums.map(([time]) => time), steps: sums.map(([, steps]) => steps) };
};

/** An earlier campaign reaches `cells` situations; then each share has `milliseconds` for the others. */
const reach = async ({ seed, cells, milliseconds }: Extract<GuidedTask, { kind: 'reach' }>): Promise<Reached> => {
  const known = new Set<number>();
  const earlier = new Explorer();
  const add = (found: readonly number[]): void => found.forEach((cell) => known.add(cell));
  await earlier.run(`guided/before/${seed}`, undefined, JUDGE, add, () => known.size < cells);
  const arrivals: (readonly number[])[] = [];
  for (const share of SHARES) {
    const begin = cpuMilliseconds();
    const guidance = share === 0 ? undefined : { pool: await distilled(earlier.reaching), share };
    const reached = new Set(known);
    const times: number[] = [];
    const arrived = (found: readonly number[]): void => {
      const elapsed = cpuMilliseconds() - begin;
      for (const cell of found) if (!reached.has(cell)) times.push(elapsed);
      for (const cell of found) reached.add(cell);
    };
    await new Explorer().run(
      `guided/after/${seed}`,
      guidance,
      JUDGE,
      arrived,
      () => cpuMilliseconds() - begin < milliseconds,
    );
    arrivals.push(times);
  }
  return { arrivals };
};

const TIMEOUT = 20_000;

const hunt = async (task: Extract<GuidedTask, { kind: 'hunt' }>): Promise<Hunted> => {
  const milliseconds: number[] = [];
  const programs: (number | null)[] = [];
  for (const share of SHARES) {
    const begin = cpuMilliseconds() + childMilliseconds();
    programs.push(await huntWith(task, share));
    milliseconds.push(cpuMilliseconds() + childMilliseconds() - begin);
  }
  return { milliseconds, programs };
};

/** Processor time of processes that have ended, from /proc/self/stat (proc(5), cutime and cstime, in hundredths of a second). */
const childMilliseconds = (): number => {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
};

const huntWith = async (
  { command, campaign, epochs, programs }: Extract<GuidedTask, { kind: 'hunt' }>,
  share: number,
): Promise<number | null> => {
  const subject = new CommandSubject(command, 'bench', { caseTimeout: TIMEOUT, startTimeout: TIMEOUT });
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  try {
    let pool = poolOf([]);
    for (let epoch = 0; epoch < epochs; epoch++) {
      const favoured = share === 0 ? [] : await neededForEdges(pool.members, subject);
      const options = {
        ...DEFAULT_PROGRAM_OPTIONS,
        campaign: `${campaign}/${epoch}`,
        guidance: { pool, share, favoured },
      };
      const { found, reaching } = await explore(pair, programsOf(options), programs, share > 0);
      if (found !== undefined) return epoch * programs + found + 1;
      if (share > 0) pool = await distilled([...pool.members, ...reaching], subject);
    }
    return null;
  } finally {
    await pair.close();
  }
};

/** Runs programs up to the first that diverges, and collects those that reach a situation or an edge first. */
const explore = async (
  pair: Pair,
  programs: ReturnType<typeof programsOf>,
  count: number,
  isGuided: boolean,
): Promise<{ readonly found: number | undefined; readonly reaching: readonly Program[] }> => {
  const ahead = await pair.start();
  pair.tally.clear();
  const newCells = new NewCells(pair.tally, [], pair.edgeCount);
  const ofInvariants = new CellNumbers(INVARIANTS, pair.edgeCount).rowStart(1);
  const reaching: Program[] = [];
  const upcoming: { readonly value: ReturnType<typeof programs>['value']; readonly asked: ReturnType<Pair['ask']> }[] =
    [];
  for (let next = 0, program = 0; program < count; program++) {
    for (; next < count && next <= program + ahead; next++) {
      const { value } = programs(next);
      upcoming.push({ value, asked: pair.ask(value.program) });
    }
    const { value, asked } = upcoming.shift()!;
    const found = await pair.run(value.program, runOptionsOf(program, value, JUDGE), asked);
    if (found !== undefined) return { found: program, reaching };
    if (isGuided && newCells.take(pair.reachedEdges).some((cell) => cell < ofInvariants)) reaching.push(value.program);
  }
  return { found: undefined, reaching };
};

export default perform;
