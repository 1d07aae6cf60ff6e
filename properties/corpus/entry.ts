/** A counterexample as a file: the program, who diverged on it and how, and where it came from. */

import * as z from 'zod/mini';
import { anyText, choice, exactObject, list, naturalNumber, unionError } from '../formats/fields.js';
import type { ProgramJson } from '../formats/index.js';
import { BadInput, programFromJson, programHash, programToJson, quoted, readJson } from '../formats/index.js';
import { Problems } from '../formats/problems.js';
import { shownValue } from '../formats/quoted.js';
import type { Program } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import type { Case } from '../generators/index.js';
import { TRAFFICS } from '../generators/case.js';
import type { Divergence, Place } from '../divergence.js';
import { SUBJECT_FAILURES, signatureOf } from '../divergence.js';
import type { SmallMachineName } from '../exhaust/small-machine.js';
import { SMALL_MACHINES } from '../exhaust/small-machine.js';
import type { Folding } from '../exhaust/state-key.js';
import { FOLDINGS } from '../exhaust/state-key.js';
import type { Stage } from '../invariants/invariant.js';
import { INVARIANTS } from '../invariants/registry.js';

export const COUNTEREXAMPLE_FORMAT = 'shadowdiff-counterexample/1';

/**
 * `open`: the subject must still diverge as recorded. `fixed`: it must agree now, and the entry stays as a regression test.
 */
export const STATUSES = ['open', 'fixed'] as const;
export type Status = (typeof STATUSES)[number];

/** Where an entry came from. */
export interface Provenance {
  /** ISO 8601, UTC. */
  readonly date: string;
  /** Version of shadowdiff that found it. */
  readonly version: string;
  /** The campaign, and the number of the program in it. */
  readonly seed: string;
  readonly program: number;
  /** Steps of the program before it was made small. */
  readonly originalSteps: number;
  /** How short a program that shows the same bug can be, if that was searched. */
  readonly shortest?: Shortest | undefined;
}

/** No program of fewer steps, of a small machine's alphabet (properties/exhaust), makes the subject diverge. */
export interface Shortest {
  readonly machine: SmallMachineName;
  readonly steps: number;
  /** Which states were taken for one in the search. */
  readonly folding: Folding;
}

export interface CorpusEntry {
  readonly status: Status;
  readonly subject: string;
  readonly reference: string;
  readonly case: Case;
  readonly divergence: Divergence;
  readonly provenance: Provenance;
  readonly note: string;
}

/** UTF-16 units of a signature that a message shows; ours are shorter. */
const MOST_SIGNATURE = 300;

const PLACES = ['create', 'step', 'end', 'destroy'] as const satisfies readonly Place['kind'][];
const STAGES = ['create', ...OPS, 'end', 'destroy'] as const satisfies readonly Stage[];

const place = z.discriminatedUnion(
  'kind',
  [
    exactObject({ kind: z.literal('create') }),
    exactObject({ kind: z.literal('step'), index: naturalNumber }),
    exactObject({ kind: z.literal('end') }),
    exactObject({ kind: z.literal('destroy') }),
  ],
  { error: unionError('kind', PLACES) },
) satisfies z.core.$ZodType<Place>;

const provenanceSchema = exactObject({
  date: anyText,
  version: anyText,
  seed: anyText,
  program: naturalNumber,
  originalSteps: naturalNumber,
  shortest: z.optional(
    exactObject({ machine: choice(SMALL_MACHINES), steps: naturalNumber, folding: choice(FOLDINGS) }),
  ),
}) satisfies z.core.$ZodType<Provenance>;

/** What a finding may be named after: an invariant, or how a subject failed to answer. */
export const FINDING_NAMES: readonly string[] = [...INVARIANTS.map(({ id }) => id), ...SUBJECT_FAILURES];

/** Members of `alsoBroken` are read one at a time, the program by its own reader. */
const envelope = exactObject({
  format: choice([COUNTEREXAMPLE_FORMAT]),
  status: choice(STATUSES),
  subject: anyText,
  reference: anyText,
  invariant: choice(FINDING_NAMES),
  signature: anyText,
  place,
  stage: choice(STAGES),
  field: anyText,
  expected: anyText,
  actual: anyText,
  difference: anyText,
  alsoBroken: list,
  traffic: choice(TRAFFICS),
  provenance: provenanceSchema,
  note: anyText,
  program: z.optional(z.unknown()),
});

export type EntryJson = Omit<z.input<typeof envelope>, 'program'> & { readonly program: ProgramJson };

/** `INVARIANT--STEP--HASH8.json`, the hash that of the program's canonical form. */
export const fileNameOf = ({ divergence, case: { program } }: CorpusEntry): string =>
  `${divergence.invariant}--${divergence.stage}--${programHash(program)}.json`;

export const formatEntry = (entry: CorpusEntry): string => `${JSON.stringify(entryToJson(entry), undefined, 1)}\n`;

/** The JSON value of an entry, its keys in the order of formats.md. */
export const entryToJson = (entry: CorpusEntry): EntryJson => {
  const { status, subject, reference, divergence, provenance, note } = entry;
  const { invariant, place: where, stage, field, expected, actual, difference, alsoBroken } = divergence;
  return {
    format: COUNTEREXAMPLE_FORMAT,
    status,
    subject,
    reference,
    invariant,
    signature: signatureOf(divergence),
    place: where,
    stage,
    field,
    expected,
    actual,
    difference,
    alsoBroken: [...alsoBroken],
    traffic: entry.case.traffic,
    provenance: { ...provenance },
    note,
    program: programToJson(entry.case.program),
  };
};

/** Reads an entry. Throws `BadInput`, naming the source and what is wrong there. */
export const parseEntry = (content: string, source: string): CorpusEntry =>
  entryFromJson(readJson(content, source, 'file'), source);

/** As `parseEntry`, from a JSON value. */
export const entryFromJson = (value: unknown, source: string): CorpusEntry => {
  refuseOtherFormats(value, source);
  const problems = new Problems(source);
  const json = problems.read(envelope, value, []);
  if (json === undefined) throw problems.refusal();
  const alsoBroken = problems.readEach(anyText, json.alsoBroken, ['alsoBroken']);
  if (!problems.isEmpty) throw problems.refusal();
  const program = programFromJson(json.program, `${source}: program`);
  const { invariant, stage, field, expected, actual, difference } = json;
  const divergence: Divergence = {
    invariant,
    alsoBroken,
    place: json.place,
    stage,
    field,
    expected,
    actual,
    difference,
  };
  refuseContradictions(divergence, json.signature, program, source);
  const { status, subject, reference, traffic, provenance, note } = json;
  return { status, subject, reference, case: { traffic, program }, divergence, provenance, note };
};

/** What each field allows and all together do not. */
const refuseContradictions = (divergence: Divergence, signature: string, program: Program, source: string): void => {
  const { place, stage } = divergence;
  const refuse = (where: string, text: string): never => {
    throw new BadInput(source, text, { place: where });
  };
  if (signatureOf(divergence) !== signature) {
    refuse(
      'signature',
      `invariant, stage and difference make ${quoted(signatureOf(divergence), MOST_SIGNATURE)}; write that`,
    );
  }
  if (place.kind !== 'step') {
    if (stage !== place.kind) refuse('stage', `${quoted(stage)} is not the place; write "${place.kind}"`);
    return;
  }
  const { steps } = program;
  if (place.index >= steps.length) {
    const remedy = steps.length === 0 ? 'give it a step' : `give a number from 0 to ${steps.length - 1}`;
    refuse('place.index', `the program has ${steps.length} steps; ${remedy}`);
  }
  const { op } = steps[place.index];
  if (stage !== op) refuse('stage', `step ${place.index} is "${op}"; write that, or correct place.index`);
};

/** Told before anything else, so that a newer file is not called malformed. */
const refuseOtherFormats = (value: unknown, source: string): void => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const format = 'format' in value ? value.format : undefined;
  if (format === COUNTEREXAMPLE_FORMAT) return;
  const problem = format === undefined ? 'missing' : `${shownValue(format)} is not known here`;
  throw new BadInput(source, `${problem}; this version reads "${COUNTEREXAMPLE_FORMAT}"`, { place: 'format' });
};
