/** Whole processes, by the clock: how long the command takes to start and end, and how two workers share the machine. */

import type { ChildProcess } from 'node:child_process';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageDirectory } from '../../own-package.js';
import { EXIT } from '../../terminal/exit-codes.js';
import type { Budget, Figure, Group, Round } from '../measurement.js';
import { figureOf, ratioOf } from '../measurement.js';
import type { PartOrder, Speed } from '../parallel-part.js';

const COMMAND = join(packageDirectory(), 'dist/scripts/shadowdiff.js');
const CORPUS = join(packageDirectory(), 'corpus');

const measureStart = ({ rounds }: Budget): Promise<readonly Figure[]> => {
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

export const start: Group = { name: 'start', title: 'From the call to the end, by the clock', measure: measureStart };

const PART = fileURLToPath(new URL('../parallel-part.js', import.meta.url));
const PART_MILLISECONDS = 2000;
const ROUNDS = 3;

/** The summed speed of several processes that begin at the same moment. */
export const together = async (count: number, work: PartOrder['work'], subject?: string): Promise<Speed> => {
  const parts = Array.from({ length: count }, (_, part) => {
    const child = fork(PART);
    child.send({ part, work, subject, milliseconds: PART_MILLISECONDS } satisfies PartOrder);
    return child;
  });
  try {
    await Promise.all(parts.map(nextMessage));
    const answers = parts.map(nextMessage);
    for (const part of parts) part.send('begin');
    const speeds = (await Promise.all(answers)) as readonly Speed[];
    const sum = (of: (speed: Speed) => number): number => speeds.reduce((total, speed) => total + of(speed), 0);
    return { byClock: sum(({ byClock }) => byClock), byProcessor: sum(({ byProcessor }) => byProcessor) };
  } finally {
    for (const part of parts) part.kill();
  }
};

/** Throws if the process ends instead of answering. */
const nextMessage = async (part: ChildProcess): Promise<unknown> => {
  const ended = once(part, 'exit').then(([code, signal]) => {
    throw new Error(`a worker ended with ${code ?? signal}`);
  });
  const [message] = await Promise.race([once(part, 'message'), ended]);
  return message as unknown;
};

const measureWorkers = async (): Promise<readonly Figure[]> => {
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS) {
    const [one, two] = [await together(1, 'fuzz'), await together(2, 'fuzz')];
    const [spinOne, spinTwo] = [await together(1, 'spin'), await together(2, 'spin')];
    rounds.push({
      one: one.byClock,
      two: two.byClock,
      scaling: two.byClock / one.byClock,
      'scaling-processor': two.byProcessor / one.byProcessor,
      'scaling-spin': spinTwo.byClock / spinOne.byClock,
    });
  }
  const ratio = (id: string, title: string): Figure => ratioOf({ id, title }, rounds, (round) => round[id]);
  const speed = (id: string, title: string): Figure =>
    figureOf(
      { id: `workers-${id}`, title, unit: 'steps/s' },
      rounds.map((round) => round[id]),
    );
  return [
    speed('one', 'one worker, by the clock'),
    speed('two', 'two workers together, by the clock'),
    ratio('scaling', 'two workers over one, by the clock'),
    ratio('scaling-processor', 'two workers over one, by processor time'),
    ratio('scaling-spin', 'two loops that only count over one: what this machine grants'),
  ];
};

export const workers: Group = { name: 'workers', title: 'Two workers beside one', measure: measureWorkers };
