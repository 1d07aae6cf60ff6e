/** One fuzz run: the loop of properties/fuzz.ts with a clock, a terminal and a way to stop it. */

import type { FuzzResult, FuzzWatcher, KindOfFinding } from '../../properties/fuzz.js';
import { fuzz } from '../../properties/fuzz.js';
import type { Tally } from '../../properties/tally.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import type { Progress } from '../terminal/progress-line.js';
import { progressLine } from '../terminal/progress-line.js';
import type { Summary } from '../report/document/summary-document.js';
import type { Session } from '../terminal/session.js';
import { Keeper } from './keeper.js';
import { leftOf } from '../terminal/run-limits.js';
import type { Plan } from './plan.js';
import { ProgressDisplay } from '../terminal/progress-display.js';
import { summarize } from './summarize.js';

/** How far shrinking may outlast a run that ends by the clock, in milliseconds. */
const OVERTIME = 10_000;

/** Runs, tells and stores findings on the way, and sums up. */
export const fuzzAndSummarize = async (plan: Plan, session: Session): Promise<Summary> => {
  const run = new Run(plan, session);
  const { surroundings } = session;
  const display = new ProgressDisplay(session, (columns) => progressLine(run.progress(), columns));
  const unsubscribe = surroundings.onInterrupt(() => run.interrupt());
  const started = surroundings.today().toISOString();
  try {
    const result = await run.go();
    const time = { started, ended: surroundings.today().toISOString(), milliseconds: Math.round(run.elapsed) };
    return summarize(plan, result, { interrupted: run.interrupted, findings: run.keeper.summaries(), time });
  } finally {
    unsubscribe();
    display.end();
  }
};

class Run implements FuzzWatcher {
  readonly keeper: Keeper;
  interrupted = false;
  private readonly plan: Plan;
  private readonly session: Session;
  private readonly eventLoop: EventLoopYield;
  private readonly start: number;
  private programs = 0;
  private tally: Tally | undefined = undefined;
  private shrinking = false;

  constructor(plan: Plan, session: Session) {
    const { monotonic } = session.surroundings;
    this.plan = plan;
    this.session = session;
    this.keeper = new Keeper(plan, session);
    this.eventLoop = new EventLoopYield(monotonic);
    this.start = monotonic();
  }

  get elapsed(): number {
    return this.session.surroundings.monotonic() - this.start;
  }

  async go(): Promise<FuzzResult> {
    try {
      return await fuzz(this.plan.options, this);
    } catch (error) {
      this.session.complain(`shadowdiff: program ${this.programs} of seed ${this.plan.options.campaign} ended the run`);
      throw error;
    }
  }

  interrupt(): void {
    this.interrupted = true;
  }

  progress(): Progress {
    const { elapsed, programs, tally, shrinking } = this;
    return {
      programs,
      steps: tally?.steps ?? 0,
      findings: this.keeper.count,
      elapsed,
      left: leftOf(this.plan.limits, { elapsed, programs }),
      shrinking,
      tally,
    };
  }

  // What the loop asks and tells.

  async goOn(programs: number, tally: Tally): Promise<boolean> {
    this.programs = programs;
    this.tally = tally;
    this.shrinking = false;
    await this.eventLoop.pause();
    const { limits } = this.plan;
    return !this.interrupted && programs < limits.programs && this.elapsed < limits.time;
  }

  pause(): Promise<void> | undefined {
    this.shrinking = true;
    return this.eventLoop.pause();
  }

  hurried(): boolean {
    return this.interrupted || this.elapsed > this.plan.limits.time + OVERTIME;
  }

  async found(finding: KindOfFinding): Promise<void> {
    await this.keeper.keep(finding);
  }
}
