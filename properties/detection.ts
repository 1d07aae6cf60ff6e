/** How many steps of random programs it takes until a defect shows: what generators and invariants are worth together. */

import type { Defect } from '../impl/defects/defect.js';
import type { Mixture } from './generators/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from './generators/index.js';
import { runUntilDivergence } from './campaign/programs.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import type { Guidance } from './pool/program-pool.js';
import { MODEL, implWith } from './subjects/subject-names.js';

export interface DetectionOptions {
  readonly mixture: Mixture;
  /** Names the programs: each campaign is another sample. */
  readonly campaign: string;
  /** Steps after which the campaign ends. */
  readonly mostSteps: number;
  /** Left out: no program is made from a pool. */
  readonly guidance?: Guidance | undefined;
}

/** Steps that the fuzz loop takes to its first finding; infinite if it has none in `mostSteps`. */
export const stepsToDetection = async (
  defect: Defect,
  { mixture, campaign, mostSteps, guidance }: DetectionOptions,
): Promise<number> => {
  const pair = new Pair({ model: MODEL, subject: implWith(defect.id, [defect]), invariants: INVARIANTS });
  const options = { ...DEFAULT_PROGRAM_OPTIONS, campaign, mixture, guidance };
  try {
    const { divergence } = await runUntilDivergence(options, pair, () => pair.tally.steps < mostSteps);
    return divergence === undefined ? Infinity : pair.tally.steps;
  } finally {
    await pair.close();
  }
};
