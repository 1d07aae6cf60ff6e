/** Traces in JSON: what a subject answers to a program (formats.md, Trace). */

import * as z from 'zod/mini';
import type {
  EntryChange,
  Observation,
  Outcome,
  Program,
  ReferenceChange,
  SwitcherReferences,
  Trace,
} from '../../model/vocabulary/index.js';
import { OUTCOME_KINDS, bareOutcome, killedFor, pfn } from '../../model/vocabulary/index.js';
import { anyText, hexBytes, hexEntry, hexPaddr, list, naturalNumber, openObject, u32, unionError } from './fields.js';
import { formatHex, formatHexEntry } from './hex.js';
import { readJson } from './json-text.js';
import type { Path } from './problems.js';
import { Problems } from './problems.js';

// Shape. Unlike a program, a trace may have unknown keys: a subject in another language may report more than we asked for.

export const outcomeSchema = z.discriminatedUnion(
  'kind',
  [
    openObject({ kind: z.literal('created') }),
    openObject({ kind: z.literal('no-memory') }),
    openObject({ kind: z.literal('initialized'), reserved: hexBytes }),
    openObject({ kind: z.literal('ok') }),
    openObject({ kind: z.literal('mapped'), paddr: hexPaddr }),
    openObject({ kind: z.literal('fault'), code: u32 }),
    openObject({ kind: z.literal('mmio'), paddr: hexPaddr }),
    openObject({ kind: z.literal('physical'), paddr: hexPaddr }),
    openObject({ kind: z.literal('stuck') }),
    z.pipe(
      openObject({ kind: z.literal('killed'), reason: anyText }),
      z.transform(({ reason }) => killedFor(reason)),
    ),
    openObject({ kind: z.literal('dead') }),
    openObject({ kind: z.literal('destroyed') }),
    openObject({ kind: z.literal('host-bug'), reason: anyText }),
    openObject({ kind: z.literal('halted') }),
    openObject({ kind: z.literal('absent') }),
  ],
  { error: unionError('kind', OUTCOME_KINDS) },
) satisfies z.core.$ZodType<Outcome>;

/** An observation, as far as every kind of outcome has it. */
export const observationSchema = openObject({ outcome: outcomeSchema });

/** The other fields, for outcomes that are not bare. List items are read one at a time. */
export const effectsSchema = openObject({
  references: list,
  stores: list,
  tables: naturalNumber,
  switcher: openObject({ text: naturalNumber, state: list, registers: naturalNumber }),
});

const pairError =
  (example: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    `${Array.isArray(input) ? 'a list of another length' : 'no list'} where a pair should stand; write it like ${example}`;

export const referenceSchema = z.pipe(
  z.tuple([naturalNumber, naturalNumber], { error: pairError('[5,1]') }),
  z.transform(([page, count]): ReferenceChange => ({ page: pfn(page), count })),
);

/** Any 64 bits in either paging mode: the comparison, not the reader, rejects wrong words. */
export const entryChangeSchema = z.pipe(
  z.tuple([hexPaddr, hexEntry], { error: pairError('["0x2000","0x5067"]') }),
  z.transform(([paddr, value]): EntryChange => ({ paddr, value })),
);

/** Observations are read one at a time, and found missing then. */
export const traceSchema = openObject({
  created: z.optional(z.unknown()),
  steps: list,
  destroyed: z.optional(z.unknown()),
});

export type OutcomeJson = z.input<typeof outcomeSchema>;

/** A bare outcome is written alone. */
export type ObservationJson =
  | { readonly outcome: OutcomeJson }
  | {
      readonly outcome: OutcomeJson;
      readonly references: readonly (readonly [page: number, count: number])[];
      readonly stores: readonly (readonly [paddr: string, value: string])[];
      readonly tables: number;
      readonly switcher: { readonly text: number; readonly state: readonly number[]; readonly registers: number };
    };

/** A trace as JSON holds it. */
export interface TraceJson {
  readonly created: ObservationJson;
  readonly steps: readonly ObservationJson[];
  readonly destroyed: ObservationJson;
}

// Reading and writing.

/** The machine that an answer is read for, and where to report problems. */
interface Reading {
  readonly hostCpus: number;
  readonly problems: Problems;
}

/** For a bare outcome only the outcome is compared, whatever else the subject reported (formats.md, Trace). */
const bareObservation = (outcome: Outcome, hostCpus: number): Observation => ({
  outcome,
  references: [],
  stores: [],
  tables: 0,
  switcher: { text: 0, state: Array.from({ length: hostCpus }, () => 0), registers: 0 },
});

interface SwitcherDocument {
  readonly text: number;
  readonly state: readonly unknown[];
  readonly registers: number;
}

const readSwitcher = (switcher: SwitcherDocument, path: Path, { hostCpus, problems }: Reading): SwitcherReferences => {
  const { text, state, registers } = switcher;
  if (state.length !== hostCpus) {
    problems.add([...path, 'state'], `${state.length} counts for ${hostCpus} host CPUs; give one for each`);
    return { text, state: [], registers };
  }
  return { text, state: problems.readEach<number>(naturalNumber, state, [...path, 'state']), registers };
};

const readObservation = (value: unknown, path: Path, reading: Reading): Observation | undefined => {
  const { hostCpus, problems } = reading;
  const outcome = problems.read(observationSchema, value, path)?.outcome;
  if (outcome === undefined) return undefined;
  if (bareOutcome(outcome.kind)) return bareObservation(outcome, hostCpus);
  const effects = problems.read(effectsSchema, value, path);
  if (effects === undefined) return undefined;
  return {
    outcome,
    references: problems.readEach(referenceSchema, effects.references, [...path, 'references']),
    stores: problems.readEach(entryChangeSchema, effects.stores, [...path, 'stores']),
    tables: effects.tables,
    switcher: readSwitcher(effects.switcher, [...path, 'switcher'], reading),
  };
};

const readSteps = (list: readonly unknown[], length: number, reading: Reading): readonly Observation[] => {
  const { problems } = reading;
  if (list.length !== length) {
    problems.add(
      ['steps'],
      `${list.length} answers, but the number of steps is ${length}; answer every step once, in order`,
    );
    return [];
  }
  const steps: Observation[] = [];
  for (let index = 0; index < length && !problems.isFull; index++) {
    const observation = readObservation(list[index], ['steps', index], reading);
    if (observation !== undefined) steps.push(observation);
  }
  return steps;
};

/**
 * The trace that a JSON value holds, as an answer to `program`. Unknown keys are ignored, and so is everything beside a bare outcome.
 *
 * @param source - names the value in messages
 * @throws BadInput for a wrong shape, or for more or fewer steps or host CPUs than the program has
 */
export const traceFromJson = (value: unknown, source: string, program: Program): Trace => {
  const problems = new Problems(source);
  const reading: Reading = { hostCpus: program.machine.hostCpus, problems };
  const document = problems.read(traceSchema, value, []);
  if (document === undefined) throw problems.refusal();
  const created = readObservation(document.created, ['created'], reading);
  const steps = readSteps(document.steps, program.steps.length, reading);
  const destroyed = readObservation(document.destroyed, ['destroyed'], reading);
  if (created === undefined || destroyed === undefined || !problems.isEmpty) throw problems.refusal();
  return { created, steps, destroyed };
};

/** As `traceFromJson`, from one line of a subject's output. */
export const parseTrace = (text: string, source: string, program: Program): Trace =>
  traceFromJson(readJson(text, source, 'answer'), source, program);

const outcomeToJson = (outcome: Outcome): OutcomeJson => {
  switch (outcome.kind) {
    case 'initialized':
      return { kind: outcome.kind, reserved: formatHex(outcome.reserved) };
    case 'mapped':
    case 'mmio':
    case 'physical':
      return { kind: outcome.kind, paddr: formatHex(outcome.paddr) };
    case 'fault':
      return { kind: outcome.kind, code: outcome.code };
    case 'killed':
    case 'host-bug':
      return { kind: outcome.kind, reason: outcome.reason };
    case 'created':
    case 'no-memory':
    case 'ok':
    case 'stuck':
    case 'dead':
    case 'destroyed':
    case 'halted':
    case 'absent':
      return { kind: outcome.kind };
    default:
      return outcome satisfies never;
  }
};

/** Copies, because a machine may reuse its observation in the next call. */
const observationToJson = ({ outcome, references, stores, tables, switcher }: Observation): ObservationJson => {
  if (bareOutcome(outcome.kind)) return { outcome: outcomeToJson(outcome) };
  return {
    outcome: outcomeToJson(outcome),
    references: references.map(({ page, count }) => [page, count] as const),
    stores: stores.map(({ paddr, value }) => [formatHex(paddr), formatHexEntry(value)] as const),
    tables,
    switcher: { text: switcher.text, state: [...switcher.state], registers: switcher.registers },
  };
};

/** The JSON value of a trace, its keys in the order of formats.md. */
export const traceToJson = ({ created, steps, destroyed }: Trace): TraceJson => ({
  created: observationToJson(created),
  steps: steps.map(observationToJson),
  destroyed: observationToJson(destroyed),
});

/** A trace in one line, without a newline. */
export const formatTrace = (trace: Trace): string => JSON.stringify(traceToJson(trace));
