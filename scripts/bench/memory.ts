/** Heap that the fuzz loop holds early and late: it must not grow with the steps taken. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { runLoop } from './workloads.js';

export interface HeapAt {
  readonly steps: number;
  /** Bytes in use after a full collection, typed arrays included. */
  readonly bytes: number;
}

/** After a tenth of the steps, and after all of them. */
export const heapOfLoop = async (steps: number): Promise<readonly [early: HeapAt, late: HeapAt]> => {
  const collect = garbageCollector();
  const taken: HeapAt[] = [];
  await runLoop({
    goOn: (_, tally) => {
      const next = [steps / 10, steps][taken.length];
      if (next !== undefined && tally.steps >= next) taken.push({ steps: tally.steps, bytes: heapBytes(collect) });
      return taken.length < 2;
    },
  });
  const [early, late] = taken;
  if (early === undefined || late === undefined) throw new Error('the loop ended early');
  return [early, late];
};

const heapBytes = (collect: () => void): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Node.js hides it behind a flag, which can be given later too. */
const garbageCollector = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
};
