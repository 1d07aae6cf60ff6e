/** The tasks of a worker: fill a pool, count what a campaign reaches, or hunt a defect. */

import { defectNamed } from '../../../impl/defects/catalogue.js';
import type { Reach } from '../../../properties/campaign/batch.js';
import { pairWith, stepsToDetection } from '../../../properties/detection.js';
import { programsOf, runOptionsOf } from '../../../properties/campaign/programs.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { NewCells } from '../../../properties/pool/cells.js';
import { distil, reachingOf } from '../../../properties/pool/distil.js';
import type { Guidance, ProgramPool } from '../../../properties/pool/program-pool.js';
import { DEFAULT_POOL_SIZE, poolOf } from '../../../properties/pool/program-pool.js';
import { IMPL, MODEL } from '../../../properties/subjects/subject-names.js';
import { Tally } from '../../../properties/tally.js';

export type GuidedTask =
  /** An earlier campaign, whose programs become the pool. */
  | { readonly kind: 'epoch'; readonly campaign: string; readonly steps: number }
  /** A campaign whose reached situations are counted. */
  | { readonly kind: 'reach'; readonly campaign: string; readonly steps: number; readonly guidance: Guidance }
  | {
      readonly kind: 'detect';
      readonly defect: string;
      readonly seeds: number;
      readonly mostSteps: number;
      readonly guidance: Guidance;
    };

export interface Epoch {
  readonly pool: ProgramPool;
  /** Situation cells that the campaign reached. */
  readonly cells: readonly number[];
  /** Of running, then of distilling. */
  readonly milliseconds: readonly [run: number, distil: number];
}

/** The steps after which a campaign reached new situation cells. */
export interface Arrival {
  readonly steps: number;
  readonly cells: readonly number[];
}

export interface Reached {
  readonly arrivals: readonly Arrival[];
  readonly milliseconds: number;
}

/** Steps to the first catch for each seed, ascending; Infinity where there was none. */
export type Caught = readonly number[];

const perform = async (task: GuidedTask): Promise<Epoch | Reached | Caught> => {
  switch (task.kind) {
    case 'epoch':
      return await epoch(task.campaign, task.steps);
    case 'reach': {
      const start = performance.now();
      const { arrivals } = await explore(task.campaign, task.steps, task.guidance);
      return { arrivals, milliseconds: performance.now() - start };
    }
    case 'detect':
      return await detect(task);
    default:
      return task satisfies never;
  }
};

const epoch = async (campaign: string, steps: number): Promise<Epoch> => {
  const start = performance.now();
  const { reached, arrivals } = await explore(campaign, steps, undefined);
  const ran = performance.now();
  const programs = programsOf({ campaign, ...DEFAULT_PROGRAM_OPTIONS });
  const found = await reachingOf(reached.map(({ program }) => programs(program).value.program));
  const kept = distil(found, { settled: [], most: DEFAULT_POOL_SIZE });
  const pool = poolOf(kept.map(({ program }) => program));
  const cells = arrivals.flatMap((arrival) => arrival.cells);
  return { pool, cells, milliseconds: [ran - start, performance.now() - ran] };
};

/** Runs the programs of a campaign until it has taken `steps` steps. */
const explore = async (
  campaign: string,
  steps: number,
  guidance: Guidance | undefined,
): Promise<{ readonly reached: readonly Reach[]; readonly arrivals: readonly Arrival[] }> => {
  const tally = new Tally(INVARIANTS);
  const pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS, tally });
  const newCells = new NewCells(tally, []);
  const programs = programsOf({ campaign, ...DEFAULT_PROGRAM_OPTIONS, guidance });
  const reached: Reach[] = [];
  const arrivals: Arrival[] = [];
  for (let program = 0; tally.steps < steps; program++) {
    const found = programs(program).value;
    const divergence = await pair.run(found.program, runOptionsOf(program, found));
    if (divergence !== undefined) throw new Error(`program ${program} of ${campaign} diverges on the sound machine`);
    const cells = newCells.take();
    if (cells.length === 0) continue;
    reached.push({ program, cells });
    arrivals.push({ steps: tally.steps, cells });
  }
  return { reached, arrivals };
};

/** Each defect has its own programs. */
const detect = async ({
  defect,
  seeds,
  mostSteps,
  guidance,
}: Extract<GuidedTask, { readonly kind: 'detect' }>): Promise<Caught> => {
  const planted = defectNamed(defect);
  if (planted === undefined) throw new Error(`there is no defect ${defect}`);
  const steps: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const campaign = `guided/${defect}/${seed}`;
    steps.push(await stepsToDetection(pairWith(planted), { mixture: 'swarm', campaign, mostSteps, guidance }));
  }
  return steps.toSorted((one, other) => one - other);
};

export default perform;
