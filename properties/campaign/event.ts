/**
 * The lines of events.jsonl: all that a run remembers. Each stands by itself and may be there twice; a line that the end of a
 * process tore is left out. What a run knows is what its lines add up to (ledger.ts).
 */

import * as z from 'zod';
import { anyText, choice, exactObject, list, naturalNumber, unionError } from '../formats/fields.js';
import { Problems } from '../formats/problems.js';
import { VERDICTS } from '../corpus/regress.js';
import { tallyCountsSchema } from '../tally.js';
import type { Occurrence } from './occurrence.js';
import { occurrenceFrom, occurrenceSchema, occurrenceToJson } from './occurrence.js';

/** A program, and situation cells that it was the first to reach: of its batch, or of all that is known. */
const reach = exactObject({ program: naturalNumber, cells: z.array(naturalNumber) });

const span = z.tuple([naturalNumber, naturalNumber]);

/** How a worker failed. */
export const FAILURES = ['hung', 'died', 'ran out of memory', 'threw'] as const;

/** `planted`: our own machine with a planted bug. `subject`: the subject of the run. */
const RECORDED_FOR = ['planted', 'subject', 'another', 'nobody'] as const;
export type RecordedFor = (typeof RECORDED_FOR)[number];

const SCHEMAS = {
  /** A process took the run up. `at`: ISO 8601, UTC. */
  begin: exactObject({ kind: z.literal('begin'), at: anyText, shard: naturalNumber }),
  /** A batch is complete. `elapsed`: milliseconds of exploring so far, in all processes that worked on the run. */
  batch: exactObject({
    kind: z.literal('batch'),
    shard: naturalNumber,
    batch: naturalNumber,
    programs: naturalNumber,
    elapsed: naturalNumber,
    counts: tallyCountsSchema,
    sightings: z.array(exactObject({ signature: anyText, count: naturalNumber, first: list })),
    reached: z.exactOptional(z.array(reach)),
  }),
  /** All batches of a shard so far, added up: what merging leaves of them. */
  shard: exactObject({
    kind: z.literal('shard'),
    shard: naturalNumber,
    batches: z.array(span),
    programs: naturalNumber,
    elapsed: naturalNumber,
    ended: z.boolean(),
    counts: tallyCountsSchema,
    signatures: z.record(z.string(), naturalNumber),
  }),
  /** What merging leaves of the batches' `reached`. */
  reach: exactObject({ kind: z.literal('reach'), ...reach.shape }),
  /** More is known of a program that showed a finding. */
  occurrence: exactObject({ kind: z.literal('occurrence'), occurrence: z.unknown() }),
  /** An entry of the corpus was run again. `signature`: as recorded; of a file that is an entry. */
  corpus: exactObject({
    kind: z.literal('corpus'),
    file: anyText,
    recordedFor: choice(RECORDED_FOR),
    signature: z.optional(anyText),
    verdict: choice(VERDICTS),
    reason: anyText,
  }),
  /** A planted bug that the campaign had to find, and whether it did, within so many programs. */
  canary: exactObject({ kind: z.literal('canary'), defect: anyText, caught: z.boolean(), programs: naturalNumber }),
  /** A worker failed, and its batch went well in another one. */
  accident: exactObject({
    kind: z.literal('accident'),
    shard: naturalNumber,
    batch: naturalNumber,
    how: choice(FAILURES),
  }),
  /** The run came to its end. */
  end: exactObject({ kind: z.literal('end'), at: anyText, shard: naturalNumber }),
} as const;

type Plain<Kind extends keyof typeof SCHEMAS> = z.infer<(typeof SCHEMAS)[Kind]>;

/** What a batch saw of one signature. */
export interface SightingEvent {
  readonly signature: string;
  readonly count: number;
  readonly first: readonly Occurrence[];
}

export type BatchEvent = Omit<Plain<'batch'>, 'sightings'> & { readonly sightings: readonly SightingEvent[] };
export type ShardEvent = Plain<'shard'>;
export type CorpusEvent = Plain<'corpus'>;
export type CanaryEvent = Plain<'canary'>;
export type AccidentEvent = Plain<'accident'>;
export type Failure = AccidentEvent['how'];

export type Event =
  | Plain<'begin'>
  | BatchEvent
  | ShardEvent
  | Plain<'reach'>
  | { readonly kind: 'occurrence'; readonly occurrence: Occurrence }
  | CorpusEvent
  | CanaryEvent
  | AccidentEvent
  | Plain<'end'>;

/** One line, without its end. */
export const formatEvent = (event: Event): string => {
  switch (event.kind) {
    case 'batch': {
      const sightings = event.sightings.map((each) => ({ ...each, first: each.first.map(occurrenceToJson) }));
      return JSON.stringify({ ...event, sightings });
    }
    case 'occurrence':
      return JSON.stringify({ kind: event.kind, occurrence: occurrenceToJson(event.occurrence) });
    default:
      return JSON.stringify(event);
  }
};

const line = z.discriminatedUnion(
  'kind',
  [
    SCHEMAS.begin,
    SCHEMAS.batch,
    SCHEMAS.shard,
    SCHEMAS.reach,
    SCHEMAS.occurrence,
    SCHEMAS.corpus,
    SCHEMAS.canary,
    SCHEMAS.accident,
    SCHEMAS.end,
  ],
  { error: unionError('kind', Object.keys(SCHEMAS)) },
);

/** Reads the JSON value of a line. Throws `BadInput`, naming the source and what is wrong there. */
export const eventFromJson = (value: unknown, source: string): Event => {
  const event = read(line, value, source);
  switch (event.kind) {
    case 'batch': {
      const sightings = event.sightings.map(({ signature, count, first }): SightingEvent => {
        const occurrences = first.map((each) => readOccurrence(each, source));
        return { signature, count, first: occurrences };
      });
      return { ...event, sightings };
    }
    case 'occurrence':
      return { kind: 'occurrence', occurrence: readOccurrence(event.occurrence, source) };
    default:
      return event;
  }
};

const readOccurrence = (value: unknown, source: string): Occurrence =>
  occurrenceFrom(read(occurrenceSchema, value, source), source);

const read = <Value>(schema: z.core.$ZodType<Value>, value: unknown, source: string): Value => {
  const problems = new Problems(source);
  const result = problems.read(schema, value, []);
  if (result === undefined) throw problems.refusal();
  return result;
};
