#!/usr/bin/env node
/**
 * `npm run bench:hidden`: whether edges of a subject's own code, as feedback, find bugs behind comparisons with constants. Needs clang.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { Command } from 'commander';
import { Tinypool } from 'tinypool';
import { wholeNumber } from '../../cli/options/option-values.js';
import { formatCount } from '../../terminal/numbers.js';
import { median } from './guided-figures.js';
import { HIDDEN_BUGS, buildHiddenBug } from './hidden-bugs.js';
import type { HiddenTask } from './hidden-task.js';

interface Flags {
  readonly seeds: number;
  readonly epochs: number;
  readonly programs: number;
  readonly workers: number;
}

/** The shares of the programs that are made from the pool. */
const SHARES = [0, 0.5] as const;

const measure = async ({ seeds, epochs, programs, workers }: Flags, directory: string): Promise<string> => {
  const filename = new URL('hidden-task.js', import.meta.url).href;
  const pool = new Tinypool({ filename, minThreads: workers, maxThreads: workers });
  const hunts = async (id: string, command: string): Promise<readonly string[]> => {
    const row = await Promise.all(
      SHARES.map(async (share) => {
        const tasks = Array.from({ length: seeds }, (_, seed): HiddenTask => {
          return { command, campaign: `hidden/${id}/${seed}`, share, epochs, programs };
        });
        const found = await Promise.all(tasks.map(async (task) => (await pool.run(task)) as number));
        return cell(found);
      }),
    );
    return [id, ...row];
  };
  try {
    const table = new Table({
      head: ['median programs to the first finding', 'without', '--guided 0.5'],
      style: { head: [], border: [], compact: true },
    });
    table.push(
      ...(await Promise.all(HIDDEN_BUGS.map((bug) => hunts(bug.id, buildHiddenBug(bug, directory))))).map((row) => [
        ...row,
      ]),
    );
    return table.toString();
  } finally {
    await pool.destroy();
  }
};

/** The median, and how many seeds found it. */
const cell = (found: readonly number[]): string => {
  const middle = median(found);
  const share = `${found.filter((programs) => programs < Infinity).length} of ${found.length}`;
  return middle === Infinity ? `- (${share})` : `${formatCount(middle)} (${share})`;
};

const run = async (flags: Flags): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'hidden-bugs-'));
  try {
    console.log(await measure(flags, directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

await new Command('bench:hidden')
  .description('Measure whether edges as feedback find bugs behind comparisons that programs rarely pass; needs clang.')
  .option('--seeds <count>', 'seeds for each figure', wholeNumber(1, 1000), 2)
  .option('--epochs <count>', 'campaigns, each from the pool of those before it', wholeNumber(1, 1000), 10)
  .option('--programs <count>', 'programs of each campaign', wholeNumber(1, 1e9), 3000)
  .option('--workers <count>', 'worker threads', wholeNumber(1, 256), availableParallelism())
  .helpOption('-h, --help', 'print this help')
  .action(run)
  .parseAsync();
