/** How many steps of random programs it takes until a defect shows: what generators and invariants are worth together. */

import type { Defect } from '../impl/defects/defect.js';
import type { Mixture } from './arbitraries/index.js';
import { programArbitrary } from './arbitraries/index.js';
import { isRunTwice } from './explore.js';
import { INVARIANTS } from './invariants/registry.js';
import { Pair } from './pair.js';
import { programSeed, randomFor } from './seeds.js';
import { MODEL, implWith } from './subjects/registry.js';

export interface DetectionOptions {
  readonly mixture: Mixture;
  /** Names the programs: each campaign is another sample. */
  readonly campaign: string;
  /** Steps after which the campaign is given up. */
  readonly mostSteps: number;
}

/** Steps that the fuzz loop takes to its first finding; Infinity if it is given up before. */
export const stepsToDetection = async (
  defect: Defect,
  { mixture, campaign, mostSteps }: DetectionOptions,
): Promise<number> => {
  const pair = new Pair({ reference: MODEL, subject: implWith(defect.id, [defect]), invariants: INVARIANTS });
  const arbitrary = programArbitrary({ mixture });
  try {
    for (let index = 0; pair.tally.steps < mostSteps; index++) {
      const { program, traffic } = arbitrary.generate(randomFor(programSeed(campaign, index)), undefined).value;
      const twice = isRunTwice(index);
      const divergence = await pair.run(program, { contractKept: traffic === 'coherent', twice });
      if (divergence !== undefined) return pair.tally.steps;
    }
    return Infinity;
  } finally {
    await pair.close();
  }
};
