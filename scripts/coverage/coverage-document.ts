/** What `coverage` finds out, as it is stored in coverage.json and shown in reports. */

export const COVERAGE_FORMAT = 'shadowdiff-coverage/1';

/** Of a kind of place in the code, how many there are and how many ran. */
export interface Share {
  readonly covered: number;
  readonly total: number;
}

/** Code of one folder that ran. */
export interface CodeShare {
  readonly lines: Share;
  readonly branches: Share;
  readonly functions: Share;
}

/** One cell of a grid. */
export interface SituationCount {
  /** One of each axis, in their order. */
  readonly values: readonly string[];
  /** Checks whose premise held in this situation. */
  readonly count: number;
  /** Why it cannot be reached; left out where it can. */
  readonly unreachable?: string;
}

/** A finite product of circumstances (see properties/situations/grid.ts). */
export interface GridCoverage {
  readonly name: string;
  readonly axes: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** Every cell, the last axis running fastest. */
  readonly situations: readonly SituationCount[];
}

export interface InvariantCoverage {
  readonly id: string;
  readonly statement: string;
  readonly checks: number;
  /** Checks whose premise held. */
  readonly exercised: number;
  readonly grids: readonly GridCoverage[];
  /** Situations over all grids. */
  readonly reached: number;
  readonly reachable: number;
  /** The program that reached a situation for the first time in the run, the last such; left out if none did. */
  readonly lastNew?: { readonly program: number; readonly programsSince: number; readonly millisecondsSince: number };
  /** Code that ran in programs in which the invariant was exercised; left out where code was not asked for. */
  readonly code?: { readonly impl: CodeShare; readonly model: CodeShare };
  /** Catalogued defects that it catches, from the kill matrix; left out where that is not there. */
  readonly defects?: { readonly alone: readonly string[]; readonly withOthers: readonly string[] };
}

/** A line of the code that no program of the run reached. */
export interface UnreachedLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** A line that no program reaches, and why. */
export interface ExplainedLine extends UnreachedLine {
  readonly reason: string;
}

/** How a run went on: for plots of throughput and of what was new. */
export interface Milestone {
  /** Since the run began. */
  readonly milliseconds: number;
  readonly programs: number;
  readonly steps: number;
  /** Situations reached so far, over all invariants. */
  readonly situations: number;
  readonly findings: number;
}

export interface CoverageDocument {
  readonly format: typeof COVERAGE_FORMAT;
  readonly version: string;
  readonly seed: string;
  readonly paging: string;
  readonly traffic: string;
  readonly programs: number;
  readonly steps: number;
  readonly time: { readonly started: string; readonly milliseconds: number; readonly timeline: readonly Milestone[] };
  readonly invariants: readonly InvariantCoverage[];
  readonly code?: {
    readonly impl: CodeShare;
    readonly model: CodeShare;
    readonly unreached: readonly UnreachedLine[];
    readonly explained: readonly ExplainedLine[];
    /** Explanations that do not hold, a sentence each. */
    readonly stale: readonly string[];
  };
}
