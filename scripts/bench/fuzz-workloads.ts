/** Workloads that several groups measure: generated programs on one machine, and the whole fuzz loop. */

import type { Machine, Paging, Program } from '../../model/vocabulary/index.js';
import type { FuzzWatcher } from '../../properties/fuzz.js';
import { fuzz } from '../../properties/fuzz.js';
import type { Case, ProgramOptions, Traffic } from '../../properties/generators/index.js';
import { DEFAULT_PROGRAM_OPTIONS, programArbitrary } from '../../properties/generators/index.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import { IMPL, MODEL } from '../../properties/subjects/subject-names.js';
import type { Tally } from '../../properties/tally.js';

/**
 * Runs the fuzz loop, with everything on, until the watcher stops it. Each `part` has its own programs. Throws on a finding, because
 * the run would then measure the shrinker.
 */
export const fuzzWhile = async (part: number, watcher: FuzzWatcher): Promise<Tally> => {
  const { tally, findings } = await fuzz(
    {
      ...DEFAULT_PROGRAM_OPTIONS,
      campaign: part === 0 ? CAMPAIGN : `${CAMPAIGN}/${part}`,
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

/** One long run that pauses between stretches, so that starting a run is not measured. */
export class PausingLoop {
  private wanted = 0;
  private steps = 0;
  private goOn: () => void = () => undefined;
  private arrived: () => void = () => undefined;
  private run: Promise<Tally> | undefined = undefined;

  /** Runs `programs` more programs and returns their number of steps. */
  async stretch(programs: number): Promise<number> {
    const before = this.steps;
    this.wanted += programs;
    const arrival = new Promise<void>((resolve) => (this.arrived = resolve));
    this.goOn();
    this.run ??= fuzzWhile(0, { goOn: (done, tally) => done < this.wanted || this.pause(tally) });
    await Promise.race([arrival, this.run]);
    return this.steps - before;
  }

  private pause({ steps }: Tally): Promise<boolean> {
    this.steps = steps;
    const going = new Promise<boolean>((resolve) => (this.goOn = () => resolve(true)));
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
