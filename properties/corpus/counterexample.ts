/** A finding as a file: the format `shadowdiff-counterexample` (formats.md, Counterexample). */

import * as z from 'zod/mini';
import { anyText, choice, exactObject, list, naturalNumber, unionError } from '../formats/fields.js';
import type { ProgramJson } from '../formats/index.js';
import { BadInput, programFromJson, programHash, programToJson, quoted, readJson } from '../formats/index.js';
import { Problems } from '../formats/problems.js';
import { shownValue } from '../formats/visible-text.js';
import type { Program } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { TRAFFICS } from '../generators/case.js';
import type { Divergence, Place } from '../divergence.js';
import { MOST_STANDARD_ERROR, SCREEN_DISAGREES, SUBJECT_FAILURES, signatureOf } from '../divergence.js';
import { SMALL_MACHINES } from '../exhaust/small-machine.js';
import { FOLDINGS } from '../exhaust/state-key.js';
import type { Finding, Provenance } from '../finding.js';
import { MOST_BEFORE, STATUSES } from '../finding.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { PROFILES } from '../profile.js';

/** An entry is of version 2 only if it needs to be, so that readers of version 1 can read all others. */
export const COUNTEREXAMPLE_FORMATS = ['shadowdiff-counterexample/1', 'shadowdiff-counterexample/2'] as const;

/** UTF-16 units of a signature that a message shows; ours are shorter. */
const MOST_SIGNATURE = 300;

const PLACES = ['create', 'step', 'end', 'destroy', 'end-of-input'] as const satisfies readonly Place['kind'][];
const STAGES = ['create', ...OPS, 'end', 'destroy', 'end-of-input'] as const satisfies readonly Divergence['stage'][];

const place = z.discriminatedUnion(
  'kind',
  [
    exactObject({ kind: z.literal('create') }),
    exactObject({ kind: z.literal('step'), index: naturalNumber }),
    exactObject({ kind: z.literal('end') }),
    exactObject({ kind: z.literal('destroy') }),
    exactObject({ kind: z.literal('end-of-input') }),
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

/** What a finding may be named after: an invariant, how a subject failed to answer, or a screened program that judgement did not confirm. */
export const FINDING_NAMES: readonly string[] = [
  ...INVARIANTS.map(({ id }) => id),
  ...SUBJECT_FAILURES,
  SCREEN_DISAGREES,
];

/** Whether a finding could have this signature. */
export const isSignature = (text: string): boolean => {
  const [invariant, stage, difference = ''] = text.split(' | ');
  return FINDING_NAMES.includes(invariant) && STAGES.some((each) => each === stage) && difference !== '';
};

const standardError = anyText.check(
  z.maxLength(MOST_STANDARD_ERROR, { error: `too long; keep at most its last ${MOST_STANDARD_ERROR} characters` }),
);

/** Members of `alsoBroken` and `before` are read one at a time, programs by their own reader. */
const envelope = exactObject({
  format: choice(COUNTEREXAMPLE_FORMATS),
  status: choice(STATUSES),
  subject: anyText,
  reference: anyText,
  profile: z.optional(choice(PROFILES)),
  invariant: choice(FINDING_NAMES),
  signature: anyText,
  place,
  stage: choice(STAGES),
  field: anyText,
  expected: anyText,
  actual: anyText,
  difference: anyText,
  standardError: z.optional(standardError),
  alsoBroken: list,
  traffic: choice(TRAFFICS),
  provenance: provenanceSchema,
  note: anyText,
  before: z.optional(list),
  program: z.optional(z.unknown()),
});

export type CounterexampleJson = Omit<z.input<typeof envelope>, 'program'> & { readonly program: ProgramJson };

/** `INVARIANT--STEP--HASH8.json`, the hash that of the canonical form of its programs. */
export const fileNameOf = ({ divergence, before = [], case: { program } }: Finding): string =>
  `${divergence.invariant}--${divergence.stage}--${programHash(program, ...before)}.json`;

export const formatCounterexample = (finding: Finding): string =>
  `${JSON.stringify(counterexampleToJson(finding), undefined, 1)}\n`;

/** The JSON value of an entry, its keys in the order of formats.md. */
export const counterexampleToJson = (finding: Finding): CounterexampleJson => {
  const { status, subject, reference, profile, divergence, provenance, note, before } = finding;
  const { invariant, place: where, stage, field, expected, actual, difference, alsoBroken } = divergence;
  return {
    format: COUNTEREXAMPLE_FORMATS[needsVersionTwo(finding) ? 1 : 0],
    status,
    subject,
    reference,
    ...(profile === undefined ? {} : { profile }),
    invariant,
    signature: signatureOf(divergence),
    place: where,
    stage,
    field,
    expected,
    actual,
    difference,
    ...(divergence.standardError === undefined ? {} : { standardError: divergence.standardError }),
    alsoBroken: [...alsoBroken],
    traffic: finding.case.traffic,
    provenance: { ...provenance },
    note,
    ...(before === undefined ? {} : { before: before.map(programToJson) }),
    program: programToJson(finding.case.program),
  };
};

const needsVersionTwo = ({
  profile,
  before,
  divergence: { standardError, place },
}: Pick<Finding, 'profile' | 'before' | 'divergence'>): boolean =>
  profile !== undefined || before !== undefined || standardError !== undefined || place.kind === 'end-of-input';

/** Reads an entry. Throws `BadInput`, naming the source and what is wrong there. */
export const parseCounterexample = (content: string, source: string): Finding =>
  counterexampleFromJson(readJson(content, source, 'file'), source);

/** As `parseCounterexample`, from a JSON value. */
export const counterexampleFromJson = (value: unknown, source: string): Finding => {
  refuseOtherFormats(value, source);
  const problems = new Problems(source);
  const json = problems.readWhole(envelope, value);
  const alsoBroken = problems.readEach(anyText, json.alsoBroken, ['alsoBroken']);
  if (!problems.isEmpty) throw problems.refusal();
  const program = programFromJson(json.program, `${source}: program`);
  const before = json.before === undefined ? undefined : programsBefore(json.before, source);
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
    ...(json.standardError === undefined ? {} : { standardError: json.standardError }),
  };
  refuseContradictions(divergence, json.signature, program, source);
  const { status, subject, reference, profile, traffic, provenance, note } = json;
  const finding: Finding = {
    status,
    subject,
    reference,
    ...(profile === undefined ? {} : { profile }),
    case: { traffic, program },
    ...(before === undefined ? {} : { before }),
    divergence,
    provenance,
    note,
  };
  if (json.format === COUNTEREXAMPLE_FORMATS[0] && needsVersionTwo(finding))
    throw new BadInput(source, `it has what version 1 has not; write "${COUNTEREXAMPLE_FORMATS[1]}"`, {
      place: 'format',
    });
  return finding;
};

const programsBefore = (before: readonly unknown[], source: string): readonly Program[] => {
  if (before.length > MOST_BEFORE)
    throw new BadInput(source, `${before.length} programs; give at most ${MOST_BEFORE}`, { place: 'before' });
  return before.map((program, index) => programFromJson(program, `${source}: before[${index}]`));
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
    refuse('place.index', `the program has no step ${place.index}; ${remedy}`);
  }
  const { op } = steps[place.index];
  if (stage !== op) refuse('stage', `step ${place.index} is "${op}"; write that, or correct place.index`);
};

/** Checked before anything else, so that a newer file is not called malformed. */
const refuseOtherFormats = (value: unknown, source: string): void => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const format = 'format' in value ? value.format : undefined;
  if (COUNTEREXAMPLE_FORMATS.some((each) => each === format)) return;
  const problem = format === undefined ? 'missing' : `${shownValue(format)} is not known here`;
  const known = COUNTEREXAMPLE_FORMATS.map((each) => `"${each}"`).join(' and ');
  throw new BadInput(source, `${problem}; this version reads ${known}`, { place: 'format' });
};
