/** A counterexample as a file: the program, who diverged on it and how, and where it came from. */

import { z } from 'zod';
import type { ProgramJson } from '../../model/format/index.js';
import { BadInput, programFromJson, programHash, programToJson, readJson } from '../../model/format/index.js';
import type { Case, Traffic } from '../arbitraries/index.js';
import { TRAFFICS } from '../arbitraries/index.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';

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

const text = z.string();
const count = z.number().int().nonnegative();
const place = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('create') }),
  z.strictObject({ kind: z.literal('step'), index: count }),
  z.strictObject({ kind: z.literal('end') }),
  z.strictObject({ kind: z.literal('destroy') }),
]);

const envelope = z.strictObject({
  format: z.literal(COUNTEREXAMPLE_FORMAT),
  status: z.enum(STATUSES),
  subject: text,
  reference: text,
  invariant: text,
  signature: text,
  place,
  stage: text,
  field: text,
  expected: text,
  actual: text,
  difference: text,
  alsoBroken: z.array(text),
  traffic: z.enum(TRAFFICS),
  provenance: z.strictObject({ date: text, version: text, seed: text, program: count, originalSteps: count }),
  note: text,
  program: z.unknown(),
});

type EntryJson = Omit<z.infer<typeof envelope>, 'program'> & { readonly program: ProgramJson };

/** `INVARIANT--STEP--HASH8.json`, the hash that of the program's canonical form. */
export const fileNameOf = ({ divergence, case: { program } }: CorpusEntry): string =>
  `${divergence.invariant}--${divergence.stage}--${programHash(program)}.json`;

export const formatEntry = (entry: CorpusEntry): string => {
  const { status, subject, reference, divergence, provenance, note } = entry;
  const { invariant, place: where, stage, field, expected, actual, difference, alsoBroken } = divergence;
  const json: EntryJson = {
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
  return `${JSON.stringify(json, undefined, 1)}\n`;
};

/** Reads an entry. Throws `BadInput`, naming the source and what is wrong there. */
export const parseEntry = (content: string, source: string): CorpusEntry =>
  entryFromJson(readJson(content, source, 'file'), source);

export const entryFromJson = (value: unknown, source: string): CorpusEntry => {
  refuseOtherFormats(value, source);
  const result = envelope.safeParse(value);
  if (!result.success) throw new BadInput(source, problemOf(result.error));
  const json = result.data;
  const program = programFromJson(json.program, source);
  const { invariant, stage, field, expected, actual, difference, alsoBroken } = json;
  const divergence: Divergence = {
    invariant,
    alsoBroken,
    place: json.place,
    stage: stage as Divergence['stage'],
    field,
    expected,
    actual,
    difference,
  };
  if (signatureOf(divergence) !== json.signature) {
    throw new BadInput(source, `invariant, stage and difference make "${signatureOf(divergence)}"; write that`, {
      place: 'signature',
    });
  }
  if (json.place.kind === 'step' && json.place.index >= program.steps.length) {
    throw new BadInput(source, `the program has ${program.steps.length} steps; name one of them, counted from 0`, {
      place: 'place.index',
    });
  }
  const traffic: Traffic = json.traffic;
  const { status, subject, reference, provenance, note } = json;
  return { status, subject, reference, case: { traffic, program }, divergence, provenance, note };
};

/** Told before anything else, so that a newer file is not called malformed. */
const refuseOtherFormats = (value: unknown, source: string): void => {
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (format === COUNTEREXAMPLE_FORMAT) return;
  const shown = typeof format === 'string' ? `"${format.slice(0, 60)}" is not known here` : 'a format is missing';
  throw new BadInput(source, `${shown}; this version reads "${COUNTEREXAMPLE_FORMAT}"`, { place: 'format' });
};

const problemOf = ({ issues }: z.ZodError): string => {
  const issue = issues[0];
  const where = issue.path.map(String).join('.');
  const what = issue.code === 'unrecognized_keys' ? `unknown field ${issue.keys.join(', ')}; remove it` : issue.message;
  return `${where === '' ? '' : `${where}: `}${what}${issues.length > 1 ? ` (and ${issues.length - 1} further problems)` : ''}`;
};
