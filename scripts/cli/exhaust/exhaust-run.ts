/** Runs `exhaust` with a clock, a progress line, and Ctrl-C. */

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
import { ProgressDisplay, fitting } from '../../terminal/progress-display.js';
import { compactCount, compactlyCounted } from '../../terminal/numbers.js';
import type { Session } from '../../terminal/session.js';

export interface TimedResult extends ExhaustResult {
  readonly interrupted: boolean;
  /** Of the whole run. */
  readonly milliseconds: number;
}

/** `onExploration` is called at the end of every exploration, with its duration in milliseconds. */
export const runExhaust = async (
  options: ExhaustOptions,
  onExploration: (exploration: Exploration, milliseconds: number) => void,
  session: Session,
): Promise<TimedResult> => {
  const run = new ExhaustRun(onExploration, session);
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

class ExhaustRun implements ExhaustWatcher {
  interrupted = false;
  private readonly onExploration: (exploration: Exploration, milliseconds: number) => void;
  private readonly monotonic: () => number;
  private readonly eventLoop: EventLoopYield;
  private readonly start: number;
  /** When the current exploration began. */
  private lap: number;
  private variant: Variant | undefined = undefined;
  private progress: Explored | undefined = undefined;

  constructor(onExploration: (exploration: Exploration, milliseconds: number) => void, { surroundings }: Session) {
    this.onExploration = onExploration;
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

  /** The parts of the progress line, most important first. */
  parts(): readonly string[] {
    const { variant, progress } = this;
    if (variant === undefined || progress === undefined) return ['starting'];
    const { states, transitions, depth } = progress;
    const perSecond = (count: number): string => compactCount((count / (this.monotonic() - this.lap)) * 1000);
    return [
      compactlyCounted(states, 'state'),
      `depth ${depth}`,
      `${variant.paging}, kernel ${variant.kernel}`,
      `${perSecond(states)} states/s`,
      `${perSecond(transitions)} transitions/s`,
    ];
  }

  async mayContinue(variant: Variant, progress: Explored): Promise<boolean> {
    this.variant = variant;
    this.progress = progress;
    await this.eventLoop.pause();
    return !this.interrupted;
  }

  explored(exploration: Exploration): void {
    const now = this.monotonic();
    this.onExploration(exploration, now - this.lap);
    this.lap = now;
  }
}
