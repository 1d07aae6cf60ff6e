/** Runs programs of a campaign again, so that V8 can count the code that they reach. */

import type { ProgramOptions } from '../../../properties/generators/index.js';
import { programArbitrary } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { programSeed, randomFor } from '../../../properties/seeds.js';
import { IMPL, MODEL } from '../../../properties/subjects/subject-names.js';

/** A divergence only ends its program; the run for coverage has reported it. */
export const runPrograms = async ({ campaign, programs, twice, ...options }: Job): Promise<void> => {
  const arbitrary = programArbitrary(options);
  const pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS, profile: options.profile });
  for (const index of programs) {
    const { traffic, program } = arbitrary.generate(randomFor(programSeed(campaign, index)), undefined).value;
    await pair.run(program, { contractKept: traffic === 'coherent', twice });
  }
  await pair.close();
};

/** The input of a process. */
export interface Job extends ProgramOptions {
  readonly campaign: string;
  /** The numbers of the programs in the campaign. */
  readonly programs: readonly number[];
  /** Run the subject twice, for `determinism`. */
  readonly twice: boolean;
}
