/** Two sides and the invariants between them, ready to run programs. */

import type { Machine, Program, Trace } from '../model/vocabulary/index.js';
import type { Divergence, Place } from './divergence.js';
import { traceToJson } from './formats/index.js';
import type { Invariant } from './invariants/invariant.js';
import { Lockstep } from './lockstep.js';
import { determinism } from './invariants/determinism.js';
import type { Stage } from './invariants/moment.js';
import type { Answer, Subject } from './subjects/subject.js';
import { Tally } from './tally.js';
import { RecordedMachine, traceOf } from './trace-of.js';

export interface PairOptions {
  readonly model: Subject;
  readonly subject: Subject;
  readonly invariants: readonly Invariant[];
  /** Where the runs are counted; a fresh one if left out. */
  readonly tally?: Tally;
}

export interface RunOptions {
  /** The program keeps the contract of a coherent guest. */
  readonly contractKept: boolean;
  /** Run the subject a second time and compare (invariant `determinism`). */
  readonly twice: boolean;
}

/** One side: a machine to step, and how to make it ready for a program. */
interface Side {
  readonly machine: Machine;
  /** The program as it is run by itself, for `determinism`. */
  trace(program: Program): Promise<Answer>;
  /** A failure before the first step, if any. */
  prepare(program: Program): Promise<Answer | undefined>;
  close(): Promise<void>;
}

/** Runs any number of programs, one after the other, on two subjects of either kind; `close` it when done. */
export class Pair {
  readonly tally: Tally;
  private readonly model: Side;
  private readonly subject: Side;
  private readonly lockstep: Lockstep;
  private readonly determinismIndex: number;

  constructor({ model, subject, invariants, tally }: PairOptions) {
    this.tally = tally ?? new Tally(invariants);
    this.model = sideOf(model);
    this.subject = sideOf(subject);
    this.determinismIndex = invariants.indexOf(determinism);
    const machines = { model: this.model.machine, subject: this.subject.machine };
    this.lockstep = new Lockstep({ ...machines, invariants, tally: this.tally });
  }

  /** Runs a program and returns the first divergence, if there is one. Throws `BadInput` if a command cannot be started. */
  async run(program: Program, { contractKept, twice }: RunOptions): Promise<Divergence | undefined> {
    const failure =
      asDivergence(await this.model.prepare(program), 'reference') ??
      asDivergence(await this.subject.prepare(program), 'subject');
    if (failure !== undefined) return failure;
    const found = this.lockstep.run(program, contractKept);
    return found === undefined && twice && this.determinismIndex >= 0 ? await this.repeat(program) : found;
  }

  /** Ends the subjects outside this process. */
  async close(): Promise<void> {
    await this.model.close();
    await this.subject.close();
  }

  /** Runs the subject twice by itself and compares, for the invariant `determinism`. */
  async repeat(program: Program): Promise<Divergence | undefined> {
    const traces: Trace[] = [];
    for (let time = 0; time < 2; time++) {
      const answer = await this.subject.trace(program);
      if (answer.kind === 'failed') return asDivergence(answer, 'subject');
      traces.push(answer.trace);
    }
    this.tally.checks[this.determinismIndex]++;
    this.tally.exercised[this.determinismIndex]++;
    this.lockstep.countRepetition(this.determinismIndex);
    return firstDifference(program, traces[0], traces[1]);
  }
}

const sideOf = (subject: Subject): Side => {
  if (subject.kind === 'in-process') {
    const machine = subject.create();
    return {
      machine,
      trace: (program) => Promise.resolve({ kind: 'trace', trace: traceOf(machine, program) }),
      prepare: () => NOTHING_TO_PREPARE,
      close: () => Promise.resolve(),
    };
  }
  const machine = new RecordedMachine();
  return {
    machine,
    trace: (program) => subject.answer(program),
    prepare: async (program) => {
      const answer = await subject.answer(program);
      if (answer.kind === 'trace') machine.load(answer.trace);
      return answer;
    },
    close: () => subject.close(),
  };
};

const NOTHING_TO_PREPARE = Promise.resolve(undefined);

/** A failure to answer is a finding of its own class, at no step. */
const asDivergence = (answer: Answer | undefined, side: string): Divergence | undefined => {
  if (answer === undefined || answer.kind === 'trace') return undefined;
  return {
    invariant: answer.failure,
    alsoBroken: [],
    place: { kind: 'create' },
    stage: 'create',
    field: side,
    expected: 'a trace',
    actual: answer.detail,
    difference: `the ${side} did not answer`,
  };
};

/** Where the second trace of a program first differs from the first, if it does, and in which member of the observation. */
const firstDifference = (program: Program, first: Trace, second: Trace): Divergence | undefined => {
  const again = moments(program, second);
  for (const [index, { observed, place, stage }] of moments(program, first).entries()) {
    const other = new Map(Object.entries(again[index].observed));
    for (const [field, value] of Object.entries(observed)) {
      const expected = JSON.stringify(value);
      const actual = JSON.stringify(other.get(field));
      if (expected !== actual) return { ...ANOTHER_ANSWER, place, stage, field, expected, actual };
    }
  }
  return undefined;
};

interface Taken {
  readonly observed: object;
  readonly place: Place;
  readonly stage: Stage;
}

const moments = (program: Program, trace: Trace): readonly Taken[] => {
  const { created, steps, destroyed } = traceToJson(trace);
  return [
    { observed: created, place: { kind: 'create' }, stage: 'create' },
    ...steps.map((observed, index): Taken => {
      return { observed, place: { kind: 'step', index }, stage: program.steps[index].op };
    }),
    { observed: destroyed, place: { kind: 'destroy' }, stage: 'destroy' },
  ];
};

const ANOTHER_ANSWER = {
  invariant: determinism.id,
  kind: 'another-answer-again',
  alsoBroken: [],
  difference: 'another answer the second time',
} as const;
