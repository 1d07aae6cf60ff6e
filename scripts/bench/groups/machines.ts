/** Both machines by themselves: on the mix that the C was timed on, and on generated programs of every kind. */

import { ShadowMachine } from '../../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../../model/machine.js';
import type { Machine, Program } from '../../../model/vocabulary/index.js';
import { PAGINGS } from '../../../model/vocabulary/index.js';
import { LGUEST_TRAFFICS } from '../../../properties/generators/index.js';
import { programsOf, runPrograms } from '../fuzz-workloads.js';
import type { Budget, Figure, Group, Workload } from '../measurement.js';
import { ratioOf, stepFigures, takeRounds } from '../measurement.js';
import { mixedPrograms, STEPS_A_PROGRAM } from '../plain-guest.js';

interface Sample {
  readonly id: string;
  readonly title: string;
  readonly programs: readonly Program[];
  /** Steps that count. */
  readonly steps: number;
}

const samplesOf = (count: number): readonly Sample[] => [
  ...PAGINGS.map((paging) => {
    const programs = mixedPrograms(paging, count);
    return { id: `mix-${paging}`, title: `random mix, ${paging}`, programs, steps: count * STEPS_A_PROGRAM };
  }),
  ...LGUEST_TRAFFICS.flatMap((traffic) =>
    PAGINGS.map((paging) => {
      const programs = programsOf(traffic, paging, count);
      const steps = programs.reduce((sum, program) => sum + program.steps.length, 0);
      return { id: `${traffic}-${paging}`, title: `${traffic}, ${paging}`, programs, steps };
    }),
  ),
];

const workloadOf = (side: string, machine: Machine, { id, title, programs, steps }: Sample): Workload => ({
  id: `${side}-${id}`,
  title: `${side}: ${title}`,
  run: () => {
    runPrograms(machine, programs);
    return steps;
  },
});

const measure = async (budget: Budget): Promise<readonly Figure[]> => {
  const samples = samplesOf(budget.programs);
  const impl = new ShadowMachine();
  const model = new ReferenceMachine();
  const workloads = samples.flatMap((sample) => [workloadOf('impl', impl, sample), workloadOf('model', model, sample)]);
  const rounds = await takeRounds(workloads, budget);
  const ratios = samples.map(({ id, title }) =>
    ratioOf({ id: `model-over-impl-${id}`, title: `model over impl: ${title}` }, rounds, (round) => {
      return round[`model-${id}`] / round[`impl-${id}`];
    }),
  );
  return [...stepFigures(workloads, rounds), ...ratios];
};

export const machines: Group = { name: 'machines', title: 'Each machine by itself, a step', measure };
