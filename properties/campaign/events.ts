/**
 * The lines of events.jsonl: all that a run remembers. Each line stands alone and may appear twice; a line that the death of a process
 * tore is ignored. What a run knows is what its lines add up to (ledger.ts).
 */

import * as z from 'zod';
import type { Program } from '../../model/vocabulary/index.js';
import type { CounterexampleJson } from '../corpus/counterexample.js';
import { counterexampleFromJson, counterexampleToJson } from '../corpus/counterexample.js';
import { VERDICTS } from '../corpus/regress.js';
import type { Divergence } from '../divergence.js';
import type { Finding, ShrinkExtent, Shown } from '../finding.js';
import { MOST_BEFORE, SHRINK_EXTENTS } from '../finding.js';
import { anyText, choice, exactObject, naturalNumber, unionError, wholeNumber } from '../formats/fields.js';
import type { ProgramJson } from '../formats/index.js';
import { programFromJson, programToJson } from '../formats/index.js';
import { Problems } from '../formats/problems.js';
import { tallyCountsSchema } from '../tally.js';
import { MOST_JOBS, MOST_PROGRAMS, MOST_SHARDS } from './campaign-bounds.js';

/** A program, and cells (cells.ts) that it was among the first to reach: of its batch, or of all that is known. */
const reach = exactObject({ program: naturalNumber, cells: z.array(naturalNumber) });

const shard = wholeNumber(0, MOST_SHARDS - 1);
/** A batch has at least one program. */
const batch = wholeNumber(0, MOST_PROGRAMS - 1);
const programs = wholeNumber(0, MOST_PROGRAMS);

/** From, to: both included. Batches at hand when a process ended leave gaps, at most one for each worker. */
const spans = z
  .array(
    z.tuple([batch, batch]).check(z.refine(([from, to]) => from <= to, { error: 'give the smaller number first' })),
  )
  .check(z.maxLength(2 * MOST_JOBS, { error: `give at most ${2 * MOST_JOBS} spans` }));

/** Programs that showed each signature. */
const signatures = z.record(z.string(), naturalNumber);

/** How a worker failed at its task. */
const FAILURES = ['hung', 'died', 'ran out of memory', 'threw'] as const;
export type Failure = (typeof FAILURES)[number];

/** Whose bug an entry of the corpus shows. `planted`: impl with a defect. `subject`: the subject of the run. */
const RECORDED_FOR = ['planted', 'subject', 'another', 'unknown'] as const;
export type RecordedFor = (typeof RECORDED_FOR)[number];

const SCHEMAS = {
  /** The first line: whose events these are. */
  campaign: exactObject({ kind: z.literal('campaign'), identity: anyText }),
  /** A process began or resumed the run. `at`: ISO 8601, UTC. */
  begin: exactObject({ kind: z.literal('begin'), at: anyText, shard }),
  /** A batch is complete. `elapsed`: milliseconds of exploring so far, in all processes that worked on the run. */
  batch: exactObject({
    kind: z.literal('batch'),
    shard,
    batch,
    programs,
    elapsed: naturalNumber,
    counts: tallyCountsSchema,
    signatures,
    reached: z.exactOptional(z.array(reach)),
  }),
  /** All batches of a shard so far, added up: what merging leaves of them. */
  shard: exactObject({
    kind: z.literal('shard'),
    shard,
    batches: spans,
    programs,
    elapsed: naturalNumber,
    ended: z.boolean(),
    counts: tallyCountsSchema,
    signatures,
  }),
  /** What merging leaves of the batches' `reached`. */
  reach: exactObject({ kind: z.literal('reach'), ...reach.shape }),
  /** More is known about a finding. */
  finding: exactObject({ kind: z.literal('finding'), finding: z.unknown() }),
  /** An entry of the corpus was run again. `signature`: as recorded, if the file could be read. */
  corpus: exactObject({
    kind: z.literal('corpus'),
    file: anyText,
    recordedFor: choice(RECORDED_FOR),
    signature: z.optional(anyText),
    verdict: choice(VERDICTS),
    reason: anyText,
  }),
  /** A planted bug that the campaign had to find, and whether it did within this many programs. */
  canary: exactObject({ kind: z.literal('canary'), defect: anyText, caught: z.boolean(), programs }),
  /** A worker was killed from outside or failed, and its task was tried again. `attempt`: the one that came to nothing, from 1. */
  retry: exactObject({
    kind: z.literal('retry'),
    shard,
    task: anyText,
    attempt: naturalNumber,
    how: choice([...FAILURES, 'was killed']),
  }),
  /** The run is complete. */
  end: exactObject({ kind: z.literal('end'), at: anyText, shard }),
} as const;

type Plain<Kind extends keyof typeof SCHEMAS> = z.infer<(typeof SCHEMAS)[Kind]>;

export type BatchEvent = Plain<'batch'>;
export type ShardEvent = Plain<'shard'>;
export type CorpusEvent = Plain<'corpus'>;
export type CanaryEvent = Plain<'canary'>;
export type RetryEvent = Plain<'retry'>;

export type Event =
  | Plain<'campaign'>
  | Plain<'begin'>
  | BatchEvent
  | ShardEvent
  | Plain<'reach'>
  | { readonly kind: 'finding'; readonly finding: Finding }
  | CorpusEvent
  | CanaryEvent
  | RetryEvent
  | Plain<'end'>;

/** One line, without its newline. */
export const formatEvent = (event: Event): string =>
  JSON.stringify(event.kind === 'finding' ? { kind: event.kind, finding: findingToJson(event.finding) } : event);

const line = z.discriminatedUnion(
  'kind',
  [
    SCHEMAS.campaign,
    SCHEMAS.begin,
    SCHEMAS.batch,
    SCHEMAS.shard,
    SCHEMAS.reach,
    SCHEMAS.finding,
    SCHEMAS.corpus,
    SCHEMAS.canary,
    SCHEMAS.retry,
    SCHEMAS.end,
  ],
  { error: unionError('kind', Object.keys(SCHEMAS)) },
);

/** Reads the JSON value of a line. Throws `BadInput`, naming the source and what is wrong there. */
export const eventFromJson = (value: unknown, source: string): Event => {
  const event = read(line, value, source);
  return event.kind === 'finding' ? { kind: event.kind, finding: findingFromJson(event.finding, source) } : event;
};

const shown = exactObject({ times: naturalNumber, runs: naturalNumber }).check(
  z.refine(({ times, runs }) => times <= runs, { error: 'give at most as many times as runs' }),
);

const findingSchema = exactObject({
  shrunk: z.exactOptional(choice(SHRINK_EXTENTS)),
  shown: z.exactOptional(shown),
  history: z.exactOptional(z.array(z.unknown()).check(z.maxLength(MOST_BEFORE))),
  counterexample: z.unknown(),
});

interface FindingJson {
  readonly shrunk?: ShrinkExtent;
  readonly shown?: Shown;
  readonly history?: readonly (number | ProgramJson)[];
  readonly counterexample: CounterexampleJson;
}

/** Of what the stages of a run add, only what work was done on the finding: the rest follows from the ledger. */
export const findingToJson = (finding: Finding): FindingJson => {
  const { shrunk, shown, history } = finding;
  return {
    ...(shrunk === undefined ? {} : { shrunk }),
    ...(shown === undefined ? {} : { shown }),
    ...(history === undefined
      ? {}
      : { history: history.map((each) => (typeof each === 'number' ? each : programToJson(each))) }),
    counterexample: counterexampleToJson(finding),
  };
};

const findingFromJson = (value: unknown, source: string): Finding => {
  const { counterexample, history, ...work } = read(findingSchema, value, source);
  const finding = { ...counterexampleFromJson(counterexample, source), ...work };
  if (history === undefined) return finding;
  const numberOrProgram = (each: unknown): number | Program =>
    typeof each === 'number' ? read(naturalNumber, each, source) : programFromJson(each, `${source}: history`);
  return { ...finding, history: history.map(numberOrProgram) };
};

const read = <Value>(schema: z.core.$ZodType<Value>, value: unknown, source: string): Value =>
  new Problems(source).readWhole(schema, value);

/** The field of a divergence that stands for a worker's failure. */
const WORKER = 'worker';

/** A program that every worker fails on is a finding, like that of a subject that does not answer. */
export const failureDivergence = (how: Failure, detail: string): Divergence => ({
  invariant: how === 'hung' ? 'subject-timeout' : 'subject-crash',
  alsoBroken: [],
  place: { kind: 'create' },
  stage: 'create',
  field: WORKER,
  expected: 'a program that ends',
  actual: `the worker ${how}: ${detail}`,
  difference: `the worker ${how}`,
});

export const isWorkerFailure = ({ field }: Divergence): boolean => field === WORKER;
