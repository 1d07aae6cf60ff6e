#!/usr/bin/env node
/** `npm run bench`: how fast everything is, on one core and in one process, so that the numbers can be compared. */

import { Command } from 'commander';
import { wholeNumber } from '../options/whole-number.js';
import type { Figures } from './figures.js';
import { figuresOf, missed } from './figures.js';
import { heapOfLoop } from './memory.js';
import { report } from './report.js';
import { takeRounds } from './rounds.js';
import { workloads } from './workloads.js';

interface Flags {
  readonly seconds: number;
  readonly programs: number;
  readonly rounds: number;
  readonly memorySteps: number;
  readonly json?: true;
  readonly check?: true;
}

const measure = async ({ programs, rounds, seconds, memorySteps }: Flags): Promise<Figures> => {
  const taken = await takeRounds(workloads(programs), rounds, seconds);
  return figuresOf(taken, await heapOfLoop(memorySteps));
};

const run = async (flags: Flags): Promise<void> => {
  const figures = await measure(flags);
  const complaints = flags.check === true ? missed(figures) : [];
  console.log(flags.json === true ? JSON.stringify(figures) : report(figures));
  for (const complaint of complaints) console.error(`too slow: ${complaint}`);
  if (complaints.length > 0) process.exitCode = 1;
};

await new Command('bench')
  .description('Measure steps per second of processor time, on programs of the default traffic.')
  .option('--seconds <count>', 'processor time for the speeds', wholeNumber(1, 3600), 20)
  .option('--rounds <count>', 'rounds that the time is divided into', wholeNumber(1, 100), 7)
  .option('--programs <count>', 'programs in a pass; they are held in memory', wholeNumber(10, 20_000), 2000)
  .option('--memory-steps <count>', 'steps for the heap', wholeNumber(10_000, 1e12), 10_000_000)
  .option('--check', 'exit with 1 if a ratio between speeds, or the heap, is out of bounds')
  .option('--json', 'print one JSON object; speeds in nanoseconds a step')
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
