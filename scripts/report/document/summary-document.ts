/** What a fuzz run did and found: the content of summary.json, and what the terminal is told. */

import { join } from 'node:path';
import * as z from 'zod';
import { writeTextFile } from '../../../properties/corpus/store.js';
import type { Immutable } from '../../../properties/formats/fields.js';
import {
  anyText,
  choice,
  listOf,
  naturalNumber,
  openObject,
  quantity,
  unionError,
  yesOrNo,
} from '../../../properties/formats/fields.js';
import { TRAFFICS } from '../../../properties/generators/index.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';

export const SUMMARY_FORMAT = 'shadowdiff-summary/1';
export const SUMMARY_FILE = 'summary.json';
/** The directory of the counterexamples of a run, beside its summary. */
export const FINDINGS_DIRECTORY = 'findings';

/** Everything that differs between two runs of the same programs. */
const summaryTime = openObject({
  /** ISO 8601, UTC. */
  started: anyText,
  ended: anyText,
  milliseconds: quantity,
  programsPerSecond: quantity,
  stepsPerSecond: quantity,
});

/** Accesses of living guests, by how they ended. */
const accessCounts = openObject({
  total: naturalNumber,
  mapped: naturalNumber,
  fault: naturalNumber,
  mmio: naturalNumber,
  killed: naturalNumber,
  /** `stuck` and `host-bug`: never the answer of a sound machine. */
  broken: naturalNumber,
});

const cacheCounts = openObject({ hits: naturalNumber, misses: naturalNumber });

const invariantSummary = openObject({
  id: anyText,
  /** The run could have exercised it. */
  applies: yesOrNo,
  checks: naturalNumber,
  /** Checks whose premise held. */
  exercised: naturalNumber,
  /** Programs that broke it, of those findings that are named after it. */
  findings: naturalNumber,
});

const findingSummary = openObject({
  signature: anyText,
  /** Programs that showed it. */
  count: naturalNumber,
  /** Number of the first of them in the campaign, and its steps. */
  program: naturalNumber,
  originalSteps: naturalNumber,
  steps: naturalNumber,
  traffic: choice(TRAFFICS),
  /** It showed again when the program was run by itself. */
  reproduced: yesOrNo,
  shrinkingInterrupted: yesOrNo,
  /** Where it is stored, if it could be. */
  file: z.optional(anyText),
  /** The command line that replays it. */
  replay: anyText,
});

/** A finding that was known before the run, from the file of `--known`. */
const knownSummary = openObject({
  signature: anyText,
  reason: anyText,
  owner: anyText,
  expires: anyText,
  /** It is no longer tolerated: if it occurred, it is among the findings. */
  expired: yesOrNo,
  /** Programs that showed it. */
  count: naturalNumber,
});

const VERDICTS = ['clean', 'divergence', 'inconclusive', 'interrupted', 'unsaved'] as const;

const summaryVerdict = z.discriminatedUnion(
  'kind',
  [
    openObject({ kind: z.literal('clean') }),
    openObject({ kind: z.literal('divergence') }),
    openObject({ kind: z.literal('inconclusive'), reason: anyText }),
    openObject({ kind: z.literal('interrupted') }),
    /** Findings were made that could not be stored. */
    openObject({ kind: z.literal('unsaved') }),
  ],
  { error: unionError('kind', VERDICTS) },
);

export const summarySchema = openObject({
  format: choice([SUMMARY_FORMAT]),
  version: anyText,
  seed: anyText,
  subject: anyText,
  reference: anyText,
  paging: choice(['2-level', 'pae', 'both']),
  traffic: choice([...TRAFFICS, 'mixed']),
  maxSteps: naturalNumber,
  /** Kinds of finding after which the run ends. */
  maxFindings: naturalNumber,
  time: summaryTime,
  programs: naturalNumber,
  steps: naturalNumber,
  /** Programs that died within ten steps. */
  diedEarly: naturalNumber,
  accesses: accessCounts,
  /** Of mapped accesses; all zero for a subject that does not let us look inside. */
  shadow: cacheCounts,
  pgdirCache: cacheCounts,
  invariants: listOf(invariantSummary),
  findings: listOf(findingSummary),
  known: listOf(knownSummary),
  verdict: summaryVerdict,
  exitCode: z.literal(Object.values(EXIT)) satisfies z.core.$ZodType<ExitCode>,
});

export type SummaryTime = Immutable<z.infer<typeof summaryTime>>;
export type AccessCounts = Immutable<z.infer<typeof accessCounts>>;
export type CacheCounts = Immutable<z.infer<typeof cacheCounts>>;
export type InvariantSummary = Immutable<z.infer<typeof invariantSummary>>;
export type FindingSummary = Immutable<z.infer<typeof findingSummary>>;
export type KnownSummary = Immutable<z.infer<typeof knownSummary>>;
export type SummaryVerdict = Immutable<z.infer<typeof summaryVerdict>>;
export type Summary = Immutable<z.infer<typeof summarySchema>>;

/** Writes a summary into a directory, whole or not at all. Throws `BadInput` if that cannot be done. */
export const writeSummary = async (directory: string, summary: Summary): Promise<void> => {
  const text = `${JSON.stringify(summary, undefined, 1)}\n`;
  await writeTextFile(join(directory, SUMMARY_FILE), text, 'name another --out');
};
