/** The fuzz loop, whole and without each of its parts, to show where the time goes; and the memory that it holds. */

import { ShadowMachine } from '../../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../../model/machine.js';
import type { Case } from '../../../properties/generators/index.js';
import { determinism } from '../../../properties/invariants/determinism.js';
import type { Invariant } from '../../../properties/invariants/invariant.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Lockstep } from '../../../properties/lockstep.js';
import { Screening } from '../../../properties/screening.js';
import { Tally } from '../../../properties/tally.js';
import { ZERO_OBSERVATION } from '../../../properties/trace-of.js';
import { DEFAULTS } from '../../campaign/new-plan.js';
import { fuzzWhile, generatedCases, PausingLoop, runPrograms } from '../fuzz-workloads.js';
import type { Budget, Figure, Group, Round, Unit, Workload } from '../measurement.js';
import { collectGarbage, figureOf, ratioOf, stepFigures, takeRounds } from '../measurement.js';
import { ModelRun } from '../model-run.js';

/** Both machines in lockstep, with these invariants alone. */
const lockstepOf = (id: string, title: string, cases: readonly Case[], invariants: readonly Invariant[]): Workload => {
  const machines = { model: new ReferenceMachine(), subject: new ShadowMachine() };
  const lockstep = new Lockstep({ ...machines, invariants });
  return {
    id,
    title,
    run: () => {
      const before = lockstep.tally.steps;
      for (const { program, traffic } of cases) {
        if (lockstep.run(program, traffic === 'coherent') !== undefined) throw new Error('the machines diverge');
      }
      return lockstep.tally.steps - before;
    },
  };
};

/** Both machines in step, compared and never judged. */
const screeningOf = (cases: readonly Case[]): Workload => {
  const tally = new Tally(INVARIANTS);
  const machines = { model: new ReferenceMachine(), subject: new ShadowMachine() };
  const screening = new Screening({ ...machines, invariants: INVARIANTS, tally });
  return {
    id: 'screening',
    title: 'screening, no program judged',
    run: () => {
      const before = tally.steps;
      for (const { program, traffic } of cases) {
        if (screening.run(program, traffic === 'coherent') !== undefined) throw new Error('the machines diverge');
      }
      return tally.steps - before;
    },
  };
};

/** A machine that observes nothing but the outcome. */
const silentMachine = (): ShadowMachine => {
  const machine = new ShadowMachine();
  const silent = { ...ZERO_OBSERVATION };
  const observe = (outcome: typeof silent.outcome): typeof silent => {
    machine.references.takeChanges();
    silent.outcome = outcome;
    return silent;
  };
  return Object.assign(machine, { observe });
};

/** Checks as usual, but counts no situations. */
const uncounted = (invariant: Invariant): Invariant =>
  invariant === determinism ? invariant : { ...invariant, situations: [] };

const without = (id: string): readonly Invariant[] => INVARIANTS.filter((invariant) => invariant.id !== id);

const mainWorkloads = (programs: number, cases: readonly Case[]): readonly Workload[] => {
  const plain = cases.map(({ program }) => program);
  const impl = new ShadowMachine();
  const silent = silentMachine();
  const model = new ReferenceMachine();
  const loop = new PausingLoop();
  const screened = new PausingLoop(DEFAULTS.judge);
  const modelRun = new ModelRun();
  return [
    { id: 'loop', title: 'the whole fuzz loop', run: () => loop.stretch(programs) },
    {
      id: 'screened-loop',
      title: 'the same, screened as campaigns are by default',
      run: () => screened.stretch(programs),
    },
    { id: 'model-run', title: 'fc.commands and fc.modelRun instead', run: () => modelRun.run(programs) },
    {
      id: 'generation',
      title: 'generation alone',
      run: () => generatedCases(programs).reduce((sum, { program }) => sum + program.steps.length, 0),
    },
    { id: 'loop-impl', title: 'impl alone', run: () => runPrograms(impl, plain) },
    { id: 'loop-impl-silent', title: 'impl alone, observing nothing', run: () => runPrograms(silent, plain) },
    { id: 'loop-model', title: 'model alone', run: () => runPrograms(model, plain) },
    screeningOf(cases),
    lockstepOf('lockstep', 'lockstep, all invariants', cases, INVARIANTS),
    lockstepOf('lockstep-uncounted', 'lockstep, situations not counted', cases, INVARIANTS.map(uncounted)),
    lockstepOf('lockstep-bare', 'lockstep, no invariants', cases, []),
  ];
};

const share = (id: string, title: string, rounds: readonly Round[], of: (round: Round) => number): Figure =>
  ratioOf({ id, title }, rounds, of);

const mainRatios = (rounds: readonly Round[]): readonly Figure[] => [
  share('model-run-over-loop', 'fc.modelRun over the loop', rounds, (round) => round['model-run'] / round['loop']),
  share(
    'loop-over-screened',
    'the loop over the screened one',
    rounds,
    (round) => round['loop'] / round['screened-loop'],
  ),
  share(
    'generation-of-screened',
    'of the screened loop: generation',
    rounds,
    (round) => round['generation'] / round['screened-loop'],
  ),
  share('loop-over-impl', 'the loop over impl', rounds, (round) => round['loop'] / round['loop-impl']),
  share(
    'invariants-over-machines',
    'invariants together, over model and impl',
    rounds,
    (round) => (round['lockstep'] - round['lockstep-bare']) / (round['loop-impl'] + round['loop-model']),
  ),
  share('generation-share', 'of the loop: generation', rounds, (round) => round['generation'] / round['loop']),
  share(
    'machines-share',
    'of the loop: model and impl',
    rounds,
    (round) => (round['loop-impl'] + round['loop-model']) / round['loop'],
  ),
  share(
    'record-share',
    "of the loop: the harness's own record of the guest, and comparing",
    rounds,
    (round) => (round['lockstep-bare'] - round['loop-impl'] - round['loop-model']) / round['loop'],
  ),
  share(
    'invariants-share',
    'of the loop: all invariants, situations included',
    rounds,
    (round) => (round['lockstep'] - round['lockstep-bare']) / round['loop'],
  ),
  share(
    'situations-share',
    'of the loop: counting situations',
    rounds,
    (round) => (round['lockstep'] - round['lockstep-uncounted']) / round['loop'],
  ),
  share(
    'observation-share',
    'of impl: observation',
    rounds,
    (round) => 1 - round['loop-impl-silent'] / round['loop-impl'],
  ),
];

/** What leaving out one invariant saves: a small difference of large numbers, so mind the spread. */
const invariantRatios = (rounds: readonly Round[]): readonly Figure[] =>
  INVARIANTS.map(({ id }) =>
    share(
      `without-${id}`,
      `of lockstep: ${id}`,
      rounds,
      (round) => 1 - round[`lockstep-without-${id}`] / round['lockstep'],
    ),
  );

const measureMain = async (budget: Budget): Promise<readonly Figure[]> => {
  const workloads = mainWorkloads(budget.programs, generatedCases(budget.programs));
  const rounds = await takeRounds(workloads, budget);
  return [...stepFigures(workloads, rounds), ...mainRatios(rounds)];
};

const measureInvariants = async (budget: Budget): Promise<readonly Figure[]> => {
  const cases = generatedCases(budget.programs);
  const workloads = [
    lockstepOf('lockstep', 'lockstep, all invariants', cases, INVARIANTS),
    ...INVARIANTS.map(({ id }) => lockstepOf(`lockstep-without-${id}`, `lockstep without ${id}`, cases, without(id))),
  ];
  return invariantRatios(await takeRounds(workloads, budget));
};

export const loop: Group = { name: 'loop', title: 'The fuzz loop and its parts, a step', measure: measureMain };

/** A group of its own, because twenty instances of Lockstep in one process slow each other down. */
export const invariants: Group = {
  name: 'invariants',
  title: 'What each invariant costs',
  measure: measureInvariants,
};

const MEMORY_STEPS = 2_000_000;

/** Heap and typed arrays in use after a tenth of the steps and after all of them, and the peak of the process. Neither may grow. */
const measureMemory = async (): Promise<readonly Figure[]> => {
  const held: number[] = [];
  await fuzzWhile(0, (_, { steps }) => {
    if (steps >= [MEMORY_STEPS / 10, MEMORY_STEPS][held.length]) held.push(mebibytesHeld());
    return held.length < 2;
  });
  const [early, late] = held;
  const figure = (id: string, title: string, unit: Unit, value: number): Figure =>
    figureOf({ id, title, unit }, [value]);
  return [
    figure('heap-early', 'heap held after 200,000 steps of the loop', 'MiB', early),
    figure('heap-late', 'heap held after 2,000,000 steps', 'MiB', late),
    figure('heap-growth', 'heap late over early', 'times', late / early),
    figure('peak-memory', 'most that this process ever took', 'MiB', process.resourceUsage().maxRSS / 1024),
  ];
};

const mebibytesHeld = (): number => {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
};

export const memory: Group = { name: 'memory', title: 'Memory of the fuzz loop', measure: measureMemory };
