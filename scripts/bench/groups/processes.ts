/** What only shows from outside a process: how it starts, how several share the machine, how much memory one takes. */

import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defectNamed } from '../../../impl/defects/registry.js';
import type { Case } from '../../../properties/arbitraries/index.js';
import { programArbitrary } from '../../../properties/arbitraries/index.js';
import { signatureOf } from '../../../properties/divergence.js';
import { INVARIANTS } from '../../../properties/invariants/registry.js';
import { judgeOf } from '../../../properties/judging.js';
import type { Judge } from '../../../properties/minimize/index.js';
import { minimize } from '../../../properties/minimize/index.js';
import { programSeed, randomFor } from '../../../properties/seeds.js';
import { MODEL, implWith } from '../../../properties/subjects/registry.js';
import type { Figure, Round, Unit } from '../figures.js';
import { figureOf, ratioOf } from '../figures.js';
import { fuzzWhile } from '../fuzz-programs.js';
import { collectGarbage } from '../garbage.js';
import type { PartOrder, Speed } from '../parallel-part.js';
import type { Budget } from '../rounds.js';
import { CAMPAIGN } from './generated.js';
import type { Group } from './group.js';

const COMMAND = fileURLToPath(new URL('../../shadowdiff.js', import.meta.url));
const PART = fileURLToPath(new URL('../parallel-part.js', import.meta.url));
const CORPUS = new URL('../../../../corpus/', import.meta.url);

const startFigures = ({ rounds }: Budget): readonly Figure[] => {
  const entry = readdirSync(CORPUS).find((name) => name.endsWith('.json'))!;
  const path = fileURLToPath(new URL(entry, CORPUS));
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
  return [
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
  ];
};

const millisecondsOf = (words: readonly string[]): number => {
  const begin = performance.now();
  const { error } = spawnSync(process.execPath, words, { stdio: 'ignore' });
  if (error !== undefined) throw error;
  return performance.now() - begin;
};

const PARALLEL_MILLISECONDS = 2000;
const PARALLEL_ROUNDS = 3;

/** Speeds of several processes that begin at the same moment, added up. */
const together = async (count: number, work: PartOrder['work']): Promise<Speed> => {
  const parts = Array.from({ length: count }, (_, part) => {
    const child = fork(PART);
    child.send({ part, work, milliseconds: PARALLEL_MILLISECONDS } satisfies PartOrder);
    return child;
  });
  await Promise.all(parts.map((part) => once(part, 'message')));
  const answers = parts.map(async (part) => ((await once(part, 'message')) as [Speed])[0]);
  for (const part of parts) part.send('begin');
  const speeds = await Promise.all(answers);
  const sum = (of: (speed: Speed) => number): number => speeds.reduce((total, speed) => total + of(speed), 0);
  return { byClock: sum(({ byClock }) => byClock), byProcessor: sum(({ byProcessor }) => byProcessor) };
};

const scalingFigures = async (): Promise<readonly Figure[]> => {
  const rounds: Round[] = [];
  while (rounds.length < PARALLEL_ROUNDS) {
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

const SHRINK_STEPS = 200;
const SHRINK_TAKES = 3;
const DEFECT = 'set-pgd-loses-switcher';

/** A counterexample of 200 steps made small. */
const shrinkFigures = async (): Promise<readonly Figure[]> => {
  const sides = { reference: MODEL, subject: implWith(DEFECT, [defectNamed(DEFECT)!]), invariants: INVARIANTS };
  const judging = judgeOf(sides);
  const { found, signature } = await longCounterexample((each) => judging.judge(each));
  const times: number[] = [];
  const tried: number[] = [];
  for (let take = 0; take < SHRINK_TAKES; take++) {
    const begin = performance.now();
    const small = await minimize({ value: found }, signature, (each) => judging.judge(each), {});
    times.push(performance.now() - begin);
    tried.push(small.tried);
  }
  await judging.close();
  return [
    figureOf(
      { id: 'shrink', title: `a counterexample of ${SHRINK_STEPS} steps made small (${tried[0]} tries)`, unit: 'ms' },
      times,
    ),
  ];
};

const longCounterexample = async (judge: Judge): Promise<{ readonly found: Case; readonly signature: string }> => {
  const arbitrary = programArbitrary({ mostSteps: SHRINK_STEPS, traffic: 'hostile' });
  for (let index = 0; ; index++) {
    const { value } = arbitrary.generate(randomFor(programSeed(CAMPAIGN, index)), undefined);
    if (value.program.steps.length < SHRINK_STEPS) continue;
    const divergence = await judge(value);
    if (divergence !== undefined) return { found: value, signature: signatureOf(divergence) };
  }
};

const MEMORY_STEPS = 2_000_000;

/** Heap and typed arrays in use after a tenth of the steps and after all, and the most that the process ever took. */
const memoryFigures = async (): Promise<readonly Figure[]> => {
  const held: number[] = [];
  await fuzzWhile(0, {
    goOn: (_, { steps }) => {
      if (steps >= [MEMORY_STEPS / 10, MEMORY_STEPS][held.length]) held.push(mebibytesHeld());
      return held.length < 2;
    },
  });
  const [early, late] = held;
  const figure = (id: string, title: string, unit: Unit, value: number): Figure =>
    figureOf({ id, title, unit }, [value]);
  return [
    figure('heap-early', 'heap held after 200,000 steps of the loop', 'MiB', early),
    figure('heap-late', 'heap held after 2,000,000 steps', 'MiB', late),
    figure('heap-growth', 'heap late over early', 'times', late / early),
    figure('peak-memory', 'most that this process ever took', 'MiB', process.resourceUsage().maxRSS / 1024),
  ];
};

const mebibytesHeld = (): number => {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
};

const measure = async (budget: Budget): Promise<readonly Figure[]> => [
  ...(await memoryFigures()),
  ...(await scalingFigures()),
  ...startFigures(budget),
  ...(await shrinkFigures()),
];

export const processes: Group = { name: 'processes', title: 'Start, workers, shrinking, memory', measure };
