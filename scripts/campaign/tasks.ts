/** What workers do. Tasks and their results are plain data: they travel between processes. */

import type { BatchOptions, BatchResult, BatchTask } from '../../properties/campaign/batch.js';
import { findingOf, historyOf, isNumbered, numberIn, runBatch } from '../../properties/campaign/batch.js';
import type { RecordedFor } from '../../properties/campaign/events.js';
import { findSequence } from '../../properties/campaign/sequence.js';
import type { ShrinkFindingOptions, ShrinkWatcher, ShrunkFinding } from '../../properties/campaign/shrink-finding.js';
import { shrinkFinding, timesShown } from '../../properties/campaign/shrink-finding.js';
import type { Checked } from '../../properties/corpus/regress.js';
import { checkStored } from '../../properties/corpus/regress.js';
import type { CorpusFile } from '../../properties/corpus/store.js';
import { isReadable, readStored } from '../../properties/corpus/store.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding, Shown } from '../../properties/finding.js';
import type { ProgramOptions } from '../../properties/generators/index.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import type { Progress } from '../../properties/shrink/index.js';
import { DEFAULT_START_TIMEOUT, IMPL, subjectNamed } from '../../properties/subjects/subject-names.js';
import type { SubjectSettings } from '../../properties/subjects/subject-names.js';
import type { FailedEnd, Subject } from '../../properties/subjects/subject.js';
import { withMethods } from '../../properties/subjects/subject.js';
import { failureOf } from '../../properties/pair.js';

/** A campaign with names in the place of machines and invariants. */
export interface CampaignSettings extends ProgramOptions, SubjectSettings {
  readonly campaign: string;
  readonly date: string;
  readonly version: string;
  readonly subject: string;
  readonly reference: string;
  /** Ids; undefined for all. */
  readonly invariants: readonly string[] | undefined;
  /** The share of programs that are judged in full; left out: all. */
  readonly judge?: number | undefined;
}

interface Tasks {
  readonly batch: { readonly settings: CampaignSettings; readonly batch: BatchTask };
  /** Shrinks a finding. `time`: milliseconds after which the smallest program so far will do; undefined for no limit. */
  readonly shrink: {
    readonly settings: CampaignSettings;
    readonly finding: Finding;
    readonly mostTries: number;
    readonly time: number | undefined;
  };
  /** Looks for a finding behind the programs that its process had run, and makes their sequence small. `time`: as for `shrink`. */
  readonly sequence: Tasks['shrink'];
  /** Ends the subjects outside the process. */
  readonly farewell: { readonly settings: CampaignSettings };
  /** Counts how often a finding shows again. `time`: the milliseconds after which few runs must do. */
  readonly rerun: { readonly settings: CampaignSettings; readonly finding: Finding; readonly time: number };
  /**
   * Checks a file of the corpus for a subject. What was recorded for it must be as recorded, and it must agree on every other program;
   * for impl the file is checked as `shadowdiff regress` does.
   */
  readonly corpus: { readonly path: string; readonly subject: string } & SubjectSettings;
}

export interface Results {
  readonly batch: BatchResult;
  readonly shrink: ShrunkFinding;
  /** Undefined if it does not show behind them. */
  readonly sequence: Finding | undefined;
  /** How they failed at the end of their input, since the last farewell: a finding each. */
  readonly farewell: readonly Finding[];
  readonly rerun: Shown;
  readonly corpus: CheckedFile;
}

export interface CheckedFile extends Checked {
  readonly recordedFor: RecordedFor;
  /** As recorded, if the file could be read. */
  readonly signature?: string;
}

export type TaskKind = keyof Tasks;
export type TaskOf<Kind extends TaskKind> = { readonly kind: Kind } & Tasks[Kind];
export type Task = { readonly [Kind in TaskKind]: TaskOf<Kind> }[TaskKind];

/** Subjects by name, each made once: a command that was started serves all tasks. */
export class Subjects {
  private readonly sides = new Map<string, Subject>();
  private readonly find: typeof subjectNamed;
  /** The first of each kind, because a command that fails at every end does so for each program that is tried while a finding shrinks. */
  private readonly failedEnds = new Map<string, NamedEnd>();

  constructor(find: typeof subjectNamed) {
    this.find = find;
  }

  readonly named: typeof subjectNamed = (name, where, settings) => {
    const side = this.sides.get(name) ?? this.noting(this.find(name, where, settings));
    this.sides.set(name, side);
    return side;
  };

  /** Closes all of them. Returns how processes that ran programs of a campaign failed at the end of their input, since the last call. */
  async close(): Promise<readonly NamedEnd[]> {
    for (const side of this.sides.values()) if (side.kind === 'external') await side.close();
    const ends = [...this.failedEnds.values()];
    this.failedEnds.clear();
    return ends;
  }

  /** The same subject; whenever a process of it fails at the end of its input, that is noted. */
  private noting(side: Subject): Subject {
    if (side.kind === 'in-process') return side;
    return withMethods(side, {
      close: async () => {
        const failed = await side.close();
        if (failed !== undefined) this.note({ name: side.name, ...failed });
        return failed;
      },
    });
  }

  private note(end: NamedEnd): void {
    const { name, answer, seen } = end;
    const last = seen.at(-1);
    const kind = `${name} | ${answer.failure} | ${answer.did}`;
    if (last !== undefined && isNumbered(last) && !this.failedEnds.has(kind)) this.failedEnds.set(kind, end);
  }
}

interface NamedEnd extends FailedEnd {
  /** Of the subject. */
  readonly name: string;
}

/** What a task takes from the process that performs it. */
export interface Workplace {
  /** The process that gave the task ends this one if it hangs. */
  readonly isWatched: boolean;
  readonly subjects: Subjects;
  /** Milliseconds since some moment. */
  readonly monotonic: () => number;
  /** Awaited often: gives a sign of life, and lets signals through. `late`: milliseconds by which the next sign may be late. */
  readonly alive: (late?: number) => void | Promise<void>;
  /** Awaited before a program runs. `careful`: returns only when the report has left the process. */
  readonly begin: (program: number, careful: boolean) => void | Promise<void>;
  /** Called now and then with the steps of the program that is being shrunk. */
  readonly shrunkTo: (steps: number) => void;
}

export const perform = async (task: Task, workplace: Workplace): Promise<Results[TaskKind]> => {
  await workplace.alive();
  switch (task.kind) {
    case 'batch':
      return await runBatch(await optionsOf(task.settings, workplace), batchOf(task, workplace), (program) =>
        workplace.begin(program, task.batch.careful === true),
      );
    case 'shrink':
      return await shrinkFinding(...(await searchOf(task, workplace)));
    case 'sequence':
      return await findSequence(...(await searchOf(task, workplace)));
    case 'farewell':
      return endsOf(task.settings, await workplace.subjects.close());
    case 'rerun':
      return await rerun(task, workplace);
    case 'corpus':
      return await checkFile(task, workplace);
    default:
      return task satisfies never;
  }
};

/**
 * A time limit for each program takes a tenth of a millisecond. It is worth that only once a worker has failed: then the program that
 * hangs is found, at its step, and the worker stays.
 */
const batchOf = ({ batch }: TaskOf<'batch'>, { isWatched }: Workplace): BatchTask => ({
  ...batch,
  unlimited: isWatched && batch.careful !== true,
});

/** With machines and invariants in the place of their names. */
const optionsOf = async (settings: CampaignSettings, workplace: Workplace): Promise<BatchOptions> => ({
  ...settings,
  invariants: INVARIANTS.filter(({ id }) => settings.invariants?.includes(id) ?? true),
  subject: await sideOf(settings.subject, settings, workplace),
  model: await sideOf(settings.reference, settings, workplace),
});

/** Milliseconds between two signs of life while a subject outside the process is awaited. */
const AWAITING_EVERY = 500;

/** A subject outside the process has its own time limits: to wait for it is a sign of life. One from a file is loaded here. */
const sideOf = async (
  name: string,
  { caseTimeout, startTimeout = DEFAULT_START_TIMEOUT, capabilities, allowed }: SubjectSettings,
  { isWatched, subjects, alive }: Workplace,
): Promise<Subject> => {
  const side = subjects.named(name, 'worker', { caseTimeout, startTimeout, capabilities, allowed });
  if (!isWatched) return side;
  if (side.kind === 'in-process') {
    if (side.start === undefined) return side;
    await alive(startTimeout);
    await side.start();
    await alive(0);
    return side;
  }
  let awaited = 0;
  let timer: NodeJS.Timeout | undefined;
  return withMethods(side, {
    answer: async (program) => {
      if (awaited++ === 0) timer = setInterval(() => void alive(), AWAITING_EVERY);
      try {
        return await side.answer(program);
      } finally {
        if (--awaited === 0) clearInterval(timer);
      }
    },
  });
};

/** The same side; each program that it is asked is a sign of life. */
const livelySide = (side: Subject, { alive }: Workplace): Subject => {
  if (side.kind === 'in-process') return side;
  return withMethods(side, {
    answer: async (program) => {
      await alive();
      return await side.answer(program);
    },
  });
};

const searchOf = async (
  { settings, finding, mostTries, time = Infinity }: TaskOf<'shrink' | 'sequence'>,
  workplace: Workplace,
): Promise<[ShrinkFindingOptions, Finding, ShrinkWatcher]> => {
  const options = { ...(await optionsOf(settings, workplace)), mostTries };
  const end = workplace.monotonic() + time;
  const interrupted = (): boolean => workplace.monotonic() > end;
  const onProgress = ({ steps }: Progress): void => workplace.shrunkTo(steps);
  return [options, finding, { pause: () => workplace.alive(), interrupted, onProgress }];
};

const rerun = async ({ settings, finding, time }: TaskOf<'rerun'>, workplace: Workplace): Promise<Shown> => {
  const options = await optionsOf(settings, workplace);
  const late = workplace.monotonic() + time;
  const isLate = (): boolean => workplace.monotonic() > late;
  return await timesShown(options, finding, { pause: () => workplace.alive(), isLate });
};

/** Of processes that ran programs of the campaign, each as a finding of the last of these programs. */
const endsOf = (settings: CampaignSettings, ends: readonly NamedEnd[]): readonly Finding[] =>
  ends.flatMap(({ name, answer, seen }) => {
    const last = seen.at(-1)!;
    const program = numberIn(settings.campaign, last);
    if (program === undefined) return [];
    const divergence = failureOf(answer, name === settings.subject ? 'subject' : 'reference');
    const ending = findingOf(settings, program, last.steps.length, { traffic: 'hostile', program: last }, divergence);
    return [{ ...ending, history: historyOf(seen.slice(0, -1), settings.campaign) }];
  });

const checkFile = async (task: TaskOf<'corpus'>, workplace: Workplace): Promise<CheckedFile> => {
  const { path, subject, caseTimeout, startTimeout, capabilities, allowed } = task;
  const stored = await readStored(path);
  const recordedFor = recordedForOf(stored, subject);
  const asRecorded = subject === IMPL.name || (isReadable(stored) && stored.subject === subject);
  // An entry may have thousands of programs.
  const named: typeof subjectNamed = (...recorded) => livelySide(subjectNamed(...recorded), workplace);
  const asked = asRecorded ? {} : { subject: await sideOf(subject, task, workplace) };
  const checked = await checkStored(stored, { caseTimeout, startTimeout, capabilities, allowed, named, ...asked });
  return { ...checked, recordedFor, ...(isReadable(stored) ? { signature: signatureOf(stored.divergence) } : {}) };
};

const recordedForOf = (stored: CorpusFile, subject: string): RecordedFor => {
  if (!isReadable(stored)) return 'unknown';
  if (stored.subject.startsWith('impl:')) return 'planted';
  return stored.subject === subject ? 'subject' : 'another';
};
