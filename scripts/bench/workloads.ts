/** What is measured: each workload runs the same default traffic once through and answers how many steps that was. */

import { ShadowMachine } from '../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../model/machine.js';
import type { Machine } from '../../model/vocabulary/index.js';
import type { Case } from '../../properties/arbitraries/index.js';
import { DEFAULT_PROGRAM_OPTIONS, programArbitrary } from '../../properties/arbitraries/index.js';
import type { FuzzWatcher } from '../../properties/fuzz.js';
import { fuzz } from '../../properties/fuzz.js';
import { INVARIANTS } from '../../properties/invariants/registry.js';
import { Lockstep } from '../../properties/lockstep.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import type { Tally } from '../../properties/tally.js';
import { IMPL, MODEL } from '../../properties/subjects/registry.js';

/** Names the programs: every run of every version measures the same ones, as long as the generator stays. */
const CAMPAIGN = 'bench';

export const WORKLOADS = ['loop', 'impl', 'model', 'generation', 'lockstep'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

export const WORKLOAD_TITLES: Readonly<Record<WorkloadName, string>> = {
  loop: 'fuzz loop, generation and all invariants included',
  impl: 'impl alone',
  model: 'model alone',
  generation: 'generation alone',
  lockstep: 'lockstep of both, no invariants',
};

/** Runs all programs once; answers the number of steps. */
export type Workload = () => number | Promise<number>;

/** `programs`: how many, of which those that the machines alone run are made beforehand and held in memory. */
export const workloads = (programs: number): Readonly<Record<WorkloadName, Workload>> => {
  const cases = Array.from({ length: programs }, (_, index) => caseNumber(index));
  const lockstep = new Lockstep({ reference: MODEL.create(), subject: IMPL.create(), invariants: [] });
  return {
    loop: async () => (await runLoop({ goOn: (index) => index < programs })).steps,
    impl: machineWorkload(new ShadowMachine(), cases),
    model: machineWorkload(new ReferenceMachine(), cases),
    generation: () => generate(programs),
    lockstep: () => {
      const before = lockstep.tally.steps;
      for (const { program, traffic } of cases) lockstep.run(program, traffic === 'coherent');
      return lockstep.tally.steps - before;
    },
  };
};

/** The fuzz loop with everything on. Throws if it finds something, for then it would measure the search for small programs. */
export const runLoop = async (watcher: FuzzWatcher): Promise<Tally> => {
  const { tally, findings } = await fuzz(
    {
      ...DEFAULT_PROGRAM_OPTIONS,
      campaign: CAMPAIGN,
      reference: MODEL,
      subject: IMPL,
      invariants: INVARIANTS,
      mostFindings: 1,
      mostTries: 0,
    },
    watcher,
  );
  for (const { signature } of findings) throw new Error(`the machines diverge (${signature}); run shadowdiff fuzz`);
  return tally;
};

const arbitrary = programArbitrary();

const caseNumber = (index: number): Case =>
  arbitrary.generate(randomFor(programSeed(CAMPAIGN, index)), undefined).value;

const generate = (programs: number): number => {
  let steps = 0;
  for (let index = 0; index < programs; index++) steps += caseNumber(index).program.steps.length;
  return steps;
};

/** One function for each machine, so that neither is compiled with the other in mind. */
const machineWorkload = (machine: Machine, cases: readonly Case[]): Workload => {
  return () => {
    let steps = 0;
    for (const { program } of cases) {
      machine.create(program.machine);
      for (const step of program.steps) machine.apply(step);
      machine.destroy();
      steps += program.steps.length;
    }
    return steps;
  };
};
