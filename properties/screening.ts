/**
 * Screening: most programs of a campaign are not judged step by step. Both machines take the steps, and what they show of each is
 * compared, nothing else; when the program has ended, some invariants look at the shadow tables once. It takes less than half the time
 * and sees nearly every bug that the judgement sees. Where something differs the program is judged after all, which names the finding.
 */

import type { Machine, MachineConfig, Observable, Observation, Program, Step } from '../model/vocabulary/index.js';
import { bareOutcome } from '../model/vocabulary/index.js';
import { endsAnnounced } from './contract.js';
import type { Divergence, ProgramPlace } from './divergence.js';
import { SCREEN_DISAGREES } from './divergence.js';
import { GuestRecord } from './guest-record.js';
import type { Invariant, Violation, Watch } from './invariants/invariant.js';
import { HELD, VACUOUS } from './invariants/invariant.js';
import type { Aftermath, Stage } from './invariants/moment.js';
import type { Fill, LockstepOptions } from './lockstep.js';
import { EARLY_STEPS, STEPS_AFTER_DEATH, fillOf, shownBy } from './lockstep.js';
import { differingMember } from './observation-difference.js';
import type { Tally } from './tally.js';
import { ZERO_OBSERVATION } from './trace-of.js';

type Draft<Type> = { -readonly [Field in keyof Type]: Type[Field] };

/** What one invariant looks at when a program has ended. */
interface Audit {
  readonly id: string;
  readonly watch: Watch;
  readonly audit: NonNullable<Watch['audit']>;
}

const auditOf = (invariant: Invariant): readonly Audit[] => {
  const watch = invariant.watch();
  const { audit } = watch;
  return audit === undefined ? [] : [{ id: invariant.id, watch, audit }];
};

/** Screens any number of programs, one after the other, on one pair of machines. */
export class Screening {
  private readonly tally: Tally;
  private readonly model: Machine;
  private readonly subject: Machine;
  private readonly modelFill: Fill | undefined;
  private readonly subjectFill: Fill | undefined;
  private readonly audits: readonly Audit[];
  private readonly guest = new GuestRecord();
  /** The observations in it are those of the last step only where a side fills in what the other shows, and at the end. */
  private readonly seen: Draft<Aftermath>;
  private steps = 0;
  /** The index of the step that killed the guest or found no machine; infinite if it lived on. */
  private diedAt = Infinity;
  /** The versions of the shadow tables when it died. */
  private shadowVersion = 0;
  private tableVersion = 0;

  constructor(options: LockstepOptions & { readonly tally: Tally }) {
    const { model, subject, invariants, modelShows, subjectShows } = options;
    this.tally = options.tally;
    this.model = model;
    this.subject = subject;
    this.modelFill = fillOf(modelShows, subjectShows);
    this.subjectFill = fillOf(subjectShows, modelShows);
    const shadow = shownBy(options).has('shadow') ? subject.shadow : undefined;
    this.audits = shadow === undefined ? [] : invariants.flatMap(auditOf);
    this.seen = {
      config: this.guest.config,
      stage: 'create',
      step: undefined,
      contractKept: false,
      guest: this.guest,
      model: ZERO_OBSERVATION,
      subject: ZERO_OBSERVATION,
      modelKind: ZERO_OBSERVATION.outcome.kind,
      subjectKind: ZERO_OBSERVATION.outcome.kind,
      shadow,
    };
  }

  /**
   * Runs a program. Returns where something differs, if anything does; only a program in which nothing does is counted. `contractKept`: as
   * for lockstep.
   */
  run(program: Program, contractKept: boolean): Divergence | undefined {
    const { machine, steps } = program;
    this.begin(machine, contractKept);
    const found = this.create(machine) ?? this.takeSteps(steps) ?? this.audit(program) ?? this.destroy();
    if (found !== undefined) return found;
    this.tally.programs++;
    this.tally.steps += this.steps;
    if (this.diedAt < EARLY_STEPS) this.tally.diedEarly++;
    return undefined;
  }

  private begin(machine: MachineConfig, contractKept: boolean): void {
    const { seen } = this;
    this.steps = 0;
    this.diedAt = Infinity;
    this.guest.begin(machine);
    seen.config = machine;
    seen.contractKept = contractKept;
    seen.stage = 'create';
    seen.step = undefined;
    this.beginAudits();
  }

  private create(machine: MachineConfig): Divergence | undefined {
    this.observe(this.model.create(machine), this.subject.create(machine));
    return this.compare('create');
  }

  /** The innermost loop of a campaign. What a step shows goes to `seen` only where a side fills in what the other one shows. */
  private takeSteps(steps: readonly Step[]): Divergence | undefined {
    const { model, subject, guest, seen } = this;
    const isFilled = this.modelFill !== undefined || this.subjectFill !== undefined;
    const keepsRecord = isFilled || seen.contractKept;
    let expected = seen.model;
    let actual = seen.subject;
    let deadSteps = 0;
    for (let index = 0; index < steps.length && deadSteps <= STEPS_AFTER_DEATH; index++) {
      const step = steps[index];
      if (keepsRecord && deadSteps === 0) guest.follow(step);
      expected = model.apply(step);
      actual = subject.apply(step);
      if (isFilled) {
        seen.step = step;
        this.observe(expected, actual);
        expected = seen.model;
        actual = seen.subject;
      }
      const member = differingMember(expected, actual);
      if (member !== undefined) return doubtOf(member, expected, actual, step.op, { kind: 'step', index });
      this.steps++;
      if (!bareOutcome(actual.outcome.kind)) {
        if (keepsRecord) guest.absorb(expected);
      } else if (deadSteps++ === 0) {
        this.noteDeath(index);
      }
    }
    seen.model = expected;
    seen.subject = actual;
    seen.modelKind = expected.outcome.kind;
    seen.subjectKind = actual.outcome.kind;
    return undefined;
  }

  private noteDeath(index: number): void {
    const { shadow } = this.seen;
    this.diedAt = index;
    this.shadowVersion = shadow?.shadowVersion ?? 0;
    this.tableVersion = shadow?.tableVersion ?? 0;
  }

  /** Looks at the shadow tables: those of a dead guest must be as they were when it died. */
  private audit(program: Program): Divergence | undefined {
    const { seen } = this;
    const { shadow } = seen;
    if (shadow === undefined) return undefined;
    if (this.diedAt !== Infinity) {
      const isSame = shadow.shadowVersion === this.shadowVersion && shadow.tableVersion === this.tableVersion;
      return isSame ? undefined : shadowDoubt(CHANGED_AFTER_KILL);
    }
    seen.stage = 'end';
    seen.step = undefined;
    const found = this.firstDoubt();
    if (found === undefined || !seen.contractKept || endsAnnounced(program)) return found;
    // The shadow may still hold what the last stores took away: the guest had until its next access to announce them.
    seen.contractKept = false;
    this.beginAudits();
    return this.firstDoubt();
  }

  private firstDoubt(): Divergence | undefined {
    const { seen, audits } = this;
    for (let i = 0; i < audits.length; i++) {
      const { id, audit } = audits[i];
      const verdict = audit(seen);
      if (verdict === VACUOUS || verdict === HELD) continue;
      return shadowDoubt({ ...verdict, difference: `${id}: ${verdict.difference}` });
    }
    return undefined;
  }

  private beginAudits(): void {
    const { audits } = this;
    for (let i = 0; i < audits.length; i++) audits[i].watch.begin?.();
  }

  private destroy(): Divergence | undefined {
    this.observe(this.model.destroy(), this.subject.destroy());
    return this.compare('destroy');
  }

  private compare(stage: 'create' | 'destroy'): Divergence | undefined {
    const { model, subject } = this.seen;
    const member = differingMember(model, subject);
    return member === undefined ? undefined : doubtOf(member, model, subject, stage, { kind: stage });
  }

  private observe(model: Observation, subject: Observation): void {
    const { seen, modelFill, subjectFill } = this;
    seen.model = modelFill === undefined ? model : modelFill(model, subject, seen);
    seen.subject = subjectFill === undefined ? subject : subjectFill(subject, model, seen);
    seen.modelKind = model.outcome.kind;
    seen.subjectKind = subject.outcome.kind;
  }
}

const doubtOf = (
  member: Observable,
  model: Observation,
  subject: Observation,
  stage: Stage,
  place: ProgramPlace,
): Divergence => ({
  invariant: SCREEN_DISAGREES,
  alsoBroken: [],
  place,
  stage,
  field: member,
  expected: JSON.stringify(model[member]),
  actual: JSON.stringify(subject[member]),
  difference: `a difference in ${member}`,
});

const CHANGED_AFTER_KILL = {
  field: 'shadow',
  expected: 'unchanged since the kill',
  actual: 'changed',
  difference: 'changed after the kill',
};

const shadowDoubt = (found: Omit<Violation, 'kind'>): Divergence => ({
  ...found,
  invariant: SCREEN_DISAGREES,
  alsoBroken: [],
  place: { kind: 'end' },
  stage: 'end',
});
