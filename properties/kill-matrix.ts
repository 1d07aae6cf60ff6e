/**
 * The kill matrix: which invariants catch which defect, and how soon. A defect that the default traffic does not catch shows a
 * hole in the generators or in the invariants.
 */

import type { Defect } from '../impl/defects/defect.js';
import { programArbitrary } from './generators/index.js';
import type { Divergence } from './divergence.js';
import { signatureOf } from './divergence.js';
import { INVARIANTS } from './invariants/invariants.js';
import { judgeOf } from './judging.js';
import { Lockstep } from './lockstep.js';
import type { Shrinkable } from './shrink/index.js';
import { shrink } from './shrink/index.js';
import { Pair } from './pair.js';
import { programSeed, randomFor } from './seeds.js';
import { MODEL, implWith } from './subjects/subject-names.js';

export interface MatrixOptions {
  /** Each seed is a campaign of its own: `matrix/0`, `matrix/1`, … */
  readonly seeds: number;
  /** Steps after which a seed counts as not caught. */
  readonly mostSteps: number;
  /** Steps that are taken after the first catch, to see which other invariants catch it. */
  readonly stepsBeyond: number;
  readonly mostTries: number;
}

export const DEFAULT_MATRIX_OPTIONS: MatrixOptions = {
  seeds: 20,
  mostSteps: 200_000,
  stepsBeyond: 10_000,
  mostTries: 20_000,
};

/** One line of the matrix. */
export interface MatrixRow {
  readonly defect: string;
  /** Invariants that catch it by themselves, in the registry's order, with the number of seeds in which they did. */
  readonly caughtBy: Readonly<Record<string, number>>;
  /** Seeds in which some invariant caught it. */
  readonly seedsCaught: number;
  readonly seeds: number;
  /** To the first catch, over the seeds in which there was one. */
  readonly medianPrograms: number;
  readonly worstPrograms: number;
  readonly medianSteps: number;
  readonly worstSteps: number;
  /** Steps of the first seed's catch, made small; undefined when nothing was caught, or not again on fresh machines. */
  readonly minimizedSteps: number | undefined;
}

/** When a seed first caught a defect, and all invariants that did in the end. */
interface Catch {
  readonly programs: number;
  readonly steps: number;
  readonly by: ReadonlySet<string>;
  readonly first: { readonly found: Shrinkable; readonly divergence: Divergence };
}

export const matrixRow = async (defect: Defect, options: MatrixOptions): Promise<MatrixRow> => {
  const catches: Catch[] = [];
  for (let seed = 0; seed < options.seeds; seed++) {
    const caught = await hunt(defect, `matrix/${seed}`, options);
    if (caught !== undefined) catches.push(caught);
  }
  const programs = sorted(catches.map((each) => each.programs));
  const steps = sorted(catches.map((each) => each.steps));
  return {
    defect: defect.id,
    caughtBy: countCatches(catches),
    seedsCaught: catches.length,
    seeds: options.seeds,
    medianPrograms: median(programs),
    worstPrograms: programs.at(-1) ?? 0,
    medianSteps: median(steps),
    worstSteps: steps.at(-1) ?? 0,
    minimizedSteps: catches[0] === undefined ? undefined : await minimizedLength(defect, catches[0], options),
  };
};

const hunt = async (defect: Defect, campaign: string, options: MatrixOptions): Promise<Catch | undefined> => {
  const by = new Set<string>();
  let current: Shrinkable | undefined;
  let first: Catch['first'] | undefined;
  const note = (divergence: Divergence): true => {
    if (current !== undefined) first ??= { found: current, divergence };
    by.add(divergence.invariant);
    for (const other of divergence.alsoBroken) by.add(other);
    return true;
  };
  const subject = implWith(defect.id, [defect]);
  const machines = { model: MODEL.create(), subject: subject.create() };
  const lockstep = new Lockstep({ ...machines, invariants: INVARIANTS, tolerates: note });
  const repeats = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  const arbitrary = programArbitrary();
  let caught: { programs: number; steps: number } | undefined;
  for (let index = 0; lockstep.tally.steps < limit(caught?.steps, options); index++) {
    current = arbitrary.generate(randomFor(programSeed(campaign, index)), undefined);
    const { program, traffic } = current.value;
    lockstep.run(program, traffic === 'coherent');
    if (index % REPEAT_EVERY === 0) {
      const again = await repeats.repeat(program);
      if (again !== undefined) note(again);
    }
    if (first !== undefined) caught ??= { programs: index + 1, steps: lockstep.tally.steps };
  }
  await repeats.close();
  return caught === undefined || first === undefined ? undefined : { ...caught, by, first };
};

/** More often than in the fuzz loop, because a hunt is short. */
const REPEAT_EVERY = 64;

const limit = (caughtAt: number | undefined, { mostSteps, stepsBeyond }: MatrixOptions): number =>
  caughtAt === undefined ? mostSteps : caughtAt + stepsBeyond;

const minimizedLength = async (
  defect: Defect,
  { first }: Catch,
  { mostTries }: MatrixOptions,
): Promise<number | undefined> => {
  const sides = { model: MODEL, subject: implWith(defect.id, [defect]), invariants: INVARIANTS };
  const judging = judgeOf(sides, first.divergence);
  try {
    const small = await shrink(first.found, signatureOf(first.divergence), (each) => judging.judge(each), {
      mostTries,
    });
    return small.kind === 'shrunk' ? small.case.program.steps.length : undefined;
  } finally {
    await judging.close();
  }
};

const countCatches = (catches: readonly Catch[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { id } of INVARIANTS) {
    const seeds = catches.filter(({ by }) => by.has(id)).length;
    if (seeds > 0) counts[id] = seeds;
  }
  return counts;
};

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((one, other) => one - other);

const median = (ascending: readonly number[]): number => ascending[Math.floor(ascending.length / 2)] ?? 0;
