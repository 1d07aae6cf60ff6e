/** What a shrink pass makes of a program when it is repeated, for a finding that a function of the program decides. */

import type { MachineConfig, Program, Step } from '../model/vocabulary/index.js';
import { machineOf } from './steps.js';
import type { Divergence, Place } from '../properties/divergence.js';
import { signatureOf } from '../properties/divergence.js';
import type { Pass } from '../properties/shrink/search.js';
import { Search } from '../properties/shrink/search.js';

export const MACHINE = machineOf({ guestPages: 64, devicePages: 4, hostCpus: 4 });

export const programOf = (steps: readonly Step[], machine: Partial<MachineConfig> = {}): Program => ({
  machine: { ...MACHINE, ...machine },
  steps,
});

export const divergenceAt = (place: Place): Divergence => ({
  invariant: 'a rule',
  alsoBroken: [],
  place,
  stage: 'end',
  field: 'a field',
  expected: 'this',
  actual: 'that',
  difference: 'a difference',
});

/** A search for the smallest program that `shows` the finding; it diverges at its end. */
export const searchFor = (program: Program, shows: (program: Program) => boolean): Search => {
  const divergence = divergenceAt({ kind: 'end' });
  return new Search({ traffic: 'hostile', program }, divergence, {
    signature: signatureOf(divergence),
    judge: (candidate) => Promise.resolve(shows(candidate.program) ? divergence : undefined),
    mostTries: 5000,
  });
};

export const smallestAfter = async (
  pass: Pass,
  program: Program,
  shows: (program: Program) => boolean,
): Promise<Program> => {
  const search = searchFor(program, shows);
  while (await search.run(pass));
  return search.smallest.program;
};
