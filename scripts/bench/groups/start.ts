/** How long the command takes from its call to its end, by the clock, on work that takes next to nothing. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageDirectory } from '../../own-package.js';
import { EXIT } from '../../terminal/exit-codes.js';
import type { Figure, Round } from '../figures.js';
import { figureOf, ratioOf } from '../figures.js';
import type { Budget } from '../rounds.js';
import type { Group } from './group.js';

const COMMAND = join(packageDirectory(), 'dist/scripts/shadowdiff.js');
const CORPUS = join(packageDirectory(), 'corpus');

const measure = ({ rounds }: Budget): Promise<readonly Figure[]> => {
  const entry = readdirSync(CORPUS).find((name) => name.endsWith('.json'))!;
  const path = join(CORPUS, entry);
  const starts = {
    bare: ['-e', '0'],
    help: [COMMAND, '--help'],
    replay: [COMMAND, 'replay', path],
    regress: [COMMAND, 'regress', path],
  };
  const takeRound = (): Round =>
    Object.fromEntries(Object.entries(starts).map(([name, words]) => [name, millisecondsOf(words)]));
  takeRound();
  const taken = Array.from({ length: rounds }, takeRound);
  const figure = (name: string, title: string): Figure =>
    figureOf(
      { id: `start-${name}`, title, unit: 'ms' },
      taken.map((round) => round[name]),
    );
  return Promise.resolve([
    figure('bare', 'Node.js that does nothing'),
    figure('help', 'shadowdiff --help'),
    figure('replay', 'shadowdiff replay of one entry'),
    figure('regress', 'shadowdiff regress of one entry'),
    ratioOf(
      { id: 'replay-over-bare', title: 'replay over Node.js that does nothing' },
      taken,
      (round) => round['replay'] / round['bare'],
    ),
    ratioOf(
      { id: 'help-over-bare', title: '--help over Node.js that does nothing' },
      taken,
      (round) => round['help'] / round['bare'],
    ),
  ]);
};

const millisecondsOf = (words: readonly string[]): number => {
  const begin = performance.now();
  const { error, status } = spawnSync(process.execPath, words, { stdio: 'ignore' });
  const passed = performance.now() - begin;
  if (error !== undefined) throw error;
  if (status !== EXIT.clean && status !== EXIT.divergence) throw new Error(`${words.join(' ')} ended with ${status}`);
  return passed;
};

export const start: Group = { name: 'start', title: 'From the call to the end, by the clock', measure };
