/**
 * Machines in this process that are not of this package. What goes wrong in one is a finding about it, as it is of a command: what it
 * throws, an answer that is no observation, and a call that does not return.
 */

import type {
  GuestRam,
  Machine,
  MachineConfig,
  Observation,
  Program,
  ShadowView,
  Step,
  Trace,
} from '../../model/vocabulary/index.js';
import type { Place, SubjectFailure } from '../divergence.js';
import type { Stage } from '../invariants/moment.js';
import { traceOf } from '../trace-of.js';
import { crashOf } from './machine-crash.js';
import type { Answer, FailedAnswer } from './subject.js';
import { OutOfTime, within } from './time-limit.js';

/** A machine that is not of this package failed. */
export class SubjectFailed extends Error {
  override readonly name = 'SubjectFailed';
  readonly machine: ForeignMachine;
  readonly answer: FailedAnswer;

  constructor(machine: ForeignMachine, answer: FailedAnswer) {
    super(answer.detail);
    this.machine = machine;
    this.answer = answer;
  }
}

/** What a machine answered is no observation. The message names the member, what is wrong with it and what to do. */
export class NotAnObservation extends Error {
  override readonly name = 'NotAnObservation';
}

export interface ForeignMachineOptions {
  /** Milliseconds for one program, at least 1. */
  readonly caseTimeout: number;
  /** Returns the observation of what a call answered; throws `NotAnObservation` if it is none. Left out: it is one. */
  readonly check?: (answer: Observation, hostCpus: number) => Observation;
  /** Its views are of this package, so that reading them does not fail. */
  readonly ownViews?: boolean;
}

/** Its calls throw `SubjectFailed` and nothing else. */
export class ForeignMachine implements Machine {
  readonly shadow?: ShadowView;
  readonly ram?: GuestRam;
  readonly walksAlways?: boolean;
  readonly caseTimeout: number;
  /** Reading its views may fail. */
  readonly hasForeignViews: boolean;
  /** A call has begun and not returned. */
  busy = false;
  private readonly machine: Machine;
  private readonly check: (answer: Observation, hostCpus: number) => Observation;
  private hostCpus = 0;
  private stage: Stage = 'create';
  /** Since the last creation. */
  private steps = 0;

  constructor(machine: Machine, { caseTimeout, check, ownViews }: ForeignMachineOptions) {
    const { shadow, ram, walksAlways } = machine;
    this.machine = machine;
    this.caseTimeout = caseTimeout;
    this.check = check ?? ((answer) => answer);
    this.hasForeignViews = ownViews !== true && (shadow !== undefined || ram !== undefined);
    if (shadow !== undefined) this.shadow = shadow;
    if (ram !== undefined) this.ram = ram;
    if (walksAlways !== undefined) this.walksAlways = walksAlways;
  }

  get edges(): readonly number[] | undefined {
    return this.machine.edges;
  }

  create(config: MachineConfig): Observation {
    this.hostCpus = config.hostCpus;
    this.stage = 'create';
    this.steps = 0;
    this.busy = true;
    try {
      return this.returned(this.machine.create(config));
    } catch (error) {
      throw this.failed(error);
    }
  }

  apply(step: Step): Observation {
    this.stage = step.op;
    this.steps++;
    this.busy = true;
    try {
      return this.returned(this.machine.apply(step));
    } catch (error) {
      throw this.failed(error);
    }
  }

  destroy(): Observation {
    this.stage = 'destroy';
    this.busy = true;
    try {
      return this.returned(this.machine.destroy());
    } catch (error) {
      throw this.failed(error);
    }
  }

  failed(error: unknown): SubjectFailed {
    if (error instanceof NotAnObservation) return this.failure('subject-garbage', error.message);
    if (error instanceof OutOfTime) return this.late();
    const { detail, did } = crashOf(error);
    return this.failure('subject-crash', detail, did);
  }

  late(): SubjectFailed {
    return this.failure('subject-timeout', `no answer within ${this.caseTimeout} ms`);
  }

  private returned(answer: Observation): Observation {
    this.busy = false;
    return this.check(answer, this.hostCpus);
  }

  private failure(failure: SubjectFailure, detail: string, did?: string): SubjectFailed {
    const at = { place: this.place(), stage: this.stage };
    return new SubjectFailed(this, { kind: 'failed', failure, detail, at, ...(did === undefined ? {} : { did }) });
  }

  private place(): Place {
    if (this.stage === 'create' || this.stage === 'destroy') return { kind: this.stage };
    return { kind: 'step', index: this.steps - 1 };
  }
}

/**
 * Does work that steps machines. Throws `SubjectFailed` if one that is not of this package fails, or, if `limited`, takes longer than its
 * time limit. Then the machines are in no state to go on.
 */
export const guarded = <Result>(machines: readonly Machine[], limited: boolean, work: () => Result): Result => {
  const foreign = machines.filter((machine) => machine instanceof ForeignMachine);
  if (foreign.length === 0) return work();
  try {
    return limited ? within(Math.max(...foreign.map(({ caseTimeout }) => caseTimeout)), work) : work();
  } catch (error) {
    if (error instanceof SubjectFailed) throw error;
    if (error instanceof OutOfTime) throw (foreign.find(({ busy }) => busy) ?? foreign.at(-1)!).late();
    const shown = foreign.find(({ hasForeignViews }) => hasForeignViews);
    throw shown === undefined ? error : shown.failed(error);
  }
};

/** Runs a program on a machine, from `create` to `destroy`; `take` makes the trace. */
export const answerOfMachine = (
  machine: Machine,
  program: Program,
  take: (machine: Machine, program: Program) => Trace = traceOf,
): Answer => {
  try {
    return { kind: 'trace', trace: guarded([machine], true, () => take(machine, program)) };
  } catch (error) {
    if (error instanceof SubjectFailed) return error.answer;
    throw error;
  }
};
