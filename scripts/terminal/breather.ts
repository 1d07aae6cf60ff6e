/** Lets signals and timers through while work goes on that never waits for anything. */

import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work between two breaths. */
const BREATH_EVERY = 50;

export class Breather {
  private readonly monotonic: () => number;
  private last: number;

  constructor(monotonic: () => number) {
    this.monotonic = monotonic;
    this.last = monotonic();
  }

  /** To be awaited as often as one likes: it yields to the event loop only now and then. */
  pause(): Promise<void> | undefined {
    if (this.monotonic() - this.last < BREATH_EVERY) return undefined;
    return this.breathe();
  }

  private async breathe(): Promise<void> {
    await setImmediate();
    this.last = this.monotonic();
  }
}
