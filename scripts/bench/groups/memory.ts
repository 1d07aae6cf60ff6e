/** Memory that the fuzz loop holds: it must not grow with the steps taken. */

import type { Figure, Unit } from '../figures.js';
import { figureOf } from '../figures.js';
import { fuzzWhile } from '../fuzz-programs.js';
import { collectGarbage } from '../garbage.js';
import type { Group } from './group.js';

const STEPS = 2_000_000;

/** Heap and typed arrays in use after a tenth of the steps and after all, and the most that the process ever took. */
const measure = async (): Promise<readonly Figure[]> => {
  const held: number[] = [];
  await fuzzWhile(0, {
    goOn: (_, { steps }) => {
      if (steps >= [STEPS / 10, STEPS][held.length]) held.push(mebibytesHeld());
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

export const memory: Group = { name: 'memory', title: 'Memory of the fuzz loop', measure };
