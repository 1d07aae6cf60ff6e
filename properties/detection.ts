/** How many steps of random programs it takes until a defect shows: what generators and invariants are worth together. */

import type { Defect } from '../impl/defects/defect.js';
import type { Mixture } from './generators/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from './generators/index.js';
import { runUntilDivergence } from './campaign/programs.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import { MODEL, implWith } from './subjects/subject-names.js';

export interface DetectionOptions {
  readonly mixture: Mixture;
  /** Names the programs: each campaign is another sample. */
  readonly campaign: string;
  /** Steps after which the campaign ends. */
  readonly mostSteps: number;
  /** The share of programs that are judged in full; left out: all. */
  readonly judge?: number;
}

/** The reference and a machine with a defect, with all invariants. */
export const pairWith = (defect: Defect): Pair =>
  new Pair({ model: MODEL, subject: implWith(defect.id, [defect]), invariants: INVARIANTS });

/** Steps that the fuzz loop takes to its first finding on a pair that has run nothing; infinite if it has none in `mostSteps`. */
export const stepsToDetection = async (
  pair: Pair,
  { campaign, mixture, judge, mostSteps }: DetectionOptions,
): Promise<number> => {
  const options = { ...DEFAULT_PROGRAM_OPTIONS, campaign, mixture, judge };
  const { divergence } = await runUntilDivergence(options, pair, () => pair.tally.steps < mostSteps);
  return divergence === undefined ? Infinity : pair.tally.steps;
};
