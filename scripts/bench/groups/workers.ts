/** How several processes that run the fuzz loop on different programs share the machine. */

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Figure, Round } from '../figures.js';
import { figureOf, ratioOf } from '../figures.js';
import type { PartOrder, Speed } from '../parallel-part.js';
import type { Group } from './group.js';

const PART = fileURLToPath(new URL('../parallel-part.js', import.meta.url));
const MILLISECONDS = 2000;
const ROUNDS = 3;

/** Speeds of several processes that begin at the same moment, added up. */
const together = async (count: number, work: PartOrder['work']): Promise<Speed> => {
  const parts = Array.from({ length: count }, (_, part) => {
    const child = fork(PART);
    child.send({ part, work, milliseconds: MILLISECONDS } satisfies PartOrder);
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

/** Throws if the process ends instead: it would be waited for for ever. */
const nextMessage = async (part: ChildProcess): Promise<unknown> => {
  const ended = once(part, 'exit').then(([code, signal]) => {
    throw new Error(`a worker ended with ${code ?? signal}`);
  });
  const [message] = await Promise.race([once(part, 'message'), ended]);
  return message as unknown;
};

const measure = async (): Promise<readonly Figure[]> => {
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

export const workers: Group = { name: 'workers', title: 'Two workers beside one', measure };
