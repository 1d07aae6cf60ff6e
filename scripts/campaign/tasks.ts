/** What workers are asked to do, and how they do it. Tasks and their results are plain data: they travel between processes. */

import { parseProgram } from '../../properties/formats/index.js';
import type { ProgramOptions, Traffic } from '../../properties/generators/index.js';
import type { BatchOptions, BatchResult, BatchTask } from '../../properties/campaign/batch.js';
import { runBatch } from '../../properties/campaign/batch.js';
import type { RecordedFor } from '../../properties/campaign/event.js';
import { RERUNS } from '../../properties/campaign/occurrence.js';
import type { Checked } from '../../properties/corpus/regress.js';
import { checkStored } from '../../properties/corpus/regress.js';
import type { Stored } from '../../properties/corpus/store.js';
import { readStored } from '../../properties/corpus/store.js';
import { signatureOf } from '../../properties/divergence.js';
import { programsOf, showings } from '../../properties/explore.js';
import type { Small } from '../../properties/fuzz.js';
import { makeSmall } from '../../properties/fuzz.js';
import { judgeOf } from '../../properties/judging.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { Pair } from '../../properties/pair.js';
import { IMPL } from '../../properties/subjects/subject-names.js';
import type { subjectNamed } from '../../properties/subjects/subject-names.js';
import type { Subject } from '../../properties/subjects/subject.js';
import type { GuidanceSettings } from './pool-file.js';
import { guidanceOf } from './pool-file.js';

/** A campaign by its names. */
export interface CampaignSettings extends ProgramOptions {
  readonly campaign: string;
  readonly subject: string;
  readonly reference: string;
  /** Milliseconds. */
  readonly caseTimeout: number;
  readonly guidance: GuidanceSettings | undefined;
}

interface Tasks {
  /** `careful`: say surely which program comes next, before each; it takes longer. */
  readonly batch: { readonly settings: CampaignSettings; readonly batch: BatchTask; readonly careful: boolean };
  /** Makes small what a program showed. `time`: milliseconds after which the smallest so far will do. */
  readonly shrink: {
    readonly settings: CampaignSettings;
    readonly program: number;
    readonly signature: string;
    readonly mostTries: number;
    readonly time: number;
  };
  /** Counts in how many of `RERUNS` a stored program shows its signature again. */
  readonly rerun: {
    readonly settings: CampaignSettings;
    readonly invariant: string;
    readonly signature: string;
    readonly traffic: Traffic;
    /** In the format of programs. */
    readonly program: string;
  };
  /**
   * Checks a file of the corpus for a subject. What was recorded for it must still say what it was kept for, on every other program
   * it must agree; our own machine is asked as `shadowdiff regress` asks it.
   */
  readonly corpus: { readonly path: string; readonly subject: string; readonly caseTimeout: number };
}

export interface Results {
  readonly batch: BatchResult;
  /** Nothing if the program does not show the signature when it is run by itself. */
  readonly shrink: Small | undefined;
  readonly rerun: number;
  readonly corpus: CheckedFile;
}

export interface CheckedFile extends Checked {
  readonly recordedFor: RecordedFor;
  /** As recorded, of a file that is an entry. */
  readonly signature?: string;
}

export type TaskKind = keyof Tasks;
export type TaskOf<Kind extends TaskKind> = { readonly kind: Kind } & Tasks[Kind];
export type Task = { readonly [Kind in TaskKind]: TaskOf<Kind> }[TaskKind];

/** What performing takes from the process around it. */
export interface Workplace {
  readonly subjectNamed: typeof subjectNamed;
  /** Milliseconds since whenever. */
  readonly monotonic: () => number;
  /** Awaited often: a sign of life, and the moment to hear signals. */
  readonly alive: () => void | Promise<void>;
  /** Awaited before a program runs; with `surely`, whoever watches must know of it even if we die right away. */
  readonly begin: (program: number, surely: boolean) => void | Promise<void>;
}

export const perform = async (task: Task, workplace: Workplace): Promise<Results[TaskKind]> => {
  await workplace.alive();
  switch (task.kind) {
    case 'batch':
      return await runBatch(await optionsOf(task.settings, workplace), task.batch, (program) =>
        workplace.begin(program, task.careful),
      );
    case 'shrink':
      return await shrink(task, workplace);
    case 'rerun':
      return await rerun(task, workplace);
    case 'corpus':
      return await checkFile(task, workplace);
    default:
      return task satisfies never;
  }
};

const optionsOf = async (settings: CampaignSettings, workplace: Workplace): Promise<BatchOptions> => ({
  campaign: settings.campaign,
  paging: settings.paging,
  traffic: settings.traffic,
  mostSteps: settings.mostSteps,
  guidance: settings.guidance === undefined ? undefined : await guidanceOf(settings.guidance),
  invariants: INVARIANTS,
  subject: sideOf(settings.subject, settings.caseTimeout, workplace),
  reference: sideOf(settings.reference, settings.caseTimeout, workplace),
});

/** A subject outside the process has its own limit of time: each of its answers is a sign of life. */
const sideOf = (name: string, caseTimeout: number, { subjectNamed, alive }: Workplace): Subject => {
  const side = subjectNamed(name, 'worker', { caseTimeout });
  if (side.kind === 'in-process') return side;
  return {
    kind: side.kind,
    name: side.name,
    start: () => side.start(),
    close: () => side.close(),
    answer: async (program) => {
      await alive();
      return await side.answer(program);
    },
  };
};

const shrink = async (task: TaskOf<'shrink'>, workplace: Workplace): Promise<Small | undefined> => {
  const { settings, program, signature, mostTries, time } = task;
  const options = await optionsOf(settings, workplace);
  const end = workplace.monotonic() + time;
  const generated = programsOf(settings.campaign, options)(program);
  for await (const shown of showings(new Pair(options), program, generated)) {
    if (shown.signature !== signature) continue;
    const pause = async (): Promise<void> => await workplace.alive();
    const hurried = (): boolean => workplace.monotonic() > end;
    return await makeSmall({ ...options, mostTries }, shown, { pause, hurried });
  }
  return undefined;
};

const rerun = async (task: TaskOf<'rerun'>, workplace: Workplace): Promise<number> => {
  const found = { traffic: task.traffic, program: parseProgram(task.program, 'stored program') };
  const judging = judgeOf(await optionsOf(task.settings, workplace), task.invariant);
  let shown = 0;
  try {
    for (let time = 0; time < RERUNS; time++) {
      await workplace.alive();
      const divergence = await judging.judge(found);
      if (divergence !== undefined && signatureOf(divergence) === task.signature) shown++;
    }
    return shown;
  } finally {
    await judging.close();
  }
};

const checkFile = async (task: TaskOf<'corpus'>, workplace: Workplace): Promise<CheckedFile> => {
  const { path, subject, caseTimeout } = task;
  const stored = await readStored(path);
  const recordedFor = recordedForOf(stored, subject);
  const asRecorded = subject === IMPL.name || (stored.kind === 'entry' && stored.entry.subject === subject);
  const asked = asRecorded ? {} : { subject: sideOf(subject, caseTimeout, workplace) };
  const checked = await checkStored(stored, { caseTimeout, ...asked });
  return {
    ...checked,
    recordedFor,
    ...(stored.kind === 'entry' ? { signature: signatureOf(stored.entry.divergence) } : {}),
  };
};

const recordedForOf = (stored: Stored, subject: string): RecordedFor => {
  if (stored.kind === 'unreadable') return 'nobody';
  if (stored.entry.subject.startsWith('impl:')) return 'planted';
  return stored.entry.subject === subject ? 'subject' : 'another';
};
