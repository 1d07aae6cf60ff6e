/**
 * Lockstep: both machines take every step side by side; after each one the invariants are checked. The first moment at which one
 * of them is broken ends the program.
 */

import type {
  Machine,
  MachineConfig,
  Observable,
  Observation,
  Outcome,
  OutcomeKind,
  Program,
  Step,
} from '../model/vocabulary/index.js';
import { bareOutcome } from '../model/vocabulary/index.js';
import type { Broken, StagePlan } from './checks.js';
import { Checks, selectChecks } from './checks.js';
import type { Divergence, ProgramPlace } from './divergence.js';
import { GuestRecord } from './guest-record.js';
import type { Invariant, Sight } from './invariants/invariant.js';
import type { Moment } from './invariants/moment.js';
import { PreStateRecorder } from './invariants/situations/pre-state.js';
import type { Profile } from './profile.js';
import type { Capabilities } from './subjects/capabilities.js';
import { Tally, kindIndex } from './tally.js';
import { ZERO_OBSERVATION } from './trace-of.js';
import { isUpperEntryFor } from './uncached-walk.js';

/** Steps that are still taken after a kill, to check that they have no effect. */
export const STEPS_AFTER_DEATH = 4;
/** A program that dies before this step tests little. */
export const EARLY_STEPS = 10;

type Draft<Type> = { -readonly [Field in keyof Type]: Type[Field] };

export interface LockstepOptions {
  readonly model: Machine;
  readonly subject: Machine;
  /**
   * The invariants to check; see `INVARIANTS`. Skipped: those that look at nothing that the machines show.
   */
  readonly invariants: readonly Invariant[];
  /** What of their observations the machines fill in; left out: everything. What one side does not show is not compared. */
  readonly modelShows?: Shown | undefined;
  readonly subjectShows?: Shown | undefined;
  /** The model is not of this package: beside a bare outcome it shows nothing, such as what it stored before it killed the guest. */
  readonly modelIsForeign?: boolean;
  /** `lguest` by default. In the profile `architecture` guests that do not keep the contract are racy. */
  readonly profile?: Profile | undefined;
  /** Where the run is counted; a fresh one if left out. */
  readonly tally?: Tally;
  /** Called for every divergence; the program continues if it returns true. Left out, the first divergence ends the program. */
  readonly tolerates?: (divergence: Divergence) => boolean;
}

/** What a side shows of its observations. */
export type Shown = Pick<Capabilities, 'observes' | 'upperStores'>;

/** Runs any number of programs, one after the other, on one pair of machines. */
export class Lockstep {
  readonly tally: Tally;
  private readonly model: Machine;
  private readonly subject: Machine;
  private readonly checks: Checks;
  private readonly modelIsForeign: boolean;
  private readonly profile: Profile | undefined;
  private readonly modelFill: Fill | undefined;
  private readonly subjectFill: Fill | undefined;
  private readonly tolerates: (divergence: Divergence) => boolean;
  private readonly guest = new GuestRecord();
  private readonly preState = new PreStateRecorder();
  private readonly moment: Draft<Moment>;
  /** The guest is dead or the machine gone, on the subject's side, after its last step. */
  private over = false;
  /** That was so after some step of this program. */
  private wasOver = false;
  /** Steps that `step` took since `begin`. */
  private stepsTaken = 0;

  constructor(options: LockstepOptions) {
    const { model, subject, invariants, tally, tolerates } = options;
    this.model = model;
    this.subject = subject;
    this.modelIsForeign = options.modelIsForeign === true;
    this.profile = options.profile;
    this.modelFill = fillOf(options.modelShows, options.subjectShows);
    this.subjectFill = fillOf(options.subjectShows, options.modelShows);
    this.tolerates = tolerates ?? (() => false);
    this.tally = tally ?? new Tally(invariants);
    const shown = shownBy(options);
    this.checks = new Checks(invariants, this.tally, shown);
    this.moment = {
      config: this.guest.config,
      stage: 'create',
      step: undefined,
      contractKept: false,
      preState: this.preState,
      guest: this.guest,
      model: ZERO_OBSERVATION,
      subject: ZERO_OBSERVATION,
      modelKind: ZERO_OBSERVATION.outcome.kind,
      subjectKind: ZERO_OBSERVATION.outcome.kind,
      shadow: shown.has('shadow') ? subject.shadow : undefined,
      ram: shown.has('ram') ? subject.ram : undefined,
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
    const { moment, tally } = this;
    tally.programs++;
    tally.judged++;
    this.stepsTaken = 0;
    this.over = this.wasOver = false;
    this.guest.begin(machine, this.profile === 'architecture' && !contractKept);
    moment.config = machine;
    moment.contractKept = contractKept;
    moment.stage = 'create';
    moment.step = undefined;
    this.preState.begin(moment);
    this.checks.begin();
    this.observe(this.model.create(machine), this.subject.create(machine));
    this.preState.conclude(moment);
    return this.judgeAll({ kind: 'create' });
  }

  /** Takes the next step. */
  step(step: Step): Divergence | undefined {
    return this.takeStep(step, this.stepsTaken++);
  }

  /** Judges the end of the program, then destroys both machines and judges that. */
  finish(): Divergence | undefined {
    const { moment } = this;
    moment.step = undefined;
    const found = this.judgeAll({ kind: 'end' });
    if (found !== undefined) return found;
    moment.stage = 'destroy';
    this.preState.record(this.wasOver, moment);
    this.observe(this.model.destroy(), this.subject.destroy());
    this.preState.conclude(moment);
    return this.judgeAll({ kind: 'destroy' });
  }

  /** The subject's outcome of the last step, or of its creation. */
  get outcome(): Outcome {
    return this.moment.subject.outcome;
  }

  /** Counts in which situation the program that ran last was run once more; `index` is that of `determinism`. */
  countRepetition(index: number): void {
    this.checks.countRepetition(index, this.moment);
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

  /** Steps both machines, records what they did, and judges it. */
  private takeStep(step: Step, index: number): Divergence | undefined {
    const plan = this.checks.at(step.op);
    this.prepare(plan, step);
    this.observe(this.model.apply(step), this.subject.apply(step));
    const kind = this.record(plan);
    const checks = selectChecks(plan, kind, this.wasOver, this.moment);
    const broken = this.checks.judge(checks, this.moment);
    return broken === undefined ? undefined : this.report(broken, { kind: 'step', index });
  }

  /** Records the state before the step, for the checks that compare the two. */
  private prepare(plan: StagePlan, step: Step): void {
    const { moment, preState } = this;
    moment.stage = plan.stage;
    moment.step = step;
    preState.record(this.wasOver, moment);
    for (let i = 0; i < plan.before.length; i++) plan.before[i].before!(moment);
    if (plan.stage === 'new-pgtable') this.countCacheHit();
    if (!this.over) this.guest.follow(step);
  }

  private observe(model: Observation, subject: Observation): void {
    const { moment, modelFill, subjectFill } = this;
    moment.model = modelFill === undefined ? model : modelFill(model, subject, moment);
    moment.subject = subjectFill === undefined ? subject : subjectFill(subject, model, moment);
    moment.modelKind = model.outcome.kind;
    moment.subjectKind = subject.outcome.kind;
  }

  /** Records and counts how the step ended; returns the `kindIndex` of the subject's outcome. */
  private record(plan: StagePlan): number {
    const { moment, preState } = this;
    const isSilent = this.modelIsForeign && bareOutcome(moment.modelKind);
    this.guest.absorb(isSilent ? moment.subject : moment.model);
    preState.conclude(moment);
    const kind = kindIndex(moment.subjectKind);
    this.countStep(plan, kind);
    this.over = isOver(moment.subjectKind);
    this.wasOver ||= this.over;
    return kind;
  }

  private judgeAll(place: Exclude<ProgramPlace, { kind: 'step' }>): Divergence | undefined {
    this.moment.stage = place.kind;
    const broken = this.checks.judge(this.checks.at(place.kind).all, this.moment);
    return broken === undefined ? undefined : this.report(broken, place);
  }

  private report(broken: readonly Broken[], place: ProgramPlace): Divergence | undefined {
    const [{ invariant, violation }, ...others] = broken as [Broken, ...Broken[]];
    const alsoBroken = others.map((other) => other.invariant.id);
    const divergence = { invariant: invariant.id, alsoBroken, place, stage: this.moment.stage, ...violation };
    return this.tolerates(divergence) ? undefined : divergence;
  }

  private countStep({ stage, ends }: StagePlan, kind: number): void {
    const { tally, preState } = this;
    tally.steps++;
    ends[kind]++;
    if (stage !== 'access' || kind !== MAPPED || this.moment.shadow === undefined) return;
    if (preState.changed) tally.misses++;
    else tally.hits++;
  }

  /** Switches of a dead guest do nothing, and reports leave out its shadow. */
  private countCacheHit(): void {
    if (this.wasOver || this.moment.shadow === undefined || !this.guest.initialized) return;
    if (this.preState.rootSlot !== undefined) this.tally.cacheHits++;
    else this.tally.cacheMisses++;
  }
}

const MAPPED = kindIndex('mapped');

/** What a run with these machines lets invariants see. */
export const shownBy = ({ model, subject, modelShows, subjectShows }: LockstepOptions): ReadonlySet<Sight> => {
  const shows = (shown: Shown | undefined, what: Observable): boolean => shown?.observes.includes(what) ?? true;
  const compared = COMPARED.filter((each) => shows(modelShows, each) && shows(subjectShows, each));
  const hasShadow = subject.shadow !== undefined && shows(subjectShows, 'shadow');
  // The record of RAM that it is compared with has the model's stores.
  const hasRam =
    subject.ram !== undefined && (modelShows?.upperStores === true) === (subjectShows?.upperStores === true);
  return new Set<Sight>([
    ...compared,
    ...(hasShadow ? (['shadow'] as const) : []),
    ...(hasRam ? (['ram'] as const) : []),
    ...(model.walksAlways === true ? (['fresh'] as const) : []),
  ]);
};

/** What is compared of two observations beside their outcomes, if neither is bare. */
const EFFECTS = ['references', 'stores', 'tables', 'switcher'] as const;
/** What is compared of two observations. */
const COMPARED: readonly Observable[] = ['outcome', ...EFFECTS];

/**
 * Completes what one side showed of a step with what the other did, so that both are equal in what is not compared. The moment has the
 * step, and the guest as it was when the machines took it.
 */
export type Fill = (own: Observation, other: Observation, moment: Pick<Moment, 'guest' | 'step'>) => Observation;

/** Undefined for a side that shows everything that the other does. */
export const fillOf = (own: Shown | undefined, other: Shown | undefined): Fill | undefined => {
  if (own === undefined) return undefined;
  const lacksUpper = !own.upperStores && other?.upperStores === true;
  if (!lacksUpper && EFFECTS.every((each) => own.observes.includes(each))) return undefined;
  const [references, stores, tables, switcher] = EFFECTS.map((each) => sourceOf(each, own, other));
  const isCompleted = lacksUpper && own.observes.includes('stores');
  return (mine, theirs, moment) => ({
    ...mine,
    references: references(mine, theirs).references,
    stores: isCompleted ? withUpper(mine, theirs, moment) : stores(mine, theirs).stores,
    tables: tables(mine, theirs).tables,
    switcher: switcher(mine, theirs).switcher,
  });
};

type Source = (mine: Observation, theirs: Observation) => Observation;

const MINE: Source = (mine) => mine;
const THEIRS: Source = (_, theirs) => theirs;
/** Machines in this process have effects that their profile does not show. */
const NOTHING: Source = () => ZERO_OBSERVATION;

const sourceOf = (effect: Observable, own: Shown, other: Shown | undefined): Source => {
  if (own.observes.includes(effect)) return MINE;
  return (other?.observes.includes(effect) ?? true) ? THEIRS : NOTHING;
};

/** The leaf that one side stored, behind the upper entries of its walk that the other did. */
const withUpper: (...given: Parameters<Fill>) => Observation['stores'] = ({ stores }, { stores: others }, moment) => {
  if (others.length === 0) return stores;
  return [...others.filter(({ paddr }) => isUpperEntryFor(moment.guest, moment.step, paddr)), ...stores];
};

const isOver = (kind: OutcomeKind): boolean =>
  kind === 'killed' || kind === 'dead' || kind === 'absent' || kind === 'host-bug' || kind === 'halted';
