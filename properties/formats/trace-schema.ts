/** Traces in JSON by schemas (formats.md, Trace): the definition of what is read, and the messages for what is not. */

import * as z from 'zod/mini';
import type {
  EntryChange,
  Observable,
  Observation,
  Outcome,
  Program,
  ReferenceChange,
  ReportedRoot,
  ReportedShadow,
  ReportedTable,
  ShadowLeaf,
  SwitcherReferences,
  Trace,
} from '../../model/vocabulary/index.js';
import {
  LEAF_TARGETS,
  OUTCOME_KINDS,
  SLOTS,
  bareOutcome,
  killedFor,
  pagingSizes,
  pfn,
  slot,
} from '../../model/vocabulary/index.js';
import {
  choice,
  hexBytes,
  hexEntry,
  hexPaddr,
  hexVaddr,
  list,
  naturalNumber,
  openObject,
  reasonText,
  u32,
  unionError,
  wholeNumber,
} from './fields.js';
import type { Path } from './problems.js';
import { Problems } from './problems.js';
import type { TraceContents } from './trace-contents.js';
import {
  MISSING_SHADOW,
  MOST_HOST_PAGE,
  MOST_RIGHTS,
  VERSION_ONE,
  bareObservation,
  leafOf,
  noSwitcher,
  wrongLeaf,
} from './trace-contents.js';

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
      openObject({ kind: z.literal('killed'), reason: reasonText }),
      z.transform(({ reason }) => killedFor(reason)),
    ),
    openObject({ kind: z.literal('dead') }),
    openObject({ kind: z.literal('destroyed') }),
    openObject({ kind: z.literal('host-bug'), reason: reasonText }),
    openObject({ kind: z.literal('halted') }),
    openObject({ kind: z.literal('absent') }),
  ],
  { error: unionError('kind', OUTCOME_KINDS) },
) satisfies z.core.$ZodType<Outcome>;

/** An observation, as far as every kind of outcome has it. */
const observationSchema = openObject({ outcome: outcomeSchema });

const tupleError =
  (name: string, example: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    `${Array.isArray(input) ? 'a list of another length' : 'no list'} where ${name} should stand; write it like ${example}`;

const referenceSchema = z.pipe(
  z.tuple([naturalNumber, naturalNumber], { error: tupleError('a pair', '[5,1]') }),
  z.transform(([page, count]): ReferenceChange => ({ page: pfn(page), count })),
);

/** Any 64 bits in either paging mode: the comparison, not the reader, rejects wrong words. */
const entryChangeSchema = z.pipe(
  z.tuple([hexPaddr, hexEntry], { error: tupleError('a pair', '["0x2000","0x5067"]') }),
  z.transform(([paddr, value]): EntryChange => ({ paddr, value })),
);

const EFFECTS = {
  references: list,
  stores: list,
  tables: naturalNumber,
  switcher: openObject({ text: naturalNumber, state: list, registers: naturalNumber }),
  shadow: z.optional(z.unknown()),
};

type Effects = { readonly [Key in keyof typeof EFFECTS]?: z.output<(typeof EFFECTS)[Key]> };

/** The other fields, for outcomes that are not bare, as far as the subject observes them. List items are read one at a time. */
const effectsSchemaOf = (observes: readonly Observable[]): z.core.$ZodType<Effects> =>
  openObject(
    Object.fromEntries(Object.entries(EFFECTS).filter(([key]) => observes.includes(key as keyof typeof EFFECTS))),
  );

const slotNumber = z.pipe(wholeNumber(0, SLOTS - 1), z.transform(slot));
const hostPage = wholeNumber(0, MOST_HOST_PAGE);
const rights = wholeNumber(0, MOST_RIGHTS);

const shadowSchema = openObject({ current: slotNumber, roots: list, tables: list, pages: list, leaves: list });

const rootSchema = z.nullable(
  z.pipe(
    z.tuple([hostPage, z.nullable(hexPaddr)], { error: tupleError('a root', '[17,"0x1000"], or null') }),
    z.transform(([frame, guestRoot]): ReportedRoot => ({ frame, guestRoot: guestRoot ?? undefined })),
  ),
);

const tableSchemaOf = (levels: number) =>
  z.pipe(
    z.tuple([slotNumber, wholeNumber(1, levels), hexVaddr, hostPage], {
      error: tupleError('a table', '[0,1,"0x400000",19]'),
    }),
    z.transform(([where, depth, vaddr, frame]): ReportedTable => ({ slot: where, depth, vaddr, frame })),
  );

const leafSchema = z.pipe(
  z.tuple([slotNumber, hexVaddr, choice(LEAF_TARGETS), u32, rights, rights], {
    error: tupleError('a leaf', '[0,"0x400000","ram",5,1,3]'),
  }),
  z.transform((leaf) => leafOf(...leaf)),
);

/** Observations are read one at a time, and found missing then. */
const traceSchema = openObject({
  created: z.optional(z.unknown()),
  steps: list,
  destroyed: z.optional(z.unknown()),
});

const edgesSchema = openObject({ edges: list });

// Reading.

/** What an answer is read for, and where to report problems. */
interface Reading {
  readonly program: Program;
  readonly observes: readonly Observable[];
  readonly effectsSchema: z.core.$ZodType<Effects>;
  readonly problems: Problems;
}

const readSwitcher = (
  switcher: Effects['switcher'],
  path: Path,
  { program, problems }: Reading,
): SwitcherReferences => {
  const { hostCpus } = program.machine;
  if (switcher === undefined) return noSwitcher(hostCpus);
  const { text, state, registers } = switcher;
  if (state.length !== hostCpus) {
    problems.add([...path, 'state'], `${state.length} counts for ${hostCpus} host CPUs; give one for each`);
    return { text, state: [], registers };
  }
  return { text, state: problems.readEach<number>(naturalNumber, state, [...path, 'state']), registers };
};

const readShadow = (value: unknown, path: Path, { program, problems }: Reading): ReportedShadow | undefined => {
  const shadow = problems.read(shadowSchema, value, path);
  if (shadow === undefined) return undefined;
  const { current, roots, tables, pages, leaves } = shadow;
  if (roots.length !== SLOTS) {
    problems.add([...path, 'roots'], `${roots.length} roots for ${SLOTS} slots; give one for each, or null`);
  }
  const tableSchema = tableSchemaOf(pagingSizes(program.machine.paging).tableLevels);
  const readLeaves = problems.readEach<ShadowLeaf>(leafSchema, leaves, [...path, 'leaves']);
  const wrong = wrongLeaf(readLeaves);
  if (wrong !== undefined) problems.add([...path, 'leaves', wrong.index], wrong.problem);
  return {
    current,
    roots: problems
      .readEach<ReportedRoot | null>(rootSchema, roots, [...path, 'roots'])
      .map((root) => root ?? undefined),
    tables: problems.readEach<ReportedTable>(tableSchema, tables, [...path, 'tables']),
    pages: problems.readEach<number>(hostPage, pages, [...path, 'pages']),
    leaves: readLeaves,
  };
};

const readObservation = (value: unknown, path: Path, reading: Reading): Observation | undefined => {
  const { program, problems, observes, effectsSchema } = reading;
  const outcome = problems.read(observationSchema, value, path)?.outcome;
  if (outcome === undefined) return undefined;
  if (bareOutcome(outcome.kind)) return bareObservation(outcome, noSwitcher(program.machine.hostCpus));
  const effects = problems.read(effectsSchema, value, path);
  if (effects === undefined) return undefined;
  const { references = [], stores = [], tables = 0, switcher, shadow } = effects;
  const observation: Observation = {
    outcome,
    references: problems.readEach(referenceSchema, references, [...path, 'references']),
    stores: problems.readEach(entryChangeSchema, stores, [...path, 'stores']),
    tables,
    switcher: readSwitcher(switcher, [...path, 'switcher'], reading),
  };
  if (!observes.includes('shadow') || path[0] === 'destroyed') return observation;
  if (shadow !== undefined) return { ...observation, shadow: readShadow(shadow, [...path, 'shadow'], reading) };
  if (path[0] === 'created' && outcome.kind === 'created') problems.add([...path, 'shadow'], MISSING_SHADOW);
  return observation;
};

const readSteps = (steps: readonly unknown[], reading: Reading): readonly Observation[] => {
  const { program, problems } = reading;
  const { length } = program.steps;
  if (steps.length !== length) {
    const problem = `${steps.length} answers, but the number of steps is ${length}`;
    problems.add(['steps'], `${problem}; answer every step once, in order`);
    return [];
  }
  const observations: Observation[] = [];
  for (let index = 0; index < length && !problems.isFull; index++) {
    const observation = readObservation(steps[index], ['steps', index], reading);
    if (observation !== undefined) observations.push(observation);
  }
  return observations;
};

const readEdges = (value: unknown, count: number, problems: Problems): readonly number[] => {
  const edges = problems.read(edgesSchema, value, [])?.edges ?? [];
  return problems.readEach<number>(wholeNumber(0, count - 1), edges, ['edges']);
};

/**
 * The trace that a JSON value holds, as an answer to `program`. Unknown keys are ignored, and so are everything beside a bare outcome and
 * what the subject does not observe.
 *
 * @param source - names the value in messages
 * @param contents - what the subject puts into its traces
 * @throws BadInput for a wrong shape, or for more or fewer steps or host CPUs than the program has
 */
export const traceFromJson = (
  value: unknown,
  source: string,
  program: Program,
  { observes, edges }: TraceContents = VERSION_ONE,
): Trace => {
  const problems = new Problems(source);
  const reading: Reading = { program, observes, effectsSchema: effectsSchemaOf(observes), problems };
  const document = problems.readWhole(traceSchema, value);
  const created = readObservation(document.created, ['created'], reading);
  const steps = readSteps(document.steps, reading);
  const destroyed = readObservation(document.destroyed, ['destroyed'], reading);
  const reached = edges === 0 ? undefined : readEdges(value, edges, problems);
  if (created === undefined || destroyed === undefined || !problems.isEmpty) throw problems.refusal();
  return reached === undefined ? { created, steps, destroyed } : { created, steps, destroyed, edges: reached };
};
