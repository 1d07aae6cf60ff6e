#!/usr/bin/env node
/** `npm run mutation`: how many one-place changes of the machines a bounded campaign notices. Run it in the project's directory. */

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Stryker } from '@stryker-mutator/core';
import { Command } from 'commander';
import { wholeNumber } from '../../cli/options/option-values.js';
import { packageVersion } from '../../own-package.js';
import type { MutationScore } from '../../report/document/report-document.js';
import { MUTATION_SCORES } from '../../report/document/report-document.js';
import type { JudgedMutant, StrykerReport } from './mutation-score.js';
import { SURVIVORS, mutantsOf, percentOf, scoreOf, survivors } from './mutation-score.js';

/**
 * What is mutated. The views that invariants look through and the states that `exhaust` compares are no part of a machine; the walking MMU
 * and the history of translations are the reference in another profile.
 */
const MACHINES = {
  impl: ['impl/*.ts', '!impl/machine-view.ts', '!impl/shadow-machine-state.ts'],
  model: ['model/*.ts', '!model/machine-state.ts', '!model/walking-mmu.ts', '!model/translation-history.ts'],
};

const OUT = 'out/mutation';
/** What a mutant must survive. */
const PROGRAMS = 4000;
/** Of what is not listed as equivalent or as a guard. */
const LEAST_PERCENT = 97;

const judged = async (name: string, mutate: string[], workers: number): Promise<readonly JudgedMutant[]> => {
  const json = `${OUT}/${name}.json`;
  await new Stryker({
    mutate,
    testRunner: 'command',
    commandRunner: { command: `node judge.mjs ${PROGRAMS}` },
    buildCommand: 'rolldown -c scripts/bench/mutation/rolldown.config.js --log-level warn',
    coverageAnalysis: 'off',
    concurrency: workers,
    // For mutants that never end. A busy machine must not make others look like them.
    timeoutFactor: 4,
    reporters: ['json', 'html', 'progress-append-only'],
    jsonReporter: { fileName: json },
    htmlReporter: { fileName: `${OUT}/${name}.html` },
    tempDirName: `${OUT}/${name}`,
    // Stryker would rewrite the compiler's configuration, with an interface that TypeScript 7 lacks.
    ignorePatterns: ['/build', '/corpus', '/dist', '/out', '/tsconfig*.json', '*.test.ts'],
  }).runMutationTest();
  return mutantsOf(JSON.parse(readFileSync(json, 'utf8')) as StrykerReport);
};

/** Prints the score and what is wrong with the list, for which the process fails. */
const scored = async (name: string, mutate: string[], workers: number): Promise<MutationScore> => {
  const list = survivors.parse(JSON.parse(readFileSync(SURVIVORS, 'utf8')));
  const { score, problems } = scoreOf(await judged(name, mutate, workers), list);
  const { mutations, found, equivalent, guards, missed } = score;
  console.log(`${name}: ${found} of ${mutations} mutants killed, ${missed} missed`);
  console.log(`${percentOf(score).toFixed(1)} % without ${equivalent} equivalent ones and ${guards} guards`);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0 || percentOf(score) < LEAST_PERCENT) process.exitCode = 1;
  const date = new Date().toISOString().slice(0, 10);
  return { machine: name, version: packageVersion(), date, programs: PROGRAMS, ...score };
};

interface Flags {
  readonly workers: number;
  readonly save?: true;
}

const run = async (files: string[], { workers, save }: Flags, command: Command): Promise<void> => {
  if (files.length === 0) {
    const scores: MutationScore[] = [];
    for (const [name, mutate] of Object.entries(MACHINES)) scores.push(await scored(name, mutate, workers));
    if (save === true) writeFileSync(MUTATION_SCORES, `${JSON.stringify(scores, undefined, 2)}\n`);
  } else if (save === true) command.error('error: only the scores of whole machines are saved; name no file');
  else await scored('files', files, workers);
};

await new Command('mutation')
  .description('Change the machines in one place at a time, and see whether a bounded campaign notices.')
  .argument('[file...]', 'what to change; left out: both machines, which takes half an hour')
  .option('--workers <count>', 'processes', wholeNumber(1, 256), availableParallelism())
  .option('--save', `write the scores to ${MUTATION_SCORES}`)
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
