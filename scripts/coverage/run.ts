/** One run for coverage: programs of a campaign in lockstep, counted, with a clock and a way to stop it. */

import type { FuzzResult, FuzzWatcher } from '../../properties/fuzz.js';
import { fuzz } from '../../properties/fuzz.js';
import type { Invariant } from '../../properties/invariants/invariant.js';
import { IMPL, MODEL } from '../../properties/subjects/registry.js';
import type { ProgramOptions } from '../../properties/generators/index.js';
import type { Tally } from '../../properties/tally.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import { ProgressDisplay } from '../terminal/progress-display.js';
import type { Limits } from '../terminal/run-limits.js';
import { leftOf } from '../terminal/run-limits.js';
import type { Progress } from '../terminal/progress-line.js';
import { progressLine } from '../terminal/progress-line.js';
import type { Session } from '../terminal/session.js';
import { CoverageWatch } from './watch.js';

export interface CoveragePlan {
  readonly campaign: string;
  readonly programs: ProgramOptions;
  readonly invariants: readonly Invariant[];
  readonly limits: Limits;
}

export interface CoverageRun {
  readonly result: FuzzResult;
  readonly watch: CoverageWatch;
  readonly interrupted: boolean;
  readonly started: Date;
  readonly milliseconds: number;
}

/** Runs the sound machine, which no invariant should ever blame; the first thing that does ends the run. */
export const runForCoverage = async (plan: CoveragePlan, session: Session): Promise<CoverageRun> => {
  const run = new Run(plan, session);
  const { surroundings } = session;
  const display = new ProgressDisplay(session, (columns) => progressLine(run.progress(), columns));
  const unsubscribe = surroundings.onInterrupt(() => run.interrupt());
  const started = surroundings.today();
  try {
    const sides = { reference: MODEL, subject: IMPL, mostFindings: 1, mostTries: 0 };
    const { campaign, invariants, programs } = plan;
    const result = await fuzz({ campaign, invariants, ...programs, ...sides }, run);
    return { result, watch: run.watch, interrupted: run.interrupted, started, milliseconds: run.elapsed };
  } finally {
    unsubscribe();
    display.end();
  }
};

class Run implements FuzzWatcher {
  readonly watch: CoverageWatch;
  interrupted = false;
  private readonly plan: CoveragePlan;
  private readonly eventLoop: EventLoopYield;
  private readonly monotonic: () => number;
  private readonly start: number;
  private programs = 0;
  private tally: Tally | undefined = undefined;

  constructor(plan: CoveragePlan, { surroundings }: Session) {
    this.plan = plan;
    this.monotonic = surroundings.monotonic;
    this.eventLoop = new EventLoopYield(this.monotonic);
    this.watch = new CoverageWatch(plan.invariants.length);
    this.start = this.monotonic();
  }

  get elapsed(): number {
    return this.monotonic() - this.start;
  }

  interrupt(): void {
    this.interrupted = true;
  }

  progress(): Progress {
    const { elapsed, programs, tally } = this;
    return {
      programs,
      steps: tally?.steps ?? 0,
      findings: 0,
      elapsed,
      left: leftOf(this.plan.limits, { elapsed, programs }),
      shrinking: false,
      tally,
    };
  }

  async goOn(programs: number, tally: Tally): Promise<boolean> {
    this.programs = programs;
    this.tally = tally;
    if (programs > 0) this.watch.saw(programs - 1, tally, this.elapsed);
    await this.eventLoop.pause();
    const { limits } = this.plan;
    return !this.interrupted && programs < limits.programs && this.elapsed < limits.time;
  }
}
