#!/usr/bin/env node
/** `npm run mutation`: how many one-place changes of the machines a bounded campaign notices. Run it in the project's directory. */

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Stryker } from '@stryker-mutator/core';
import { Argument, Command } from 'commander';
import { wholeNumber } from '../../cli/options/option-values.js';
import { packageVersion } from '../../own-package.js';
import type { MutationScore } from '../../report/document/report-document.js';
import { MUTATION_SCORES, mutationScores } from '../../report/document/report-document.js';
import type { JudgedMutant, StrykerReport } from './mutation-score.js';
import { SURVIVORS, mutantsOf, percentOf, scoreOf, survivors } from './mutation-score.js';

/** What is mutated together. The views that invariants look through, and the states that `exhaust` compares, are no machines. */
const TARGETS = {
  impl: ['impl/*.ts', '!impl/machine-view.ts', '!impl/shadow-machine-state.ts'],
  model: ['model/*.ts', '!model/machine-state.ts', '!model/walking-mmu.ts'],
  walk: ['model/walking-mmu.ts'],
} as const;

type Target = keyof typeof TARGETS;
const ALL = Object.keys(TARGETS) as Target[];

const OUT = 'out/mutation';
/** What a mutant must survive. */
const PROGRAMS = 4000;
/** Of what is not listed as equivalent or as a guard. */
const LEAST_PERCENT = 97;

interface Flags {
  readonly file?: readonly string[];
  readonly workers: number;
  readonly save?: true;
}

const judge = async (target: Target, files: readonly string[], workers: number): Promise<readonly JudgedMutant[]> => {
  const json = `${OUT}/${target}.json`;
  await new Stryker({
    mutate: [...files],
    testRunner: 'command',
    commandRunner: { command: `node judge.mjs ${target} ${PROGRAMS}` },
    buildCommand: 'rolldown -c scripts/bench/mutation/rolldown.config.js --log-level warn',
    coverageAnalysis: 'off',
    concurrency: workers,
    // For mutants that never end. A busy machine must not make others look like them.
    timeoutFactor: 4,
    reporters: ['json', 'html', 'progress-append-only'],
    jsonReporter: { fileName: json },
    htmlReporter: { fileName: `${OUT}/${target}.html` },
    tempDirName: `${OUT}/${target}`,
    // Stryker would rewrite the compiler's configuration, with an interface that TypeScript 7 lacks.
    ignorePatterns: ['/build', '/corpus', '/dist', '/out', '/tsconfig*.json', '*.test.ts'],
  }).runMutationTest();
  return mutantsOf(JSON.parse(readFileSync(json, 'utf8')) as StrykerReport);
};

/** The other scores stay as they are. */
const save = (scores: readonly MutationScore[]): void => {
  const machines = new Set(scores.map(({ machine }) => machine));
  const others = mutationScores.parse(JSON.parse(readFileSync(MUTATION_SCORES, 'utf8')));
  const all = [...others.filter(({ machine }) => !machines.has(machine)), ...scores];
  writeFileSync(MUTATION_SCORES, `${JSON.stringify(all, undefined, 2)}\n`);
};

const run = async (targets: readonly Target[], { file, workers, ...flags }: Flags): Promise<void> => {
  const list = survivors.parse(JSON.parse(readFileSync(SURVIVORS, 'utf8')));
  const scores: MutationScore[] = [];
  for (const machine of targets) {
    const { score, problems } = scoreOf(await judge(machine, file ?? TARGETS[machine], workers), list);
    const { mutations, found, equivalent, guards, missed } = score;
    console.log(
      `${machine}: ${found} of ${mutations} mutants killed, ${percentOf(score).toFixed(1)} % without ${equivalent} equivalent ones and ${guards} guards; ${missed} missed`,
    );
    for (const problem of problems) console.log(problem);
    if (problems.length > 0 || percentOf(score) < LEAST_PERCENT) process.exitCode = 1;
    const date = new Date().toISOString().slice(0, 10);
    scores.push({ machine, version: packageVersion(), date, programs: PROGRAMS, ...score });
  }
  if (flags.save === true) save(scores);
};

await new Command('mutation')
  .description(
    'Change the machines in one place at a time, and see whether a bounded campaign notices; takes some minutes.',
  )
  .addArgument(new Argument('[target...]', 'what is changed').choices(ALL).default(ALL))
  .option('--file <file...>', 'only these; also FILE:LINE-LINE')
  .option('--workers <count>', 'processes', wholeNumber(1, 256), availableParallelism())
  .option('--save', `write the scores to ${MUTATION_SCORES}`)
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
