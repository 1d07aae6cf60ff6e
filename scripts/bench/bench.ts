#!/usr/bin/env node
/** `npm run bench`: the speed of everything, in processor time on one core. README.md beside this file says how to read it. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../cli/options/option-values.js';
import type { GroupResult, Results } from './bench-results.js';
import {
  BOUNDS,
  changesBetween,
  changeTable,
  groupTable,
  readResults,
  resultsOf,
  TARGETS,
  verdictsOn,
  verdictTable,
  writeResults,
} from './bench-results.js';
import { groupNamed, GROUPS } from './groups/index.js';
import type { Answer, Order } from './measure-group.js';
import type { Budget } from './measurement.js';

interface Flags {
  readonly rounds: number;
  readonly time: number;
  readonly programs: number;
  readonly group?: readonly string[];
  readonly smoke?: true;
  readonly json?: true;
  readonly save?: string;
  readonly compare?: string;
}

const CHILD = fileURLToPath(new URL('measure-group.js', import.meta.url));

/** Takes less than half a minute. */
const SMOKE_GROUPS = ['machines', 'access', 'loop', 'memory'];
const SMOKE_BUDGET: Budget = { rounds: 3, milliseconds: 50, warmUp: 250, programs: 200 };
const WARM_UP_MILLISECONDS = 2000;

/**
 * Workloads keep programs to run them again. V8 would conclude that programs live long, and put all that are generated from then on into the
 * old heap. Those of a campaign die young, so the loop would seem slower than it is.
 */
const V8_FLAGS = ['--no-allocation-site-pretenuring'];

const measureGroup = async (group: string, budget: Budget): Promise<Answer> => {
  const child = fork(CHILD, { execArgv: V8_FLAGS });
  child.send({ group, budget } satisfies Order);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the group ${group} ended with exit code ${String(code)}`);
  });
  const [figures] = (await Promise.race([once(child, 'message'), ended])) as [Answer];
  ended.catch(() => undefined);
  return figures;
};

const measure = async ({ rounds, time, programs, group, smoke, json }: Flags): Promise<Results> => {
  const budget = smoke === true ? SMOKE_BUDGET : { rounds, milliseconds: time, warmUp: WARM_UP_MILLISECONDS, programs };
  const names = group ?? (smoke === true ? SMOKE_GROUPS : GROUPS.map(({ name }) => name));
  const groups: GroupResult[] = [];
  for (const { name, title } of GROUPS.filter(({ name }) => names.includes(name))) {
    const result = { group: name, title, figures: await measureGroup(name, budget) };
    if (json !== true) console.log(groupTable(result));
    groups.push(result);
  }
  return resultsOf(cpus()[0]?.model ?? 'unknown', groups);
};

const run = async (flags: Flags): Promise<void> => {
  try {
    await measureAndPrint(flags);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    process.exitCode = 1;
  }
};

const measureAndPrint = async (flags: Flags): Promise<void> => {
  // A wrong path should fail before minutes of measuring, not after.
  if (flags.save !== undefined) await access(dirname(flags.save), constants.W_OK);
  const before = flags.compare === undefined ? undefined : readResults(flags.compare);
  const results = await measure(flags);
  const verdicts = verdictsOn(flags.smoke === true ? BOUNDS : TARGETS, results.groups);
  const changes = before === undefined ? undefined : changesBetween(before, results);
  if (flags.json === true)
    console.log(JSON.stringify({ ...results, verdicts, ...(changes === undefined ? {} : { changes }) }));
  else {
    if (verdicts.length > 0) console.log(verdictTable(flags.smoke === true ? 'bounds' : 'targets', verdicts));
    if (changes !== undefined) console.log(changeTable(changes));
  }
  if (flags.save !== undefined) await writeResults(flags.save, results);
  if (flags.smoke === true && verdicts.some(({ met }) => !met)) process.exitCode = 1;
};

const groupName = (name: string, before: readonly string[] = []): readonly string[] => {
  if (groupNamed(name) !== undefined) return [...before, name];
  throw new InvalidArgumentError(`Choose from: ${GROUPS.map((group) => group.name).join(', ')}.`);
};

await new Command('bench')
  .description(
    'Measure both machines, the fuzz loop and the command; figures are processor time unless they say otherwise.',
  )
  .option('--group <name...>', `only these: ${GROUPS.map(({ name }) => name).join(', ')}`, groupName)
  .option('--rounds <count>', 'rounds; the tables show their median', wholeNumber(1, 1000), 9)
  .option('--time <milliseconds>', 'processor time for one workload in one round', wholeNumber(1, 60_000), 100)
  .option('--programs <count>', 'programs in a pass, which are held in memory', wholeNumber(10, 20_000), 400)
  .option('--smoke', 'a short run that checks ratios against wide bounds; exit with 1 if one is outside')
  .option('--save <file>', 'write the figures to a file, as a baseline')
  .option('--compare <file>', 'show what differs from a baseline by more than the spread')
  .option('--json', 'print one JSON object')
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
