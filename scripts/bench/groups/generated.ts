/** Generated programs to measure on: every run of every version has the same ones, as long as the generators stay. */

import type { Machine, Paging, Program } from '../../../model/vocabulary/index.js';
import type { Case, ProgramOptions, Traffic } from '../../../properties/generators/index.js';
import { programArbitrary } from '../../../properties/generators/index.js';
import { programSeed, randomFor } from '../../../properties/seeds.js';

/** Names the programs. */
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

/** Runs whole programs, a fresh machine and its end included; answers the number of steps. */
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
