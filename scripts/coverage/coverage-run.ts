/** A run for coverage: runs the programs of a campaign on two sides, and watches when something new is reached. */

import type { Upcoming } from '../../properties/campaign/programs.js';
import { programsOf, runOptionsOf, upcoming } from '../../properties/campaign/programs.js';
import type { Divergence } from '../../properties/divergence.js';
import type { ProgramOptions } from '../../properties/generators/index.js';
import type { Invariant } from '../../properties/invariants/invariant.js';
import { Pair } from '../../properties/pair.js';
import type { Scope } from '../../properties/subjects/scope.js';
import type { Tally } from '../../properties/tally.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import { ProgressDisplay, progressLine } from '../terminal/progress-display.js';
import type { Progress } from '../terminal/progress-display.js';
import type { Session } from '../terminal/session.js';
import type { Sides } from '../terminal/sides.js';
import { closeSides } from '../terminal/sides.js';
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
  readonly sides: Sides;
  /** Of these sides, which have started. */
  readonly scope: Scope;
  readonly programs: ProgramOptions;
  readonly invariants: readonly Invariant[];
  readonly limits: Limits;
}

/** A program on which the sides diverged. */
interface Diverged {
  readonly program: number;
  readonly divergence: Divergence;
}

export interface CoverageRun {
  readonly result: {
    readonly programs: number;
    readonly tally: Tally;
    /** How many programs diverged; what each exercised before counts. */
    readonly diverged: number;
    readonly firstDiverged: Diverged | undefined;
  };
  readonly watch: CoverageWatch;
  readonly interrupted: boolean;
  readonly started: Date;
  readonly milliseconds: number;
}

/** Runs programs on both sides until a limit, and ends the sides. Throws `BadInput` if one cannot be started again. */
export const runForCoverage = async (plan: CoveragePlan, session: Session): Promise<CoverageRun> => {
  const run = new Run(plan, session);
  const { surroundings } = session;
  const display = new ProgressDisplay(session, (columns) => progressLine(run.progress(), columns));
  const unsubscribe = surroundings.onInterrupt(() => run.interrupt());
  const started = surroundings.today();
  try {
    await run.run();
    const { result, watch, interrupted, elapsed: milliseconds } = run;
    return { result, watch, interrupted, started, milliseconds };
  } finally {
    unsubscribe();
    display.end();
    await closeSides(plan.sides);
  }
};

const NONE: ReadonlySet<number> = new Set();

class Run {
  readonly watch: CoverageWatch;
  interrupted = false;
  private readonly plan: CoveragePlan;
  private readonly eventLoop: EventLoopYield;
  private readonly monotonic: () => number;
  private readonly start: number;
  private pair: Pair;
  private programs = 0;
  private diverged = 0;
  private firstDiverged: Diverged | undefined = undefined;

  constructor(plan: CoveragePlan, { surroundings }: Session) {
    this.plan = plan;
    this.pair = pairOf(plan);
    this.monotonic = surroundings.monotonic;
    this.eventLoop = new EventLoopYield(this.monotonic);
    this.watch = new CoverageWatch(plan.invariants.length);
    this.start = this.monotonic();
  }

  get elapsed(): number {
    return this.monotonic() - this.start;
  }

  get result(): CoverageRun['result'] {
    const { programs, diverged, firstDiverged } = this;
    return { programs, tally: this.pair.tally, diverged, firstDiverged };
  }

  interrupt(): void {
    this.interrupted = true;
  }

  progress(): Progress {
    const { elapsed, programs, diverged: findings } = this;
    const { tally } = this.pair;
    const left = leftOf(this.plan.limits, { elapsed, programs });
    return { programs, steps: tally.steps, findings, elapsed, left, shrinking: undefined, tally };
  }

  async run(): Promise<void> {
    const { campaign, programs, limits } = this.plan;
    const range = { first: 0, stride: 1, count: limits.programs, skipped: NONE };
    const ahead = await this.pair.start();
    const waiting = upcoming(range, programsOf({ campaign, ...programs }), this.pair, ahead);
    while (await this.mayProceed()) await this.take(waiting.next().value!);
    const end = await this.pair.close();
    if (end !== undefined) this.note({ program: Math.max(0, this.programs - 1), divergence: end });
  }

  private async take({ program, generated: { value }, asked }: Upcoming): Promise<void> {
    const divergence = await this.pair.run(value.program, runOptionsOf(program, value), asked);
    this.programs = program + 1;
    this.watch.saw(program, this.pair.tally, this.elapsed);
    if (divergence === undefined) return;
    this.note({ program, divergence });
    // What a machine that diverged left behind must not reach the next program.
    this.pair = pairOf(this.plan, this.pair.tally);
  }

  private note(diverged: Diverged): void {
    this.diverged++;
    this.firstDiverged ??= diverged;
  }

  private async mayProceed(): Promise<boolean> {
    await this.eventLoop.pause();
    const { limits } = this.plan;
    return !this.interrupted && this.programs < limits.programs && this.elapsed < limits.time;
  }
}

const pairOf = ({ sides, invariants }: CoveragePlan, tally?: Tally): Pair =>
  new Pair({ ...sides, invariants, ...(tally === undefined ? {} : { tally }) });

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
