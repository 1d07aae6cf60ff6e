/** Workloads that several groups measure: generated programs on one machine, and the whole fuzz loop. */

import type { Machine, Paging, Program } from '../../model/vocabulary/index.js';
import type { BatchOptions } from '../../properties/campaign/batch.js';
import { runBatch } from '../../properties/campaign/batch.js';
import { runUntilDivergence } from '../../properties/campaign/programs.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Case, ProgramOptions, Traffic } from '../../properties/generators/index.js';
import { DEFAULT_PROGRAM_OPTIONS, programArbitrary } from '../../properties/generators/index.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { Pair } from '../../properties/pair.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import { metalCapabilities } from '../../properties/subjects/metal-subject.js';
import { IMPL, MODEL, WALK, subjectNamed } from '../../properties/subjects/subject-names.js';
import type { Tally } from '../../properties/tally.js';

/**
 * Runs the fuzz loop, with everything on, until `proceed`, called before each program, returns false. Each `part` has its own programs.
 * `judge`: the share of programs that are judged in full. Throws on a finding, because the run would then measure the shrinker.
 */
export const fuzzWhile = async (
  part: number,
  proceed: (programs: number, tally: Tally) => boolean | Promise<boolean>,
  judge = 1,
): Promise<Tally> => {
  const pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS });
  const options = { ...DEFAULT_PROGRAM_OPTIONS, judge, campaign: part === 0 ? CAMPAIGN : `${CAMPAIGN}/${part}` };
  const { divergence } = await runUntilDivergence(options, pair, (programs) => proceed(programs, pair.tally));
  if (divergence === undefined) return pair.tally;
  throw new Error(`the machines diverge (${signatureOf(divergence)}); run shadowdiff fuzz`);
};

const BATCH_PROGRAMS = 200;

/** What `--profile architecture` makes of a campaign. */
const OF_A_CPU = {
  model: WALK,
  profile: 'architecture',
  traffic: 'coherent',
  guestPages: metalCapabilities(0).guestPages,
} as const;

/** A campaign that runs batch after batch against any subject. */
export class BatchRun {
  private readonly options: BatchOptions;
  private first = 0;

  /** Each `part` has its own programs. Any command may be named. */
  constructor(part: number, subject: string) {
    this.options = {
      ...DEFAULT_PROGRAM_OPTIONS,
      campaign: `${CAMPAIGN}/${part}`,
      date: '',
      version: '',
      model: MODEL,
      subject: subjectNamed(subject, 'bench', { caseTimeout: 10_000, allowed: 'all' }),
      invariants: INVARIANTS,
      ...(subject.startsWith('metal:') ? OF_A_CPU : {}),
    };
  }

  /** Runs whole batches while `proceed` returns true, and returns the number of steps. Throws on a finding. */
  async stepsWhile(proceed: () => boolean): Promise<number> {
    let steps = 0;
    while (proceed()) {
      const range = { first: this.first, stride: 1, count: BATCH_PROGRAMS };
      // As in a worker, which another process ends if it hangs.
      const task = { range, skip: [], enough: {}, unlimited: true };
      const { counts, findings } = await runBatch(this.options, task, () => undefined);
      if (findings.length > 0) throw new Error(`a finding: ${signatureOf(findings[0].divergence)}`);
      this.first += BATCH_PROGRAMS;
      steps += counts.steps;
    }
    return steps;
  }

  async close(): Promise<void> {
    const { subject } = this.options;
    if (subject.kind === 'external') await subject.close();
  }
}

/** One long run that pauses between stretches, so that starting a run is not measured. */
export class PausingLoop {
  private readonly judge: number;
  private wanted = 0;
  private steps = 0;
  private resume: () => void = () => undefined;
  private arrived: () => void = () => undefined;
  private run: Promise<Tally> | undefined = undefined;

  /** `judge`: the share of programs that are judged in full. */
  constructor(judge = 1) {
    this.judge = judge;
  }

  /** Runs `programs` more programs and returns their number of steps. */
  async stretch(programs: number): Promise<number> {
    const before = this.steps;
    this.wanted += programs;
    const arrival = new Promise<void>((resolve) => (this.arrived = resolve));
    this.resume();
    this.run ??= fuzzWhile(0, (done, tally) => done < this.wanted || this.pause(tally), this.judge);
    await Promise.race([arrival, this.run]);
    return this.steps - before;
  }

  private pause({ steps }: Tally): Promise<boolean> {
    this.steps = steps;
    const going = new Promise<boolean>((resolve) => (this.resume = () => resolve(true)));
    this.arrived();
    return going;
  }
}

/** The campaign that all generated programs come from. */
export const CAMPAIGN = 'bench';

export const generatedCases = (count: number, options: Partial<ProgramOptions> = {}): readonly Case[] => {
  const arbitrary = programArbitrary(options);
  return Array.from(
    { length: count },
    (_, index) => arbitrary.generate(randomFor(programSeed(CAMPAIGN, index)), undefined).value,
  );
};

export const programsOf = (traffic: Traffic, paging: Paging, count: number): readonly Program[] =>
  generatedCases(count, { traffic, paging }).map(({ program }) => program);

/** Runs whole programs, from creating the machine to destroying it, and returns the number of steps. */
export const runPrograms = (machine: Machine, programs: readonly Program[]): number => {
  let steps = 0;
  for (const program of programs) {
    machine.create(program.machine);
    for (const step of program.steps) machine.apply(step);
    machine.destroy();
    steps += program.steps.length;
  }
  return steps;
};
