/** One of several processes that work at once: warms up, reports that, waits for `begin`, works for a while and reports its speed. */

import { IMPL } from '../../properties/subjects/subject-names.js';
import { BatchRun, fuzzWhile } from './fuzz-workloads.js';
import { cpuMilliseconds } from './measurement.js';

export interface PartOrder {
  /** Each part has its own programs. */
  readonly part: number;
  /** `spin` only counts, which shows the best that this machine grants several processes; `batches` are those of a campaign. */
  readonly work: 'fuzz' | 'spin' | 'batches';
  /** What `batches` are of; left out: impl. */
  readonly subject?: string | undefined;
  readonly milliseconds: number;
}

/** Steps, or rounds of counting, per second. */
export interface Speed {
  readonly byClock: number;
  /** Per second of processor time, which other processes do not affect. */
  readonly byProcessor: number;
}

/** The loop gets faster for about three seconds. */
const WARM_UP_MILLISECONDS = 3000;

/** The same for the warm-up and the measurement, so that a subject outside the process is started once. */
let batches: BatchRun | undefined;

const speedOf = async ({ part, work, subject, milliseconds }: PartOrder): Promise<Speed> => {
  const begin = performance.now();
  const cpuBegin = cpuMilliseconds();
  const proceed = (): boolean => performance.now() - begin < milliseconds;
  const done =
    work === 'spin'
      ? spinWhile(proceed)
      : work === 'fuzz'
        ? (await fuzzWhile(part, proceed)).steps
        : await (batches ??= new BatchRun(part, subject ?? IMPL.name)).stepsWhile(proceed);
  return {
    byClock: (done / (performance.now() - begin)) * 1000,
    byProcessor: (done / (cpuMilliseconds() - cpuBegin)) * 1000,
  };
};

const spinWhile = (proceed: () => boolean): number => {
  let rounds = 0;
  for (let value = 1; proceed(); rounds++) value = spin(value);
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
  await speedOf({ ...order, milliseconds: WARM_UP_MILLISECONDS });
  process.send!('ready');
  await begun;
  const speed = await speedOf(order);
  await batches?.close();
  process.send!(speed, () => process.disconnect());
};
