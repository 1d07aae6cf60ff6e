/** One of several processes that work at once: warms up, says so, and when told to begin, works for a while and tells how fast. */

import { fuzzWhile } from './fuzz-programs.js';

export interface PartOrder {
  /** Which programs; no two parts share any. */
  readonly part: number;
  /** `spin` only counts: what the machine grants several processes at best. */
  readonly work: 'fuzz' | 'spin';
  readonly milliseconds: number;
}

const WARM_UP = 500;

/** Steps, or rounds of counting, a second. */
const speedOf = async ({ part, work, milliseconds }: PartOrder): Promise<number> => {
  const begin = performance.now();
  const passed = (): number => performance.now() - begin;
  if (work === 'spin') {
    let rounds = 0;
    for (let value = 1; passed() < milliseconds; rounds++) value = spin(value);
    return (rounds / passed()) * 1000;
  }
  const { steps } = await fuzzWhile(part, { goOn: () => passed() < milliseconds });
  return (steps / passed()) * 1000;
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
