/** What `coverage` finds out, as it is stored in coverage.json and shown in reports. */

import * as z from 'zod';
import { anyText, choice, naturalNumber, openObject, listOf, quantity } from '../../properties/formats/fields.js';
import type { Immutable } from '../../properties/formats/fields.js';

export const COVERAGE_FORMAT = 'shadowdiff-coverage/1';
/** Written by `coverage`. */
export const COVERAGE_FILE = 'coverage.json';
/** The same document without code, written by a campaign. */
export const INVARIANTS_FILE = 'invariants.json';

/** Of a kind of place in the code, how many there are and how many ran. */
const share = openObject({ covered: naturalNumber, total: naturalNumber });

/** Code of one folder that ran. */
const codeShare = openObject({ lines: share, branches: share, functions: share });

/** One cell of a grid. */
const situationCount = openObject({
  /** One of each axis, in their order. */
  values: listOf(anyText),
  /** Checks whose premise held in this situation. */
  count: naturalNumber,
  /** Why it cannot be reached; left out where it can. */
  unreachable: z.exactOptional(anyText),
});

/** A finite product of circumstances (see properties/invariants/situations/grid.ts). */
const gridCoverage = openObject({
  name: anyText,
  axes: listOf(openObject({ name: anyText, values: listOf(anyText) })),
  /** Every cell, the last axis running fastest. */
  situations: listOf(situationCount),
});

const invariantCoverage = openObject({
  id: anyText,
  statement: anyText,
  checks: naturalNumber,
  /** Checks whose premise held. */
  exercised: naturalNumber,
  grids: listOf(gridCoverage),
  /** Situations over all grids. */
  reached: naturalNumber,
  reachable: naturalNumber,
  /** The program that reached a situation for the first time in the run, the last such; left out if none did. */
  lastNew: z.exactOptional(
    openObject({ program: naturalNumber, programsSince: naturalNumber, millisecondsSince: quantity }),
  ),
  /** Code that ran in programs in which the invariant was exercised; left out where code was not asked for. */
  code: z.exactOptional(openObject({ impl: codeShare, model: codeShare })),
  /** Catalogued defects that it catches, from the kill matrix; left out where that is not there. */
  defects: z.exactOptional(openObject({ alone: listOf(anyText), withOthers: listOf(anyText) })),
});

/** A line of the code that no program of the run reached. */
const unreachedLine = openObject({
  file: anyText,
  /** From 1. */
  line: naturalNumber,
  text: anyText,
});

/** A line that no program reaches, and why. */
const explainedLine = openObject({ file: anyText, line: naturalNumber, text: anyText, reason: anyText });

/** How a run went on: for plots of throughput and of what was new. */
const milestone = openObject({
  /** Since the run began. */
  milliseconds: quantity,
  programs: naturalNumber,
  steps: naturalNumber,
  /** Situations reached so far, over all invariants. */
  situations: naturalNumber,
  findings: naturalNumber,
});

export const coverageDocument = openObject({
  format: choice([COVERAGE_FORMAT]),
  version: anyText,
  seed: anyText,
  paging: anyText,
  traffic: anyText,
  programs: naturalNumber,
  steps: naturalNumber,
  time: openObject({ started: anyText, milliseconds: quantity, timeline: listOf(milestone) }),
  invariants: listOf(invariantCoverage),
  code: z.exactOptional(
    openObject({
      impl: codeShare,
      model: codeShare,
      unreached: listOf(unreachedLine),
      explained: listOf(explainedLine),
      /** Explanations that do not hold, a sentence each. */
      stale: listOf(anyText),
    }),
  ),
});

export type Share = Immutable<z.infer<typeof share>>;
export type CodeShare = Immutable<z.infer<typeof codeShare>>;
export type SituationCount = Immutable<z.infer<typeof situationCount>>;
export type GridCoverage = Immutable<z.infer<typeof gridCoverage>>;
export type ExplainedLine = Immutable<z.infer<typeof explainedLine>>;
export type InvariantCoverage = Immutable<z.infer<typeof invariantCoverage>>;
export type UnreachedLine = Immutable<z.infer<typeof unreachedLine>>;
export type Milestone = Immutable<z.infer<typeof milestone>>;
export type CoverageDocument = Immutable<z.infer<typeof coverageDocument>>;
