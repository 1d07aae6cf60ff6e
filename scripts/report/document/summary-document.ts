/** What a run of a campaign did and found: the content of summary.json, from which every report is made. */

import * as z from 'zod';
import { LONGEST_DURATION } from '../../../properties/campaign/campaign-bounds.js';
import type { Replay } from '../../../properties/finding.js';
import { SHRINK_EXTENTS, TRIAGES } from '../../../properties/finding.js';
import type { Immutable } from '../../../properties/formats/fields.js';
import {
  anyText,
  choice,
  listOf,
  naturalNumber,
  openObject,
  orNull,
  quantity,
  unionError,
  wholeNumber,
  yesOrNo,
} from '../../../properties/formats/fields.js';
import { TRAFFICS } from '../../../properties/generators/index.js';
import { EXTENTS } from '../../../properties/invariants/asking.js';
import { PROFILES } from '../../../properties/profile.js';
import { FEATURES } from '../../../model/vocabulary/index.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';

export const SUMMARY_FORMAT = 'shadowdiff-summary/4';
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

/** Edges of the subject's own code (formats.md, Edges). */
const edgesSummary = openObject({
  total: naturalNumber,
  reached: naturalNumber,
  /** By exactly one program, and by exactly two. */
  once: naturalNumber,
  twice: naturalNumber,
  /** Number of the program that was the last to reach a new one; null if none did. */
  last: orNull(naturalNumber),
});

/** How rare the situations are that judged programs reached (residual-risk.ts). */
const raritySummary = openObject({
  reached: naturalNumber,
  /** By exactly one program, and by exactly two. */
  once: naturalNumber,
  twice: naturalNumber,
  /** Not reached, and not known to be unreachable. */
  left: naturalNumber,
});

/** Programs up to this number had reached so many situations. */
const discoveryPoint = openObject({ programs: naturalNumber, situations: naturalNumber });

const invariantSummary = openObject({
  id: anyText,
  asked: choice(EXTENTS),
  /** Why not fully: clauses. */
  because: listOf(anyText),
  checks: naturalNumber,
  /** Checks whose premise held. */
  exercised: naturalNumber,
  situations: raritySummary,
  /** Edges of the subject that programs reached in which its premise held; left out if it counts none. */
  edges: z.exactOptional(naturalNumber),
  /** Programs that broke it, of those findings that are named after it. */
  findings: naturalNumber,
});

/** What replays a finding: its file, and the sides that the file does not name. */
const replay = openObject({
  file: anyText,
  subject: z.exactOptional(anyText),
  reference: z.exactOptional(anyText),
}) satisfies z.core.$ZodType<Replay>;

const findingSummary = openObject({
  signature: anyText,
  status: choice(TRIAGES),
  /** Programs that showed it; of a namesake, those that were looked at. */
  count: naturalNumber,
  /** Number of the first of them in the campaign, and its steps. */
  program: naturalNumber,
  originalSteps: naturalNumber,
  steps: naturalNumber,
  traffic: choice(TRAFFICS),
  /** Kinds of steps in its program, if another finding or a known one stands for the signature whose program needs others. */
  namesake: z.exactOptional(anyText),
  /** How far it was shrunk; left out: as it was generated. */
  shrunk: z.exactOptional(choice(SHRINK_EXTENTS)),
  /** In how many of so many runs it showed again; left out: it was not run again. */
  shown: z.exactOptional(openObject({ times: naturalNumber, runs: naturalNumber })),
  /** Programs that the same process must run first, because the subject remembers something of them; left out: none. */
  programsBefore: z.exactOptional(naturalNumber),
  /** Where it is stored, if it could be. */
  file: z.exactOptional(anyText),
  replay,
});

/** A finding that was known before the run, from the file of `--known`. */
const knownSummary = openObject({
  signature: anyText,
  /** File of a program that shows it, if the entry names one. */
  counterexample: z.exactOptional(anyText),
  reason: anyText,
  owner: anyText,
  expires: anyText,
  /** It is no longer tolerated: if it occurred, it is among the findings. */
  expired: yesOrNo,
  /** Programs that showed it. */
  count: naturalNumber,
});

/** An entry of the corpus that needs attention. */
const entrySummary = openObject({
  file: anyText,
  /** The subject that diverges, unless it is the one that the file names. */
  subject: z.exactOptional(anyText),
  /** As recorded, if the file could be read. */
  signature: z.exactOptional(anyText),
  reason: anyText,
});

const corpusSummary = openObject({
  /** Entries that were run again. */
  replayed: naturalNumber,
  /** Those that the subject still diverges on, and whose findings the run did not make again. */
  open: listOf(entrySummary),
  /** Open ones that no longer diverge. */
  fixed: listOf(entrySummary),
  /** Those that diverge and should not, or that a planted bug no longer shows. */
  broken: listOf(entrySummary),
  unreadable: listOf(entrySummary),
  /** Those that name a command without permission. */
  notRun: listOf(entrySummary),
  /** Those that need what a side does not support. */
  unsupported: listOf(entrySummary),
});

/** A planted bug that a campaign must find, and whether it did within this many programs. */
const canarySummary = openObject({ defect: anyText, caught: yesOrNo, programs: naturalNumber });

export const VERDICTS = ['clean', 'divergence', 'inconclusive', 'interrupted', 'unsaved'] as const;

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
  kind: choice(['fuzz', 'nightly']),
  version: anyText,
  seed: anyText,
  subject: anyText,
  reference: anyText,
  /** Left out for the profile `lguest`. */
  profile: z.exactOptional(choice(PROFILES)),
  /** What the CPUs of programs could have; left out: nothing. */
  features: z.exactOptional(listOf(choice(FEATURES))),
  paging: choice(['2-level', 'pae', 'both']),
  traffic: choice([...TRAFFICS, 'mixed']),
  maxSteps: naturalNumber,
  /** Milliseconds that a subject outside the process had for one program. */
  caseTimeout: wholeNumber(1, LONGEST_DURATION),
  /** Kinds of finding after which the run ends; null for no limit. */
  maxFindings: orNull(naturalNumber),
  time: summaryTime,
  programs: naturalNumber,
  /** Those that the invariants judged in full; what follows but steps and early deaths is known of these alone. */
  judged: naturalNumber,
  steps: naturalNumber,
  /** Programs that died within ten steps. */
  diedEarly: naturalNumber,
  accesses: accessCounts,
  /** Of mapped accesses; all zero for a subject that does not let us look inside. */
  shadow: cacheCounts,
  pgdirCache: cacheCounts,
  /** Left out for a subject that counts none. */
  edges: z.exactOptional(edgesSummary),
  /** How the situations were discovered, by number of the program. */
  discovery: listOf(discoveryPoint),
  invariants: listOf(invariantSummary),
  findings: listOf(findingSummary),
  known: listOf(knownSummary),
  /** Further findings of a signature that shrinking had no time for, behind which may be another bug; left out: none. */
  notLookedAt: z.exactOptional(listOf(openObject({ signature: anyText, count: naturalNumber }))),
  /** Null for a run that flew none. */
  canary: orNull(canarySummary),
  /** Null for a run that replayed none. */
  corpus: orNull(corpusSummary),
  /** Workers that were killed from outside or failed, and whose tasks were tried again. */
  retries: naturalNumber,
  /** What could not be saved, a sentence each. */
  troubles: listOf(anyText),
  /** Why the run proves little, even if it found something; a clause each. */
  doubts: listOf(anyText),
  verdict: summaryVerdict,
  exitCode: z.literal(Object.values(EXIT)) satisfies z.core.$ZodType<ExitCode>,
});

export type SummaryTime = Immutable<z.infer<typeof summaryTime>>;
export type AccessCounts = Immutable<z.infer<typeof accessCounts>>;
export type DiscoveryPoint = Immutable<z.infer<typeof discoveryPoint>>;
export type EdgesSummary = Immutable<z.infer<typeof edgesSummary>>;
export type InvariantSummary = Immutable<z.infer<typeof invariantSummary>>;
export type FindingSummary = Immutable<z.infer<typeof findingSummary>>;
export type KnownSummary = Immutable<z.infer<typeof knownSummary>>;
export type SummaryVerdict = Immutable<z.infer<typeof summaryVerdict>>;
export type CorpusSummary = Immutable<z.infer<typeof corpusSummary>>;
export type Summary = Immutable<z.infer<typeof summarySchema>>;
