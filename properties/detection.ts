/** How many steps of random programs it takes until a defect shows: what generators and invariants are worth together. */

import type { Defect } from '../impl/defects/defect.js';
import type { Mixture } from './generators/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from './generators/index.js';
import { programsOf, runOptionsOf } from './explore.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import type { Guidance } from './pool/program-pool.js';
import { MODEL, implWith } from './subjects/subject-names.js';

export interface DetectionOptions {
  readonly mixture: Mixture;
  /** Names the programs: each campaign is another sample. */
  readonly campaign: string;
  /** Steps after which the campaign is given up. */
  readonly mostSteps: number;
  /** Left out: no program is made from a pool. */
  readonly guidance?: Guidance | undefined;
}

/** Steps that the fuzz loop takes to its first finding; Infinity if it is given up before. */
export const stepsToDetection = async (
  defect: Defect,
  { mixture, campaign, mostSteps, guidance }: DetectionOptions,
): Promise<number> => {
  const pair = new Pair({ reference: MODEL, subject: implWith(defect.id, [defect]), invariants: INVARIANTS });
  const programs = programsOf(campaign, { ...DEFAULT_PROGRAM_OPTIONS, mixture, guidance });
  try {
    for (let index = 0; pair.tally.steps < mostSteps; index++) {
      const found = programs(index).value;
      const divergence = await pair.run(found.program, runOptionsOf(index, found));
      if (divergence !== undefined) return pair.tally.steps;
    }
    return Infinity;
  } finally {
    await pair.close();
  }
};
