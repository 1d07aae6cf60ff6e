/** Lets signals and timers through while synchronous work goes on. */

import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work between two turns of the event loop. */
const YIELD_EVERY = 50;

export class EventLoopYield {
  private readonly monotonic: () => number;
  private last: number;

  constructor(monotonic: () => number) {
    this.monotonic = monotonic;
    this.last = monotonic();
  }

  /** Call it as often as you like: it yields only every 50 ms. */
  pause(): Promise<void> | undefined {
    if (this.monotonic() - this.last < YIELD_EVERY) return undefined;
    return this.turn();
  }

  private async turn(): Promise<void> {
    await setImmediate();
    this.last = this.monotonic();
  }
}
