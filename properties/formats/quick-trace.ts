/**
 * Reads a trace from a JSON value without schemas, which take ten times as long. It reads what the schemas of trace-schema.ts read, and
 * leaves it to them to report what is wrong.
 */

import type {
  EntryChange,
  GuestEntry,
  LeafTarget,
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
  SLOTS,
  bareOutcome,
  killedFor,
  paddr,
  pagingSizes,
  pfn,
  slot,
  vaddr,
} from '../../model/vocabulary/index.js';
import { isReason } from './fields.js';
import { isHex, parseHexAddress, parseHexEntry } from './hex.js';
import type { TraceContents } from './trace-contents.js';
import { MOST_HOST_PAGE, MOST_RIGHTS, NOTHING, bareObservation, noSwitcher, wrongLeaf } from './trace-contents.js';

const U32_MOST = 2 ** 32 - 1;

/** An object or a list as it came out of JSON. */
type Document = Readonly<Record<string, unknown>>;

/** Thrown where the value is not what it should be; never leaves this file. */
class NotATrace extends Error {}
const REFUSED = new NotATrace();

const object = (value: unknown): Document => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw REFUSED;
  return value as Document;
};

const list = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw REFUSED;
  return value;
};

const tuple = (value: unknown, length: number): readonly unknown[] => {
  if (!Array.isArray(value) || value.length !== length) throw REFUSED;
  return value;
};

/** A whole number from 0 to `most`. */
const natural = (value: unknown, most: number): number => {
  if (typeof value !== 'number' || !(value >= 0 && value <= most) || !Number.isInteger(value)) throw REFUSED;
  return value + 0; // JSON has a negative zero
};

const count = (value: unknown): number => natural(value, Number.MAX_SAFE_INTEGER);

const address = (value: unknown): number => {
  if (typeof value !== 'string' || !isHex(value)) throw REFUSED;
  const parsed = parseHexAddress(value);
  if (parsed === undefined) throw REFUSED;
  return parsed;
};

const entry = (value: unknown): GuestEntry => {
  if (typeof value !== 'string' || !isHex(value)) throw REFUSED;
  const parsed = parseHexEntry(value);
  if (parsed === undefined) throw REFUSED;
  return parsed;
};

const reason = (value: unknown): string => {
  if (!isReason(value)) throw REFUSED;
  return value;
};

const outcomeOf = (value: unknown): Outcome => {
  const document = object(value);
  const kind = document['kind'] as Outcome['kind'];
  switch (kind) {
    case 'initialized':
      return { kind, reserved: address(document['reserved']) };
    case 'mapped':
    case 'mmio':
    case 'physical':
      return { kind, paddr: paddr(address(document['paddr'])) };
    case 'fault':
      return { kind, code: natural(document['code'], U32_MOST) };
    case 'killed':
      return killedFor(reason(document['reason']));
    case 'host-bug':
      return { kind, reason: reason(document['reason']) };
    case 'created':
    case 'no-memory':
    case 'ok':
    case 'stuck':
    case 'dead':
    case 'destroyed':
    case 'halted':
    case 'absent':
      return { kind };
    default:
      kind satisfies never;
      throw REFUSED;
  }
};

const referenceOf = (value: unknown): ReferenceChange => {
  const pair = tuple(value, 2);
  return { page: pfn(count(pair[0])), count: count(pair[1]) };
};

const storeOf = (value: unknown): EntryChange => {
  const pair = tuple(value, 2);
  return { paddr: paddr(address(pair[0])), value: entry(pair[1]) };
};

const switcherOf = (value: unknown, hostCpus: number): SwitcherReferences => {
  const document = object(value);
  const state = tuple(document['state'], hostCpus);
  return { text: count(document['text']), state: state.map(count), registers: count(document['registers']) };
};

const slotOf = (value: unknown) => slot(natural(value, SLOTS - 1));
const hostPage = (value: unknown): number => natural(value, MOST_HOST_PAGE);

const rootOf = (value: unknown): ReportedRoot | undefined => {
  if (value === null) return undefined;
  const pair = tuple(value, 2);
  return { frame: hostPage(pair[0]), guestRoot: pair[1] === null ? undefined : paddr(address(pair[1])) };
};

const leafOf = (value: unknown): ShadowLeaf => {
  const fields = tuple(value, 6);
  const target = fields[2] as LeafTarget;
  if (!LEAF_TARGETS.includes(target)) throw REFUSED;
  const rights = natural(fields[4], MOST_RIGHTS);
  const upper = natural(fields[5], MOST_RIGHTS);
  return {
    slot: slotOf(fields[0]),
    vaddr: vaddr(address(fields[1])),
    target,
    page: natural(fields[3], U32_MOST),
    writable: (rights & 1) !== 0,
    user: (rights & 2) !== 0,
    upperWritable: (upper & 1) !== 0,
    upperUser: (upper & 2) !== 0,
  };
};

/** Reads the observations of one answer. */
class QuickReader {
  private readonly hostCpus: number;
  private readonly tableLevels: number;
  private readonly none: SwitcherReferences;
  private readonly withReferences: boolean;
  private readonly withStores: boolean;
  private readonly withTables: boolean;
  private readonly withSwitcher: boolean;
  private readonly withShadow: boolean;

  constructor({ machine }: Program, { observes }: TraceContents) {
    this.hostCpus = machine.hostCpus;
    this.tableLevels = pagingSizes(machine.paging).tableLevels;
    this.none = noSwitcher(machine.hostCpus);
    this.withReferences = observes.includes('references');
    this.withStores = observes.includes('stores');
    this.withTables = observes.includes('tables');
    this.withSwitcher = observes.includes('switcher');
    this.withShadow = observes.includes('shadow');
  }

  created(value: unknown): Observation {
    const created = this.observation(value);
    if (this.withShadow && created.outcome.kind === 'created' && created.shadow === undefined) throw REFUSED;
    return created;
  }

  readonly observation = (value: unknown): Observation => {
    const { shadow } = object(value);
    const observation = this.withoutShadow(value);
    if (!this.withShadow || shadow === undefined || bareOutcome(observation.outcome.kind)) return observation;
    return { ...observation, shadow: this.shadow(shadow) };
  };

  withoutShadow(value: unknown): Observation {
    const { outcome: ended, references, stores, tables, switcher } = object(value);
    const outcome = outcomeOf(ended);
    if (bareOutcome(outcome.kind)) return bareObservation(outcome, this.none);
    return {
      outcome,
      references: this.withReferences ? each(references, referenceOf) : NOTHING,
      stores: this.withStores ? each(stores, storeOf) : NOTHING,
      tables: this.withTables ? count(tables) : 0,
      switcher: this.withSwitcher ? switcherOf(switcher, this.hostCpus) : this.none,
    };
  }

  private shadow(value: unknown): ReportedShadow {
    const { current, roots, tables, pages, leaves: listed } = object(value);
    const leaves = each(listed, leafOf);
    if (wrongLeaf(leaves) !== undefined) throw REFUSED;
    return {
      current: slotOf(current),
      roots: tuple(roots, SLOTS).map(rootOf),
      tables: each(tables, this.table),
      pages: each(pages, hostPage),
      leaves,
    };
  }

  private readonly table = (value: unknown): ReportedTable => {
    const fields = tuple(value, 4);
    const depth = natural(fields[1], this.tableLevels);
    if (depth === 0) throw REFUSED;
    return { slot: slotOf(fields[0]), depth, vaddr: vaddr(address(fields[2])), frame: hostPage(fields[3]) };
  };
}

const each = <Member>(value: unknown, read: (member: unknown) => Member): readonly Member[] => {
  const members = list(value);
  return members.length === 0 ? NOTHING : members.map((member) => read(member));
};

const read = (value: unknown, program: Program, contents: TraceContents): Trace => {
  const document = object(value);
  const reader = new QuickReader(program, contents);
  const created = reader.created(document['created']);
  const steps = tuple(document['steps'], program.steps.length).map(reader.observation);
  const destroyed = reader.withoutShadow(document['destroyed']);
  if (contents.edges === 0) return { created, steps, destroyed };
  return {
    created,
    steps,
    destroyed,
    edges: list(document['edges']).map((edge) => natural(edge, contents.edges - 1)),
  };
};

/** The trace that a JSON value holds, as an answer to `program`; undefined if it holds none. */
export const quickTrace = (value: unknown, program: Program, contents: TraceContents): Trace | undefined => {
  try {
    return read(value, program, contents);
  } catch (error) {
    if (error instanceof NotATrace) return undefined;
    throw error;
  }
};
