/** One run of `exhaust`: the explorations of properties/exhaust with a clock, a terminal and a way to stop them. */

import type { Explored } from '../../../properties/exhaust/exploration.js';
import type {
  ExhaustOptions,
  ExhaustResult,
  ExhaustWatcher,
  Exploration,
  Variant,
} from '../../../properties/exhaust/exhaust.js';
import { exhaust } from '../../../properties/exhaust/exhaust.js';
import { EventLoopYield } from '../../terminal/event-loop-yield.js';
import { ProgressDisplay } from '../../terminal/progress-display.js';
import { compactCount } from '../../terminal/numbers.js';
import { fitting } from '../../terminal/progress-line.js';
import type { Session } from '../../terminal/session.js';

export interface TimedResult extends ExhaustResult {
  readonly interrupted: boolean;
  /** Of the whole run. */
  readonly milliseconds: number;
}

/** `told`: called with every exploration at its end, and how long it took in milliseconds. */
export const runExhaust = async (
  options: ExhaustOptions,
  told: (exploration: Exploration, milliseconds: number) => void,
  session: Session,
): Promise<TimedResult> => {
  const run = new Run(told, session);
  const display = new ProgressDisplay(session, (columns) => fitting(run.parts(), columns));
  const unsubscribe = session.surroundings.onInterrupt(() => run.interrupt());
  try {
    const result = await exhaust(options, run);
    return { ...result, interrupted: run.interrupted, milliseconds: Math.round(run.elapsed) };
  } finally {
    unsubscribe();
    display.end();
  }
};

class Run implements ExhaustWatcher {
  interrupted = false;
  private readonly told: (exploration: Exploration, milliseconds: number) => void;
  private readonly monotonic: () => number;
  private readonly eventLoop: EventLoopYield;
  private readonly start: number;
  /** Where the exploration at hand began. */
  private lap: number;
  private variant: Variant | undefined = undefined;
  private sofar: Explored | undefined = undefined;

  constructor(told: (exploration: Exploration, milliseconds: number) => void, { surroundings }: Session) {
    this.told = told;
    this.monotonic = surroundings.monotonic;
    this.eventLoop = new EventLoopYield(this.monotonic);
    this.start = this.lap = this.monotonic();
  }

  get elapsed(): number {
    return this.monotonic() - this.start;
  }

  interrupt(): void {
    this.interrupted = true;
  }

  /** What the progress line says, in the order of importance. */
  parts(): readonly string[] {
    const { variant, sofar } = this;
    if (variant === undefined || sofar === undefined) return ['starting'];
    const { states, transitions, depth } = sofar;
    const perSecond = (count: number): string => compactCount((count / (this.monotonic() - this.lap)) * 1000);
    return [
      `${compactCount(states)} states`,
      `depth ${depth}`,
      `${variant.paging}, kernel ${variant.kernel}`,
      `${perSecond(states)} states/s`,
      `${perSecond(transitions)} transitions/s`,
    ];
  }

  // What the explorations ask and tell.

  async goOn(variant: Variant, sofar: Explored): Promise<boolean> {
    this.variant = variant;
    this.sofar = sofar;
    await this.eventLoop.pause();
    return !this.interrupted;
  }

  explored(exploration: Exploration): void {
    const now = this.monotonic();
    this.told(exploration, now - this.lap);
    this.lap = now;
  }
}
