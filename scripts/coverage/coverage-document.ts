/** The result of `coverage`, as stored in coverage.json and shown in reports. */

import * as z from 'zod';
import { FEATURES } from '../../model/vocabulary/index.js';
import type { Immutable } from '../../properties/formats/fields.js';
import { anyText, choice, listOf, naturalNumber, openObject, quantity } from '../../properties/formats/fields.js';
import { EXTENTS } from '../../properties/invariants/asking.js';
import { PROFILES } from '../../properties/profile.js';
import { IMPL, MODEL } from '../../properties/subjects/subject-names.js';

export const COVERAGE_FORMAT = 'shadowdiff-coverage/2';
/** Written by `coverage`. */
export const COVERAGE_FILE = 'coverage.json';
/** The same document without code, written by a campaign. */
export const INVARIANTS_FILE = 'invariants.json';

/** How many places of one kind the code has, and how many of them ran. */
const share = openObject({ covered: naturalNumber, total: naturalNumber });

const codeShare = openObject({ lines: share, branches: share, functions: share });

/** One cell of a grid. */
const situationCount = openObject({
  /** One value of each axis, in the order of the axes. */
  values: listOf(anyText),
  /** Checks whose premise held in this situation. */
  count: naturalNumber,
  /** Why it cannot be reached, or not with these sides; absent if it can. */
  unreachable: z.exactOptional(anyText),
});

/** The product of some axes (see properties/invariants/situations/grid.ts). */
const gridCoverage = openObject({
  name: anyText,
  axes: listOf(openObject({ name: anyText, values: listOf(anyText) })),
  /** One for each combination of values; the last axis runs fastest. */
  situations: listOf(situationCount),
});

const invariantCoverage = openObject({
  id: anyText,
  statement: anyText,
  asked: choice(EXTENTS),
  /** Why not fully: clauses. */
  because: listOf(anyText),
  checks: naturalNumber,
  /** Checks whose premise held. */
  exercised: naturalNumber,
  grids: listOf(gridCoverage),
  /** Situations over all grids. */
  reached: naturalNumber,
  reachable: naturalNumber,
  /** The last program that reached a new situation; absent if none did. */
  lastNew: z.exactOptional(
    openObject({ program: naturalNumber, programsSince: naturalNumber, millisecondsSince: quantity }),
  ),
  /** Code that ran in programs that exercised the invariant; absent if code was not measured. */
  code: z.exactOptional(openObject({ impl: codeShare, model: codeShare })),
  /** Catalogued defects that it catches, from the kill matrix; absent without a matrix. */
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

/** The state of a run at one moment, for plots over time. */
const milestone = openObject({
  /** Since the start of the run. */
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
  subject: anyText,
  reference: anyText,
  /** Left out for the profile `lguest`. */
  profile: z.exactOptional(choice(PROFILES)),
  /** What the CPUs of programs could have; left out: nothing. */
  features: z.exactOptional(listOf(choice(FEATURES))),
  paging: anyText,
  traffic: anyText,
  programs: naturalNumber,
  steps: naturalNumber,
  /** Programs on which the sides diverged; absent in what a campaign writes, which has findings. */
  diverged: z.exactOptional(naturalNumber),
  time: openObject({ started: anyText, milliseconds: quantity, timeline: listOf(milestone) }),
  invariants: listOf(invariantCoverage),
  code: z.exactOptional(
    openObject({
      impl: codeShare,
      model: codeShare,
      unreached: listOf(unreachedLine),
      explained: listOf(explainedLine),
      /** Explanations that do not apply, a sentence each. */
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

/** Whether the code that ran can be measured: that of impl and model alone. */
export const hasOwnCode = ({ subject, reference }: Pick<CoverageDocument, 'subject' | 'reference'>): boolean =>
  subject === IMPL.name && reference === MODEL.name;

export interface NamedSituation {
  readonly invariant: string;
  readonly grid: string;
  readonly values: readonly string[];
  readonly unreachable?: string;
}

const named = (
  invariants: readonly InvariantCoverage[],
  wanted: (situation: SituationCount) => boolean,
): readonly NamedSituation[] =>
  invariants.flatMap(({ id, grids }) =>
    grids.flatMap(({ name, situations }) =>
      situations.filter(wanted).map(({ values, unreachable }) => ({
        invariant: id,
        grid: name,
        values,
        ...(unreachable === undefined ? {} : { unreachable }),
      })),
    ),
  );

/** Reachable situations that were not reached. */
export const emptySituations = (invariants: readonly InvariantCoverage[]): readonly NamedSituation[] =>
  named(invariants, ({ count, unreachable }) => count === 0 && unreachable === undefined);

/** Situations that were reached although they are declared unreachable. The reasons are proved of impl and model alone. */
export const impossibleSituations = (document: CoverageDocument): readonly NamedSituation[] =>
  hasOwnCode(document)
    ? named(document.invariants, ({ count, unreachable }) => count > 0 && unreachable !== undefined)
    : [];

export const situationName = ({ invariant, grid, values }: NamedSituation): string =>
  `${invariant}, ${grid}: ${values.join(' × ')}`;
