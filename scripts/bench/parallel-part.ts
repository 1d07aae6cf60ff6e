/** One of several processes that work at once: warms up, says so, and when told to begin, works for a while and tells how fast. */

import { fuzzWhile } from './fuzz-programs.js';

export interface PartOrder {
  /** Which programs; no two parts share any. */
  readonly part: number;
  /** `spin` only counts: what the machine grants several processes at best. */
  readonly work: 'fuzz' | 'spin';
  readonly milliseconds: number;
}

/** Steps, or rounds of counting, a second. */
export interface Speed {
  readonly byClock: number;
  /** Of processor time, so that others on the machine do not count. */
  readonly byProcessor: number;
}

/** The loop goes on becoming faster for about three seconds. */
const WARM_UP = 3000;

const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const speedOf = async ({ part, work, milliseconds }: PartOrder): Promise<Speed> => {
  const begin = performance.now();
  const cpuBegin = cpuMilliseconds();
  const goOn = (): boolean => performance.now() - begin < milliseconds;
  const done = work === 'spin' ? spinWhile(goOn) : (await fuzzWhile(part, { goOn })).steps;
  return {
    byClock: (done / (performance.now() - begin)) * 1000,
    byProcessor: (done / (cpuMilliseconds() - cpuBegin)) * 1000,
  };
};

const spinWhile = (goOn: () => boolean): number => {
  let rounds = 0;
  for (let value = 1; goOn(); rounds++) value = spin(value);
  return rounds;
};

const spin = (from: number): number => {
  let value = from;
  for (let count = 0; count < 10_000; count++) value = Math.imul(value, 0x41c64e6d) + 12_345;
  return value;
};

const begun = new Promise<void>((resolve) => {
  process.on('message', (message: PartOrder | 'begin') => {
    if (message === 'begin') resolve();
    else void run(message);
  });
});

const run = async (order: PartOrder): Promise<void> => {
  await speedOf({ ...order, milliseconds: WARM_UP });
  process.send!('ready');
  await begun;
  process.send!(await speedOf(order), () => process.disconnect());
};
