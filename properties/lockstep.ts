/**
 * Lockstep: a reference and a subject take every step side by side, and after each one the invariants are asked. The first
 * moment at which one of them is broken ends the program.
 */

import type {
  Machine,
  MachineConfig,
  Observation,
  Op,
  Outcome,
  OutcomeKind,
  Program,
  ShadowView,
  Step,
} from '../model/vocabulary/index.js';
import { OPS, OUTCOME_KINDS } from '../model/vocabulary/index.js';
import type { Divergence, Place } from './divergence.js';
import { GuestRecord } from './guest-record.js';
import type { Invariant, Verdict, Watch } from './invariants/invariant.js';
import { HELD, VACUOUS } from './invariants/invariant.js';
import type { Moment, Stage } from './invariants/moment.js';
import type { Violation } from './invariants/violation.js';
import { StageCounter } from './invariants/situations/grid.js';
import { PreStateRecorder } from './invariants/situations/pre-state.js';
import { Tally, kindIndex } from './tally.js';
import { ZERO_OBSERVATION } from './zero-observation.js';

/** How many steps after a kill are still taken, to see that it was one. */
const STEPS_AFTER_DEATH = 4;
/** A program that dies before this many steps tested little. */
const EARLY_STEPS = 10;

interface Watched {
  readonly index: number;
  readonly invariant: Invariant;
  readonly watch: Watch;
  readonly needsContract: boolean;
  /** Those of `watch`: watches have as many shapes as there are invariants, and finding a function of one takes longer than calling it. */
  readonly before: ((moment: Moment) => void) | undefined;
  readonly after: (moment: Moment) => Verdict;
}

/** Somebody asked at one stage, and where the situations of that stage are counted. */
interface Asked extends Watched {
  readonly situations: readonly StageCounter[];
}

type Draft<Type> = { -readonly [Field in keyof Type]: Type[Field] };

export interface LockstepOptions {
  readonly reference: Machine;
  readonly subject: Machine;
  /** Which invariants are asked; see `INVARIANTS`. Skipped: those that look at `shadow` if the subject has none, and those that look at `fresh` if the reference has none. */
  readonly invariants: readonly Invariant[];
  /** Where the run is counted; a fresh one if left out. */
  readonly tally?: Tally;
  /** Asked of every divergence: true lets the program go on behind it. Left out, the first one ends the program. */
  readonly tolerates?: (divergence: Divergence) => boolean;
}

/** Runs any number of programs, one after the other, on one pair of machines. */
export class Lockstep {
  readonly tally: Tally;
  private readonly reference: Machine;
  private readonly subject: Machine;
  private readonly shadow: ShadowView | undefined;
  private readonly watched: readonly Watched[];
  private readonly tolerates: (divergence: Divergence) => boolean;
  private readonly plans: ReadonlyMap<Stage, Plan>;
  private readonly guest = new GuestRecord();
  private readonly preState = new PreStateRecorder();
  private readonly moment: Draft<Moment>;
  /** The subject's last step found the guest dead or the machine gone, or made it so. */
  private over = false;
  /** Some step of this program did. */
  private wasOver = false;
  /** Steps that `step` took since `begin`. */
  private stepsTaken = 0;

  constructor({ reference, subject, invariants, tally, tolerates }: LockstepOptions) {
    this.reference = reference;
    this.subject = subject;
    this.shadow = subject.shadow;
    this.tolerates = tolerates ?? (() => false);
    this.tally = tally ?? new Tally(invariants);
    this.plans = new Map(STAGES.map((stage) => [stage, emptyPlan(stage, this.tally)]));
    this.watched = invariants.map((invariant, index) => {
      const watch = invariant.watch();
      const { before, after } = watch;
      return { index, invariant, watch, needsContract: invariant.contract === 'kept', before, after };
    });
    for (const each of this.watched) this.enlist(each);
    this.moment = {
      config: this.guest.config,
      stage: 'create',
      step: undefined,
      contractKept: false,
      preState: this.preState,
      guest: this.guest,
      reference: ZERO_OBSERVATION,
      subject: ZERO_OBSERVATION,
      referenceKind: ZERO_OBSERVATION.outcome.kind,
      subjectKind: ZERO_OBSERVATION.outcome.kind,
      shadow: this.shadow,
    };
  }

  /**
   * Runs a program to its end or to the first divergence. `contractKept`: the program keeps the contract of a coherent guest
   * (see `keepsContract`), so that the invariants which rest on it are checked too.
   */
  run({ machine, steps }: Program, contractKept: boolean): Divergence | undefined {
    return this.begin(machine, contractKept) ?? this.takeSteps(steps) ?? this.finish();
  }

  // One step at a time, for a caller that chooses each step by what the last one did: `begin`, any number of `step`, `finish`.

  /** Creates both machines. */
  begin(machine: MachineConfig, contractKept: boolean): Divergence | undefined {
    this.tally.programs++;
    this.stepsTaken = 0;
    return this.create(machine, contractKept);
  }

  /** Takes a step behind those taken since `begin`. */
  step(step: Step): Divergence | undefined {
    return this.takeStep(step, this.stepsTaken++);
  }

  /** The subject's outcome of the last step, or of its creation. */
  get outcome(): Outcome {
    return this.moment.subject.outcome;
  }

  /** Counts in which situation the program that ran last was run once more; `index` is that of `determinism`. */
  countRepetition(index: number): void {
    const { lastNew, programs } = this.tally;
    for (const counter of this.countersAt('destroy', index)) {
      if (counter.count(this.moment)) lastNew[index] = programs;
    }
  }

  private enlist(each: Watched): void {
    const { invariant } = each;
    if (invariant.looksAt === 'shadow' && this.shadow === undefined) return;
    if (invariant.looksAt === 'fresh' && this.reference.walksAlways !== true) return;
    for (const stage of invariant.stages) {
      const plan = this.planFor(stage);
      const asked = { ...each, situations: this.countersAt(stage, each.index) };
      plan.after.push(asked);
      if (asked.before !== undefined) plan.before.push(asked);
      const alsoQuiet = invariant.whenQuiet?.includes(stage) ?? true;
      for (const kind of invariant.outcomes ?? OUTCOME_KINDS) {
        plan.agreed[kindIndex(kind)].push(asked);
        if (alsoQuiet) plan.quiet[kindIndex(kind)].push(asked);
      }
    }
  }

  private countersAt(stage: Stage, index: number): readonly StageCounter[] {
    return this.tally.situations[index]
      .filter(({ grid }) => grid.stages.includes(stage) && (grid.looksAt === undefined || this.shadow !== undefined))
      .map((count) => new StageCounter(count, stage));
  }

  private planFor(stage: Stage): Plan {
    return this.plans.get(stage)!;
  }

  private create(config: MachineConfig, contractKept: boolean): Divergence | undefined {
    const { moment, guest, watched } = this;
    guest.begin(config);
    moment.config = config;
    moment.contractKept = contractKept;
    this.preState.begin(moment);
    moment.stage = 'create';
    moment.step = undefined;
    for (let i = 0; i < watched.length; i++) watched[i].watch.begin?.();
    this.observe(this.reference.create(config), this.subject.create(config));
    this.preState.conclude(moment);
    this.over = this.wasOver = false;
    return this.judge('create', { kind: 'create' });
  }

  private takeSteps(steps: readonly Step[]): Divergence | undefined {
    let deadSteps = 0;
    for (let index = 0; index < steps.length; index++) {
      const found = this.takeStep(steps[index], index);
      if (found !== undefined) return found;
      if (!this.over) continue;
      if (deadSteps === 0 && index < EARLY_STEPS) this.tally.diedEarly++;
      if (deadSteps++ === STEPS_AFTER_DEATH) break;
    }
    return undefined;
  }

  private takeStep(step: Step, index: number): Divergence | undefined {
    const { moment } = this;
    const plan = this.planFor(step.op);
    moment.stage = plan.stage;
    moment.step = step;
    this.preState.record(this.wasOver, moment);
    this.askBefore(plan.before);
    if (plan.stage === 'new-pgtable') this.countCacheHit();
    if (!this.over) this.guest.follow(step);
    this.observe(this.reference.apply(step), this.subject.apply(step));
    this.guest.absorb(moment.reference);
    this.preState.conclude(moment);
    const { subjectKind } = moment;
    const kind = kindIndex(subjectKind);
    this.countStep(plan, kind);
    this.over = isOver(subjectKind);
    this.wasOver ||= this.over;
    const broken = this.askAfter(this.whomToAsk(plan, kind));
    return broken === undefined ? undefined : this.weigh(broken, { kind: 'step', index });
  }

  /** Everybody, unless both sides ended a living guest's step alike; still fewer if nothing shows that anything changed. */
  private whomToAsk(plan: Plan, kind: number): readonly Asked[] {
    const { moment, preState } = this;
    if (this.wasOver || moment.referenceKind !== moment.subjectKind) return plan.after;
    const { tables } = preState;
    const quiet = !preState.changed && isQuiet(moment.reference, tables) && isQuiet(moment.subject, tables);
    return quiet && sameSwitcher(moment) ? plan.quiet[kind] : plan.agreed[kind];
  }

  private observe(reference: Observation, subject: Observation): void {
    const { moment } = this;
    moment.reference = reference;
    moment.subject = subject;
    moment.referenceKind = reference.outcome.kind;
    moment.subjectKind = subject.outcome.kind;
  }

  /** Judges the end of the program, then destroys both machines and judges that. */
  finish(): Divergence | undefined {
    const { moment } = this;
    moment.step = undefined;
    const found = this.judge('end', { kind: 'end' });
    if (found !== undefined) return found;
    moment.stage = 'destroy';
    this.preState.record(this.wasOver, moment);
    this.observe(this.reference.destroy(), this.subject.destroy());
    this.preState.conclude(moment);
    return this.judge('destroy', { kind: 'destroy' });
  }

  private askBefore(asked: readonly Asked[]): void {
    for (let i = 0; i < asked.length; i++) asked[i].before!(this.moment);
  }

  private judge(stage: Stage, place: Place): Divergence | undefined {
    this.moment.stage = stage;
    const broken = this.askAfter(this.planFor(stage).after);
    return broken === undefined ? undefined : this.weigh(broken, place);
  }

  /** Asks everybody, so that a finding names all that broke; nearly always the answer is nothing. */
  private askAfter(asked: readonly Asked[]): readonly Broken[] | undefined {
    const { checks, exercised, lastNew } = this.tally;
    let broken: Broken[] | undefined;
    for (let i = 0; i < asked.length; i++) {
      const { index, invariant, after, needsContract, situations } = asked[i];
      if (needsContract && !this.moment.contractKept) continue;
      const verdict = after(this.moment);
      checks[index]++;
      if (verdict === VACUOUS) continue;
      exercised[index]++;
      for (let s = 0; s < situations.length; s++)
        if (situations[s].count(this.moment)) lastNew[index] = this.tally.programs;
      if (verdict !== HELD) (broken ??= []).push({ invariant, violation: verdict });
    }
    return broken;
  }

  private weigh(broken: readonly Broken[], place: Place): Divergence | undefined {
    const divergence = this.divergence(broken, place);
    return this.tolerates(divergence) ? undefined : divergence;
  }

  private divergence(broken: readonly Broken[], place: Place): Divergence {
    const [{ invariant, violation }, ...others] = broken as [Broken, ...Broken[]];
    const alsoBroken = others.map((other) => other.invariant.id);
    return { invariant: invariant.id, alsoBroken, place, stage: this.moment.stage, ...violation };
  }

  private countStep({ stage, ends }: Plan, kind: number): void {
    const { tally, shadow, preState } = this;
    tally.steps++;
    ends[kind]++;
    if (stage !== 'access' || kind !== MAPPED || shadow === undefined) return;
    if (preState.changed) tally.misses++;
    else tally.hits++;
  }

  private countCacheHit(): void {
    if (this.shadow === undefined || !this.guest.initialized) return;
    if (this.preState.rootSlot !== undefined) this.tally.cacheHits++;
    else this.tally.cacheMisses++;
  }
}

/** Who is asked at one stage. */
interface Plan {
  readonly stage: Stage;
  /** How the steps of this kind ended, by `kindIndex`; nobody counts it of the other stages. */
  readonly ends: Float64Array;
  readonly before: Asked[];
  readonly after: Asked[];
  /** Those of `agreed` who have something to say of a step that changed nothing. */
  readonly quiet: readonly Asked[][];
  /** Those of `after` who have something to say though both sides had the same outcome, by its kind. */
  readonly agreed: readonly Asked[][];
}

const STAGES: readonly Stage[] = ['create', ...OPS, 'end', 'destroy'];

const MAPPED = kindIndex('mapped');

const emptyPlan = (stage: Stage, tally: Tally): Plan => ({
  stage,
  ends: isOp(stage) ? tally.endsOf(stage) : new Float64Array(OUTCOME_KINDS.length),
  before: [],
  after: [],
  agreed: OUTCOME_KINDS.map(() => []),
  quiet: OUTCOME_KINDS.map(() => []),
});

const isOp = (stage: Stage): stage is Op => (OPS as readonly Stage[]).includes(stage);

const isQuiet = ({ references, stores, tables }: Observation, tablesBefore: number): boolean =>
  references.length === 0 && stores.length === 0 && tables === tablesBefore;

const sameSwitcher = ({ reference, subject }: Moment): boolean => {
  const expected = reference.switcher;
  const actual = subject.switcher;
  if (expected.text !== actual.text || expected.registers !== actual.registers) return false;
  for (let cpu = 0; cpu < expected.state.length; cpu++) if (expected.state[cpu] !== actual.state[cpu]) return false;
  return true;
};

interface Broken {
  readonly invariant: Invariant;
  readonly violation: Violation;
}

const isOver = (kind: OutcomeKind): boolean =>
  kind === 'killed' || kind === 'dead' || kind === 'absent' || kind === 'host-bug' || kind === 'halted';
