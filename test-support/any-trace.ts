/** Any trace that a subject may answer, and the words of one, which only tests and subjects write. */

import fc from 'fast-check';
import type {
  MachineConfig,
  Observable,
  Observation,
  Outcome,
  Paging,
  Program,
  ReportedShadow,
  Trace,
} from '../model/vocabulary/index.js';
import {
  LEAF_TARGETS,
  OBSERVABLES,
  OUTCOME_KINDS,
  bareOutcome,
  guestEntry,
  killedFor,
  paddr,
  pagingSizes,
  pfn,
  slot,
  vaddr,
  vaddrOf,
  vpnOf,
} from '../model/vocabulary/index.js';
import type { TraceContents } from '../properties/formats/trace-contents.js';
import { bareObservation, noSwitcher } from '../properties/formats/trace-contents.js';

const NONE = 0xffffffff;

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const hostPage = fc.integer({ min: 0, max: NONE - 1 });
const slots = fc.nat(3).map(slot);
const reasons = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('bad page table entry', '\ufeffü€😀'));

export const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constantFrom('created' as const, 'no-memory' as const, 'ok' as const, 'stuck' as const) }),
  fc.record({ kind: fc.constantFrom('dead' as const, 'destroyed' as const, 'halted' as const, 'absent' as const) }),
  fc.record({ kind: fc.constant('initialized' as const), reserved: u32 }),
  fc.record({
    kind: fc.constantFrom('mapped' as const, 'mmio' as const, 'physical' as const),
    paddr: u32.map(paddr),
  }),
  fc.record({ kind: fc.constant('fault' as const), code: fc.nat(7) }),
  reasons.map(killedFor),
  fc.record({ kind: fc.constant('host-bug' as const), reason: reasons }),
);

const anyShadow = (paging: Paging): fc.Arbitrary<ReportedShadow> =>
  fc.record({
    current: slots,
    roots: fc.array(
      fc.option(fc.record({ frame: hostPage, guestRoot: fc.option(fc.nat(1e6).map(paddr), { nil: undefined }) }), {
        nil: undefined,
      }),
      { minLength: 4, maxLength: 4 },
    ),
    tables: fc.array(
      fc.record({
        slot: slots,
        depth: fc.integer({ min: 1, max: pagingSizes(paging).tableLevels }),
        vaddr: u32.map(vaddr),
        frame: hostPage,
      }),
      { maxLength: 3 },
    ),
    pages: fc.array(hostPage, { maxLength: 3 }),
    leaves: fc.uniqueArray(
      fc.record({
        slot: slots,
        vaddr: u32.map((address) => vaddrOf(vpnOf(vaddr(address)))),
        target: fc.constantFrom(...LEAF_TARGETS),
        page: u32,
        writable: fc.boolean(),
        user: fc.boolean(),
        upperWritable: fc.boolean(),
        upperUser: fc.boolean(),
      }),
      { maxLength: 3, selector: ({ slot, vaddr: first }) => `${slot} ${first}` },
    ),
  });

const anyEffects = (hostCpus: number) =>
  fc.record({
    references: fc.array(fc.record({ page: fc.nat(4095).map(pfn), count: fc.nat(100) }), { maxLength: 4 }),
    stores: fc.array(
      fc.record({ paddr: u32.map(paddr), value: fc.tuple(u32, u32).map(([low, high]) => guestEntry(low, high)) }),
      { maxLength: 4 },
    ),
    tables: fc.nat(100),
    switcher: fc.record({
      text: fc.nat(4),
      state: fc.array(fc.nat(4), { minLength: hostCpus, maxLength: hostCpus }),
      registers: fc.nat(4),
    }),
  });

type Place = 'created' | 'step' | 'destroyed';

/** As a reader returns it: what is not observed is zero, and so is everything beside a bare outcome. */
const anyObservation = (
  { hostCpus, paging }: MachineConfig,
  { observes }: TraceContents,
  place: Place,
): fc.Arbitrary<Observation> => {
  const nothing = bareObservation({ kind: 'absent' }, noSwitcher(hostCpus));
  const shown = (effects: Partial<Observation>): Partial<Observation> =>
    Object.fromEntries(Object.entries(effects).filter(([key]) => observes.includes(key as Observable)));
  const observesShadow = observes.includes('shadow') && place !== 'destroyed';
  return fc
    .tuple(anyOutcome, anyEffects(hostCpus), anyShadow(paging), fc.boolean())
    .map(([outcome, effects, shadow, changed]): Observation => {
      if (bareOutcome(outcome.kind)) return { ...nothing, outcome };
      const reported = observesShadow && (changed || (place === 'created' && outcome.kind === 'created'));
      return { ...nothing, ...shown(effects), outcome, ...(reported ? { shadow } : {}) };
    });
};

export const anyContents: fc.Arbitrary<TraceContents> = fc
  .tuple(fc.subarray([...OBSERVABLES]), fc.boolean(), fc.constantFrom(0, 1, 1000))
  .map(([observes, everything, edges]) => ({ observes: everything ? OBSERVABLES : observes, edges }));

/** A program whose steps do not matter, and what a subject with these contents may answer. */
export interface Answered {
  readonly program: Program;
  readonly contents: TraceContents;
  readonly trace: Trace;
}

export const anyAnswer = (contents: fc.Arbitrary<TraceContents> = anyContents): fc.Arbitrary<Answered> =>
  fc
    .tuple(contents, fc.constantFrom('2-level' as const, 'pae' as const), fc.integer({ min: 1, max: 4 }))
    .chain(([contents, paging, hostCpus]): fc.Arbitrary<Answered> => {
      const machine = { paging, guestPages: 64, devicePages: 4, hostCpus, draw: 0, failAllocation: 0 };
      return fc
        .record({
          created: anyObservation(machine, contents, 'created'),
          steps: fc.array(anyObservation(machine, contents, 'step'), { maxLength: 8 }),
          destroyed: anyObservation(machine, contents, 'destroyed'),
          edges: fc.array(fc.nat(Math.max(0, contents.edges - 1)), { maxLength: 5 }),
        })
        .map(({ edges, ...trace }) => ({
          program: { machine, steps: trace.steps.map(() => ({ op: 'guest-pa', vaddr: vaddr(0) })) },
          contents,
          trace: contents.edges === 0 ? trace : { ...trace, edges },
        }));
    });

/** The words of a message that holds a trace, without its length. */
export const traceWords = (
  { created, steps, destroyed, edges }: Trace,
  { observes }: TraceContents,
): Uint32Array<ArrayBuffer> =>
  Uint32Array.from([
    ...[created, ...steps, destroyed].flatMap((each) => observationWords(each, observes)),
    ...(edges === undefined ? [] : [edges.length, ...edges]),
  ]);

export const observationWords = (observation: Observation, observes: readonly Observable[]): readonly number[] => {
  const { outcome, references, stores, tables, switcher, shadow } = observation;
  const kind = OUTCOME_KINDS.indexOf(outcome.kind);
  if (bareOutcome(outcome.kind)) return [kind, ...outcomeFields(outcome)];
  const effects = {
    outcome: [],
    references: [references.length, ...references.flatMap(({ page, count }) => [page, count])],
    stores: [stores.length, ...stores.flatMap((store) => [store.paddr, store.value.low, store.value.high])],
    tables: [tables],
    switcher: [switcher.text, switcher.registers, ...switcher.state],
    shadow: shadow === undefined ? [] : shadowWords(shadow),
  };
  const flag = shadow === undefined ? 0 : 256;
  return [kind + flag, ...outcomeFields(outcome), ...observes.flatMap((each) => effects[each])];
};

const outcomeFields = (outcome: Outcome): readonly number[] => {
  if ('paddr' in outcome) return [outcome.paddr];
  if ('code' in outcome) return [outcome.code];
  if ('reserved' in outcome) return [outcome.reserved];
  if (!('reason' in outcome)) return [];
  const bytes = Buffer.from(outcome.reason);
  const filled = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  filled.set(bytes);
  return [bytes.length, ...Array.from({ length: filled.length / 4 }, (_, index) => filled.readUInt32LE(4 * index))];
};

const shadowWords = ({ current, roots, tables, pages, leaves }: ReportedShadow): readonly number[] => [
  current,
  ...roots.flatMap((root) => [root?.frame ?? NONE, root?.guestRoot ?? NONE]),
  tables.length,
  ...tables.flatMap(({ slot: where, depth, vaddr: first, frame }) => [where, depth, first, frame]),
  pages.length,
  ...pages,
  leaves.length,
  ...leaves.flatMap((leaf) => [
    leaf.slot,
    leaf.vaddr,
    LEAF_TARGETS.indexOf(leaf.target),
    leaf.page,
    Number(leaf.writable) + 2 * Number(leaf.user),
    Number(leaf.upperWritable) + 2 * Number(leaf.upperUser),
  ]),
];
