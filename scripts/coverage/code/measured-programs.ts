/** The very programs that the fuzz loop ran, run once more. */

import type { ProgramOptions } from '../../../properties/generators/index.js';
import { programArbitrary } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { programSeed, randomFor } from '../../../properties/seeds.js';
import { IMPL, MODEL } from '../../../properties/subjects/subject-names.js';

/** `programs`: numbers of the campaign. A divergence ends its program and nothing else: it is the fuzz loop's to tell. */
export const runPrograms = async ({ campaign, programs, twice, ...options }: Job): Promise<void> => {
  const arbitrary = programArbitrary(options);
  const pair = new Pair({ reference: MODEL, subject: IMPL, invariants: INVARIANTS });
  for (const index of programs) {
    const { traffic, program } = arbitrary.generate(randomFor(programSeed(campaign, index)), undefined).value;
    await pair.run(program, { contractKept: traffic === 'coherent', twice });
  }
  await pair.close();
};

/** What a process is given to run: programs of a campaign. */
export interface Job extends ProgramOptions {
  readonly campaign: string;
  /** Their numbers in the campaign. */
  readonly programs: readonly number[];
  /** Run the subject a second time, as `determinism` needs it. */
  readonly twice: boolean;
}
