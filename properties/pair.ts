/** Two sides and the invariants between them, ready to run programs. */

import type { Machine, Program, Trace } from '../model/vocabulary/index.js';
import type { Divergence, Place } from './divergence.js';
import { traceToJson } from './formats/index.js';
import type { Invariant } from './invariants/invariant.js';
import { Lockstep } from './lockstep.js';
import { differingMember } from './observation-difference.js';
import { determinism } from './invariants/determinism.js';
import type { Stage } from './invariants/moment.js';
import type { Profile } from './profile.js';
import type { Capabilities } from './subjects/capabilities.js';
import { Screening } from './screening.js';
import { capabilitiesOfMachine, withinProfile } from './subjects/capabilities.js';
import { ForeignMachine, SubjectFailed, answerOfMachine, guarded } from './subjects/foreign-machine.js';
import { missingFor } from './subjects/scope.js';
import type { Answer, FailedAnswer, FailedEnd, Subject } from './subjects/subject.js';
import { Tally } from './tally.js';
import { RecordedMachine } from './trace-of.js';

export interface PairOptions {
  readonly model: Subject;
  readonly subject: Subject;
  readonly invariants: readonly Invariant[];
  /** What of both sides is looked at, `lguest` by default. */
  readonly profile?: Profile | undefined;
  /** Where the runs are counted; a fresh one if left out. */
  readonly tally?: Tally;
  /** Something else ends this process if a machine in it hangs; left out: a program ends at the time limit of the machine. */
  readonly unlimited?: boolean;
}

export interface RunOptions {
  /** The program keeps the contract of a coherent guest. */
  readonly contractKept: boolean;
  /** Run the subject a second time and compare (invariant `determinism`). */
  readonly twice: boolean;
  /** Only compare what both sides show (screening.ts), and judge the program if they differ; `twice` then counts for nothing. */
  readonly screened?: boolean;
}

/** One side: a machine to step, and how to make it ready for a program. In this process `inFlight` is 0: programs are not asked for. */
interface Side extends Capabilities {
  readonly machine: Machine;
  /** It is not of this package. */
  readonly isForeign: boolean;
  /** The program as it is run by itself, for `determinism`. */
  trace(program: Program): Promise<Answer>;
  /** Has the machine play back an answer. */
  load(trace: Trace): void;
}

/** What the sides outside this process answer to a program; undefined for a side in this process. */
export interface Asked {
  readonly model: Promise<Answer> | undefined;
  readonly subject: Promise<Answer> | undefined;
}

/** Runs any number of programs, one after the other, on two subjects of either kind; `close` it when done. */
export class Pair {
  readonly tally: Tally;
  private readonly options: PairOptions;
  private readonly determinismIndex: number;
  private begun: Begun | undefined = undefined;
  private edges: readonly number[] = NO_EDGES;
  /** A machine failed in the middle of a program: the next one gets fresh machines. */
  private isSpoiled = false;

  constructor(options: PairOptions) {
    const { invariants, tally } = options;
    this.options = options;
    this.tally = tally ?? new Tally(invariants);
    this.determinismIndex = invariants.indexOf(determinism);
  }

  /**
   * Starts both sides. Returns for how many programs to `ask` ahead of the one that runs, so that no side outside this process waits for
   * the judgement.
   */
  async start(): Promise<number> {
    const { model, subject } = await this.ready();
    return ROUNDS_AHEAD * Math.max(model.inFlight, subject.inFlight);
  }

  /** How many edges of its own code the subject, which has started, counts. */
  get edgeCount(): number {
    return this.begun?.subject.edges ?? 0;
  }

  /** Those that the program that ran last reached; none if the subject failed. */
  get reachedEdges(): readonly number[] {
    return this.edges;
  }

  /** Asks the sides outside this process, which have started. An error shows when the program is run. */
  ask(program: Program): Asked {
    const { model, subject } = this.begun!;
    if (isMissing(program, model, subject)) return NOT_ASKED;
    return { model: askedOf(model, program), subject: askedOf(subject, program) };
  }

  /**
   * Runs a program and returns the first divergence, if there is one. A program that needs what a side lacks is not run (see
   * `whyNotRun`). `ahead`: what `ask` returned for it. Throws `BadInput` if a command cannot be started.
   */
  async run(program: Program, options: RunOptions, ahead?: Asked): Promise<Divergence | undefined> {
    const { contractKept, twice, screened = false } = options;
    const begun = await this.ready();
    const { model, subject, lockstep, screening } = begun;
    this.edges = NO_EDGES;
    if (isMissing(program, model, subject)) return undefined;
    const asked = ahead ?? this.ask(program);
    const failure =
      (await loaded(asked.model, model, 'reference')) ?? (await loaded(asked.subject, subject, 'subject'));
    if (failure !== undefined) return failure;
    const doubt = screened ? this.step(begun, () => screening.run(program, contractKept)) : undefined;
    if (subject.edges > 0 && !this.isSpoiled) this.edges = subject.machine.edges ?? NO_EDGES;
    if (screened && (doubt === undefined || this.isSpoiled)) return doubt;
    const found = this.step(begun, () => lockstep.run(program, contractKept)) ?? doubt;
    if (subject.edges > 0) this.edges = this.isSpoiled ? NO_EDGES : (subject.machine.edges ?? NO_EDGES);
    return found === undefined && twice && this.determinismIndex >= 0 ? await this.repeat(program) : found;
  }

  private step({ model, subject }: Begun, take: () => Divergence | undefined): Divergence | undefined {
    const limited = this.options.unlimited !== true;
    try {
      return guarded([model.machine, subject.machine], limited, take);
    } catch (error) {
      if (!(error instanceof SubjectFailed)) throw error;
      this.isSpoiled = true;
      return failureOf(error.answer, error.machine === model.machine ? 'reference' : 'subject');
    }
  }

  /** Ends the subjects outside this process. Returns how one of them failed at the end of its input, if one did. */
  async close(): Promise<Divergence | undefined> {
    const { model, subject } = this.options;
    const [ofModel, ofSubject] = [await endOf(model), await endOf(subject)];
    if (ofModel !== undefined) return failureOf(ofModel.answer, 'reference');
    return ofSubject && failureOf(ofSubject.answer, 'subject');
  }

  /**
   * Has the sides outside this process run programs that come before another. Returns how one of them failed, if one did: its process
   * has ended, so the programs behind that one are not run.
   */
  async lead(programs: readonly Program[]): Promise<Divergence | undefined> {
    const { model, subject } = this.options;
    return (await failureLeading(programs, model, 'reference')) ?? (await failureLeading(programs, subject, 'subject'));
  }

  /** Runs the subject twice by itself and compares, for the invariant `determinism`. */
  async repeat(program: Program): Promise<Divergence | undefined> {
    const { subject, lockstep } = await this.ready();
    const traces: Trace[] = [];
    for (let time = 0; time < 2; time++) {
      const answer = await subject.trace(program);
      if (answer.kind === 'failed') {
        this.isSpoiled = true;
        return failureOf(answer, 'subject');
      }
      traces.push(answer.trace);
    }
    this.tally.checks[this.determinismIndex]++;
    this.tally.exercised[this.determinismIndex]++;
    lockstep.countRepetition(this.determinismIndex);
    return firstDifference(program, traces[0], traces[1]);
  }

  /** What a subject that is not of this package observes is known once it has started. */
  private async ready(): Promise<Begun> {
    if (this.begun !== undefined && !this.isSpoiled) return this.begun;
    this.isSpoiled = false;
    const { invariants, profile = 'lguest' } = this.options;
    const model = await sideOf(this.options.model, profile);
    const subject = await sideOf(this.options.subject, profile);
    const options = {
      model: model.machine,
      subject: subject.machine,
      modelShows: model,
      subjectShows: subject,
      modelIsForeign: model.isForeign,
      profile,
      invariants,
      tally: this.tally,
    };
    return (this.begun = { model, subject, lockstep: new Lockstep(options), screening: new Screening(options) });
  }
}

/** Both sides, started. */
interface Begun {
  readonly model: Side;
  readonly subject: Side;
  readonly lockstep: Lockstep;
  readonly screening: Screening;
}

const sideOf = async (subject: Subject, profile: Profile): Promise<Side> => {
  if (subject.kind === 'in-process') {
    const started = await subject.start?.();
    const machine = subject.create();
    const able = withinProfile(started ?? capabilitiesOfMachine(subject.name, machine), profile);
    return {
      ...able,
      machine,
      isForeign: machine instanceof ForeignMachine,
      inFlight: 0,
      trace: (program) => Promise.resolve(answerOfMachine(machine, program)),
      load: () => undefined,
    };
  }
  const able = withinProfile(await subject.start(), profile);
  const machine = new RecordedMachine(able.observes);
  return {
    ...able,
    machine,
    isForeign: true,
    trace: (program) => subject.answer(program),
    load: (trace) => machine.load(trace),
  };
};

/** One is judged, one is held until the next has gone well, and one is being answered (command-subject.ts). */
const ROUNDS_AHEAD = 3;

const NO_EDGES: readonly number[] = [];

const NOT_ASKED: Asked = { model: undefined, subject: undefined };

const isMissing = (program: Program, model: Side, subject: Side): boolean =>
  missingFor(program, model) !== undefined || missingFor(program, subject) !== undefined;

const endOf = async (side: Subject): Promise<FailedEnd | undefined> =>
  side.kind === 'external' ? await side.close() : undefined;

const askedOf = (side: Side, program: Program): Promise<Answer> | undefined => {
  if (side.inFlight === 0) return undefined;
  const answer = side.trace(program);
  // A run that ends early awaits no further answers.
  answer.catch(() => undefined);
  return answer;
};

/** Waits for an answer and loads it; returns a failure to give one. */
const loaded = async (
  asked: Promise<Answer> | undefined,
  side: Side,
  name: string,
): Promise<Divergence | undefined> => {
  if (asked === undefined) return undefined;
  const answer = await asked;
  if (answer.kind === 'failed') return failureOf(answer, name);
  side.load(answer.trace);
  return undefined;
};

/** Where in its program a side failed is not where it failed in the one that should have followed. */
const failureLeading = async (
  programs: readonly Program[],
  side: Subject,
  name: string,
): Promise<Divergence | undefined> => {
  if (side.kind !== 'external') return undefined;
  for (const [index, program] of programs.entries()) {
    const answer = await side.answer(program);
    if (answer.kind === 'trace') continue;
    const detail = `${answer.detail} (program ${index} of the ${programs.length} before it)`;
    return failureOf({ ...answer, detail, did: 'failed at a program before it', at: AT_CREATE }, name);
  }
  return undefined;
};

/** A failure to answer is a finding of its own class. If it is not known at which step, it stands at the creation. */
export const failureOf = (
  { failure, detail, did = 'did not answer', at = AT_CREATE, standardError, mayBeChance }: FailedAnswer,
  side: string,
): Divergence => ({
  invariant: failure,
  alsoBroken: [],
  ...at,
  field: side,
  expected: at.place.kind === 'end-of-input' ? 'exit status 0' : 'a trace',
  actual: detail,
  difference: `the ${side} ${did}`,
  ...(standardError === undefined ? {} : { standardError }),
  ...(mayBeChance === true && { mayBeChance }),
});

const AT_CREATE = { place: { kind: 'create' }, stage: 'create' } as const;

/** Where the second trace of a program first differs from the first, if it does, and in which member of the observation. */
const firstDifference = (program: Program, first: Trace, second: Trace): Divergence | undefined => {
  if (sameTrace(first, second)) return undefined;
  const again = moments(program, second);
  for (const [index, { observed, place, stage }] of moments(program, first).entries()) {
    const other = new Map(Object.entries(again[index].observed));
    for (const [field, value] of Object.entries(observed)) {
      // Its host pages are numbers of the subject's choice.
      if (field === 'shadow') continue;
      const expected = JSON.stringify(value);
      const actual = JSON.stringify(other.get(field));
      if (expected !== actual) return { ...ANOTHER_ANSWER, place, stage, field, expected, actual };
    }
  }
  return undefined;
};

/** Asked of every program that is run twice, so it looks at the observations themselves: writing both down as JSON takes far longer. */
const sameTrace = (first: Trace, second: Trace): boolean =>
  differingMember(first.created, second.created) === undefined &&
  first.steps.every((observation, index) => differingMember(observation, second.steps[index]) === undefined) &&
  differingMember(first.destroyed, second.destroyed) === undefined;

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
