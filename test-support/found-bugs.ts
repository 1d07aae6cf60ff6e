/** Findings to make small, for the tests: a planted bug, hunted with generated programs. */

import type fc from 'fast-check';
import { ShadowMachine } from '../impl/shadow-machine.js';
import { ReferenceMachine } from '../model/machine.js';
import type { Case, ProgramOptions } from '../properties/generators/index.js';
import { programArbitrary } from '../properties/generators/index.js';
import { signatureOf } from '../properties/divergence.js';
import { INVARIANTS } from '../properties/invariants/invariants.js';
import { Lockstep } from '../properties/lockstep.js';
import { programSeed, randomFor } from '../properties/seeds.js';
import type { Judge } from '../properties/shrink/index.js';
import type { PlantedBug } from './planted-bugs.js';

export interface FoundBug {
  readonly found: fc.Value<Case>;
  readonly signature: string;
  readonly judge: Judge;
}

const MOST_PAGES = 256;

/** A machine with the bug, beside a sound one. */
export const judgeWith = (bug: PlantedBug): Judge => {
  const subject = new ShadowMachine();
  bug.plant(subject);
  const lockstep = new Lockstep({ model: new ReferenceMachine(), subject, invariants: INVARIANTS });
  return ({ traffic, program }) => Promise.resolve(lockstep.run(program, traffic === 'coherent'));
};

/** The first finding among the programs of a campaign, if one of the first `programs` shows it. */
export const findBug = async (
  bug: PlantedBug,
  campaign: string,
  options: Partial<ProgramOptions>,
  programs = 400,
): Promise<FoundBug | undefined> => {
  const judge = judgeWith(bug);
  const arbitrary = programArbitrary(options);
  for (let index = 0; index < programs; index++) {
    const found = arbitrary.generate(randomFor(programSeed(campaign, index)), undefined);
    // Machines with more RAM show nothing more, and cost a test its time.
    if (found.value.program.machine.guestPages > MOST_PAGES) continue;
    const divergence = await judge(found.value);
    if (divergence !== undefined) return { found, signature: signatureOf(divergence), judge };
  }
  return undefined;
};
