/** A run for coverage: fuzzes impl without a planted bug, and watches when something new is reached. */

import { runUntilDivergence } from '../../properties/campaign/programs.js';
import type { Divergence } from '../../properties/divergence.js';
import type { ProgramOptions } from '../../properties/generators/index.js';
import type { Invariant } from '../../properties/invariants/invariant.js';
import { Pair } from '../../properties/pair.js';
import { IMPL, MODEL } from '../../properties/subjects/subject-names.js';
import type { Tally } from '../../properties/tally.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import { ProgressDisplay, progressLine } from '../terminal/progress-display.js';
import type { Progress } from '../terminal/progress-display.js';
import type { Session } from '../terminal/session.js';
import type { Milestone } from './coverage-document.js';

/** The run ends with whichever comes first. */
export interface Limits {
  /** Milliseconds; may be infinite. */
  readonly time: number;
  /** May be infinite. */
  readonly programs: number;
}

/** `defaultTime` holds, in milliseconds, where nothing is asked for. */
export const limitsOf = ({ time, programs }: Partial<Limits>, defaultTime: number): Limits => ({
  time: time ?? (programs === undefined ? defaultTime : Infinity),
  programs: programs ?? Infinity,
});

export const leftOf = ({ time, programs }: Limits, run: Pick<Progress, 'elapsed' | 'programs'>): Progress['left'] =>
  time === Infinity
    ? { kind: 'programs', count: programs - run.programs }
    : { kind: 'time', milliseconds: time - run.elapsed };

export interface CoveragePlan {
  readonly campaign: string;
  readonly programs: ProgramOptions;
  readonly invariants: readonly Invariant[];
  readonly limits: Limits;
}

export interface CoverageRun {
  readonly result: {
    readonly programs: number;
    readonly tally: Tally;
    /** It ended the run; impl should have none. */
    readonly divergence: Divergence | undefined;
  };
  readonly watch: CoverageWatch;
  readonly interrupted: boolean;
  readonly started: Date;
  readonly milliseconds: number;
}

/** Runs impl against the model. A divergence would be a bug of impl or of an invariant, so the first one ends the run. */
export const runForCoverage = async (plan: CoveragePlan, session: Session): Promise<CoverageRun> => {
  const run = new Run(plan, session);
  const { surroundings } = session;
  const display = new ProgressDisplay(session, (columns) => progressLine(run.progress(), columns));
  const unsubscribe = surroundings.onInterrupt(() => run.interrupt());
  const started = surroundings.today();
  try {
    const { campaign, programs } = plan;
    const loop = await runUntilDivergence({ campaign, ...programs }, run.pair, (done) => run.proceed(done));
    const { watch, interrupted, elapsed: milliseconds } = run;
    return { result: { ...loop, tally: run.pair.tally }, watch, interrupted, started, milliseconds };
  } finally {
    unsubscribe();
    display.end();
  }
};

class Run {
  readonly pair: Pair;
  readonly watch: CoverageWatch;
  interrupted = false;
  private readonly plan: CoveragePlan;
  private readonly eventLoop: EventLoopYield;
  private readonly monotonic: () => number;
  private readonly start: number;
  private programs = 0;

  constructor(plan: CoveragePlan, { surroundings }: Session) {
    this.plan = plan;
    this.pair = new Pair({ model: MODEL, subject: IMPL, invariants: plan.invariants });
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
    const { elapsed, programs } = this;
    const { tally } = this.pair;
    return {
      programs,
      steps: tally.steps,
      findings: 0,
      elapsed,
      left: leftOf(this.plan.limits, { elapsed, programs }),
      shrinking: undefined,
      tally,
    };
  }

  /** Called before each program with the number of those that ran. */
  async proceed(programs: number): Promise<boolean> {
    this.programs = programs;
    if (programs > 0) this.watch.saw(programs - 1, this.pair.tally, this.elapsed);
    await this.eventLoop.pause();
    const { limits } = this.plan;
    return !this.interrupted && programs < limits.programs && this.elapsed < limits.time;
  }
}

/** Programs kept for each invariant in addition to those that reached a new situation. */
const KEPT = 200;
/** Above this, every other milestone is dropped. */
const MOST_MILESTONES = 240;
/** Milliseconds between the first milestones. */
const FIRST_INTERVAL = 250;

/** Records when something new was reached, and selects programs to run again when measuring which code they reach. */
class CoverageWatch {
  /** For each invariant, numbers of programs that exercised it: the first ones, and all that reached a new situation. */
  readonly programs: readonly number[][];
  /** For each invariant, when it last reached a new situation. */
  readonly lastNew: readonly { program: number; milliseconds: number }[];
  private milestones: Milestone[] = [];
  private interval = FIRST_INTERVAL;
  private readonly exercised: Float64Array;

  constructor(invariants: number) {
    this.programs = Array.from({ length: invariants }, () => []);
    this.lastNew = Array.from({ length: invariants }, () => ({ program: 0, milliseconds: 0 }));
    this.exercised = new Float64Array(invariants);
  }

  /** Call this after every program, with its number. */
  saw(program: number, tally: Tally, milliseconds: number): void {
    for (let index = 0; index < this.programs.length; index++) {
      if (tally.exercised[index] === this.exercised[index]) continue;
      this.exercised[index] = tally.exercised[index];
      const isNew = tally.lastNew[index] === tally.programs;
      if (isNew) {
        this.lastNew[index].program = program;
        this.lastNew[index].milliseconds = milliseconds;
      }
      if (isNew || this.programs[index].length < KEPT) this.programs[index].push(program);
    }
    if (milliseconds >= this.milestones.length * this.interval) this.mark(tally, milliseconds);
  }

  /** The milestones of the run, including its end. */
  timeline(tally: Tally, milliseconds: number): readonly Milestone[] {
    return [...this.milestones, milestone(tally, milliseconds)];
  }

  private mark(tally: Tally, milliseconds: number): void {
    this.milestones.push(milestone(tally, milliseconds));
    if (this.milestones.length < MOST_MILESTONES) return;
    this.milestones = this.milestones.filter((_, index) => index % 2 === 0);
    this.interval *= 2;
  }
}

const milestone = (tally: Tally, milliseconds: number): Milestone => ({
  milliseconds: Math.round(milliseconds),
  programs: tally.programs,
  steps: tally.steps,
  situations: situationsReached(tally),
  findings: 0,
});

const situationsReached = ({ situations }: Tally): number =>
  situations.reduce(
    (sum, grids) =>
      sum +
      grids.reduce((cells, { counts }) => cells + counts.reduce((some, count) => some + (count > 0 ? 1 : 0), 0), 0),
    0,
  );
