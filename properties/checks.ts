/** Which invariants are checked at which stage, and the checking. */

import type { Observation, Op } from '../model/vocabulary/index.js';
import { OPS, OUTCOME_KINDS } from '../model/vocabulary/index.js';
import type { Invariant, Sight, Verdict, Watch, Violation } from './invariants/invariant.js';
import { HELD, VACUOUS, isAskedOfRacy } from './invariants/invariant.js';
import type { Moment, Stage } from './invariants/moment.js';
import { StageCounter } from './invariants/situations/grid.js';
import { sameSwitcher } from './observation-difference.js';
import type { Tally } from './tally.js';
import { kindIndex } from './tally.js';

/** One invariant at one stage. */
interface Check {
  /** Its place in the tally. */
  readonly index: number;
  readonly invariant: Invariant;
  /** Whether it is asked of guests that need not keep the contract, racy ones or hostile ones. */
  readonly ofRacy: boolean;
  readonly ofHostile: boolean;
  /** The watch's functions, kept apart from it: watches have many shapes, so looking a function up in one is slow. */
  readonly before: ((moment: Moment) => void) | undefined;
  readonly after: (moment: Moment) => Verdict;
  readonly situations: readonly StageCounter[];
}

/** The checks of one stage; which of them run depends on how the step ended. */
export interface StagePlan {
  readonly stage: Stage;
  /** How steps of this stage ended, by `kindIndex`. Not counted for stages that are no steps. */
  readonly ends: Float64Array;
  /** Those that look at the state before the step. */
  readonly before: Check[];
  readonly all: Check[];
  /** If both outcomes are of one kind, by that kind. */
  readonly agreed: readonly Check[][];
  /** If, moreover, nothing changed. */
  readonly quiet: readonly Check[][];
}

export interface Broken {
  readonly invariant: Invariant;
  readonly violation: Violation;
}

export class Checks {
  private readonly tally: Tally;
  private readonly shown: ReadonlySet<Sight>;
  private readonly watches: readonly Watch[];
  private readonly plans: ReadonlyMap<Stage, StagePlan>;

  /** `shown`: what the machines let invariants see. */
  constructor(invariants: readonly Invariant[], tally: Tally, shown: ReadonlySet<Sight>) {
    this.tally = tally;
    this.shown = shown;
    this.plans = new Map(STAGES.map((stage) => [stage, emptyPlan(stage, tally)]));
    this.watches = invariants.map((invariant) => invariant.watch());
    for (const [index, invariant] of invariants.entries()) this.register(invariant, index);
  }

  /** Begins a program. */
  begin(): void {
    for (let i = 0; i < this.watches.length; i++) this.watches[i].begin?.();
  }

  at(stage: Stage): StagePlan {
    return this.plans.get(stage)!;
  }

  /** Runs all the checks given, so that a finding names every invariant that broke; undefined if none did. */
  judge(checks: readonly Check[], moment: Moment): readonly Broken[] | undefined {
    const { checks: counts, exercised, lastNew, programs } = this.tally;
    let broken: Broken[] | undefined;
    for (let i = 0; i < checks.length; i++) {
      const { index, invariant, after, ofRacy, ofHostile, situations } = checks[i];
      if (!moment.contractKept && !(moment.guest.history === undefined ? ofHostile : ofRacy)) continue;
      const verdict = after(moment);
      counts[index]++;
      if (verdict === VACUOUS) continue;
      exercised[index]++;
      for (let s = 0; s < situations.length; s++) if (situations[s].count(moment, programs)) lastNew[index] = programs;
      if (verdict !== HELD) (broken ??= []).push({ invariant, violation: verdict });
    }
    return broken;
  }

  /** Counts the situation in which a program was run a second time; `index` is that of `determinism`. */
  countRepetition(index: number, moment: Moment): void {
    const { lastNew, programs } = this.tally;
    for (const counter of this.countersAt('destroy', index)) {
      if (counter.count(moment, programs)) lastNew[index] = programs;
    }
  }

  private register(invariant: Invariant, index: number): void {
    if (!invariant.looksAt.some((sight) => this.shown.has(sight))) return;
    const { before, after } = this.watches[index];
    const ofHostile = invariant.contract === 'any';
    const ofRacy = isAskedOfRacy(invariant);
    for (const stage of invariant.stages) {
      const plan = this.at(stage);
      const check = { index, invariant, ofRacy, ofHostile, before, after, situations: this.countersAt(stage, index) };
      plan.all.push(check);
      if (before !== undefined) plan.before.push(check);
      const whenQuiet = invariant.whenQuiet?.includes(stage) ?? true;
      for (const kind of invariant.outcomes ?? OUTCOME_KINDS) {
        plan.agreed[kindIndex(kind)].push(check);
        if (whenQuiet) plan.quiet[kindIndex(kind)].push(check);
      }
    }
  }

  private countersAt(stage: Stage, index: number): readonly StageCounter[] {
    return this.tally.situations[index]
      .filter(({ grid }) => grid.stages.includes(stage) && (grid.looksAt === undefined || this.shown.has(grid.looksAt)))
      .map((count) => new StageCounter(count, stage));
  }
}

/**
 * All checks of the stage. If a living guest's outcomes agree, only those that examine that outcome; if nothing changed either,
 * only those marked `whenQuiet`. `kind`: the subject's outcome, by `kindIndex`.
 */
export const selectChecks = (plan: StagePlan, kind: number, over: boolean, moment: Moment): readonly Check[] => {
  if (over || moment.modelKind !== moment.subjectKind) return plan.all;
  const { tables, changed } = moment.preState;
  const quiet = !changed && isQuiet(moment.model, tables) && isQuiet(moment.subject, tables);
  return quiet && sameSwitcher(moment.model, moment.subject) ? plan.quiet[kind] : plan.agreed[kind];
};

const isQuiet = ({ references, stores, tables }: Observation, tablesBefore: number): boolean =>
  references.length === 0 && stores.length === 0 && tables === tablesBefore;

const STAGES: readonly Stage[] = ['create', ...OPS, 'end', 'destroy'];

const emptyPlan = (stage: Stage, tally: Tally): StagePlan => ({
  stage,
  ends: isOp(stage) ? tally.endsOf(stage) : new Float64Array(OUTCOME_KINDS.length),
  before: [],
  all: [],
  agreed: OUTCOME_KINDS.map(() => []),
  quiet: OUTCOME_KINDS.map(() => []),
});

const isOp = (stage: Stage): stage is Op => (OPS as readonly Stage[]).includes(stage);
