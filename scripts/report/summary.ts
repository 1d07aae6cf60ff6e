/** What a fuzz run did and found: the content of summary.json, and what the terminal is told. */

import type { Traffic } from '../../properties/arbitraries/index.js';
import type { FuzzOptions } from '../../properties/fuzz.js';
import type { ExitCode } from '../exit-codes.js';

export const SUMMARY_FORMAT = 'shadowdiff-summary/1';

/** Everything that differs between two runs of the same programs. */
export interface SummaryTime {
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly ended: string;
  readonly milliseconds: number;
  readonly programsPerSecond: number;
  readonly stepsPerSecond: number;
}

/** Accesses of living guests, by how they ended. */
export interface AccessCounts {
  readonly total: number;
  readonly mapped: number;
  readonly fault: number;
  readonly mmio: number;
  readonly killed: number;
  /** `stuck` and `host-bug`: never the answer of a sound machine. */
  readonly broken: number;
}

export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
}

export interface InvariantSummary {
  readonly id: string;
  /** The run could have exercised it. */
  readonly applies: boolean;
  readonly checks: number;
  /** Checks whose premise held. */
  readonly exercised: number;
  /** Programs that broke it, of those findings that are named after it. */
  readonly findings: number;
}

export interface FindingSummary {
  readonly signature: string;
  /** Programs that showed it. */
  readonly count: number;
  /** Number of the first of them in the campaign, and its steps. */
  readonly program: number;
  readonly originalSteps: number;
  readonly steps: number;
  readonly traffic: Traffic;
  /** It showed again when the program was run by itself. */
  readonly reproduced: boolean;
  readonly shrinkingInterrupted: boolean;
  /** Where it is stored, if it could be. */
  readonly file: string | undefined;
  /** The command line that replays it. */
  readonly replay: string;
}

/** A finding that was known before the run, from the file of `--known`. */
export interface KnownSummary {
  readonly signature: string;
  readonly reason: string;
  readonly owner: string;
  readonly expires: string;
  /** It is no longer tolerated: if it occurred, it is among the findings. */
  readonly expired: boolean;
  /** Programs that showed it. */
  readonly count: number;
}

export type SummaryVerdict =
  | { readonly kind: 'clean' }
  | { readonly kind: 'divergence' }
  | { readonly kind: 'inconclusive'; readonly reason: string }
  | { readonly kind: 'interrupted' }
  /** Findings were made that could not be stored. */
  | { readonly kind: 'unsaved' };

export interface Summary {
  readonly format: typeof SUMMARY_FORMAT;
  readonly version: string;
  readonly seed: string;
  readonly subject: string;
  readonly reference: string;
  readonly paging: FuzzOptions['paging'];
  readonly traffic: FuzzOptions['traffic'];
  readonly maxSteps: number;
  /** Kinds of finding after which the run ends. */
  readonly maxFindings: number;
  readonly time: SummaryTime;
  readonly programs: number;
  readonly steps: number;
  /** Programs that died within ten steps. */
  readonly diedEarly: number;
  readonly accesses: AccessCounts;
  /** Of mapped accesses; all zero for a subject that does not let us look inside. */
  readonly shadow: CacheCounts;
  readonly pgdirCache: CacheCounts;
  readonly invariants: readonly InvariantSummary[];
  readonly findings: readonly FindingSummary[];
  readonly known: readonly KnownSummary[];
  readonly verdict: SummaryVerdict;
  readonly exitCode: ExitCode;
}
