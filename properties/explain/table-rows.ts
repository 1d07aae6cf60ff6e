/** Both sides' tables as rows of a frame: the guest's, walked from its roots with nothing cached, and the subject's shadow. */

import { describeEntry, entryBits, formatHex, formatHexEntry } from '../formats/index.js';
import type { Paddr, Paging, Vaddr } from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, paddr, pagingSizes, sameEntry } from '../../model/vocabulary/index.js';
import type { GuestRecord } from '../guest-record.js';
import { LEVELS, isLargePage, isPresent, targetOf } from '../uncached-walk.js';
import type { LeafSeen, ShadowSnapshot, SlotSeen, TableSeen } from './shadow-snapshot.js';
import type { Location } from '../invariants/invariant.js';
import type {
  Change,
  GuestRow,
  GuestState,
  GuestTable,
  GuestTree,
  Hex,
  PagingLevel,
  Range,
  ShadowLeafRow,
  ShadowSlot,
  ShadowState,
  ShadowTableRow,
} from './explanation.js';
import type { WordHistory } from './rerun.js';
import { goneLeaves } from './shadow-snapshot.js';
import { rightsText, targetText } from './words.js';

export interface GuestContext {
  readonly guest: GuestRecord;
  readonly history: WordHistory;
  readonly levels: readonly PagingLevel[];
  /** Undefined at creation, `end` and `destroy`. */
  readonly step: number | undefined;
  /** What to mark; undefined but where the program diverges. */
  readonly location: Location | undefined;
}

export const guestState = (context: GuestContext, shadow: ShadowSnapshot | undefined): GuestState => {
  const { guest } = context;
  return {
    initialized: guest.initialized,
    linear: guest.linear,
    root: hexOf(guest.root),
    kernelAddress: formatHex(guest.kernelAddress),
    cpu: guest.cpu,
    stack: guest.stackPages === 0 ? undefined : { esp: formatHex(guest.stackTop), pages: guest.stackPages },
    trees: rootsOf(guest, shadow).map((root) => treeOf(root, context, shadow)),
  };
};

const rootsOf = ({ root }: GuestRecord, shadow: ShadowSnapshot | undefined): readonly Paddr[] => {
  const shadowed = (shadow?.slots ?? []).flatMap((slot) => (slot.root === undefined ? [] : [slot.root]));
  return [...new Set(root === undefined ? shadowed : [root, ...shadowed])];
};

export const treeOf = (root: Paddr, context: GuestContext, shadow: ShadowSnapshot | undefined): GuestTree => {
  const { tables, unread } = tablesBelow(root, context);
  const rows = tables.flatMap((table) => table.rows);
  const kept = new Set(mostImportant(rows, matters));
  return {
    root: formatHex(root),
    current: root === context.guest.root,
    slots: shadow?.slots.filter((slot) => slot.root === root).map(({ slot }) => slot),
    tables: tables.map((table) => ({ ...table, rows: table.rows.filter((row) => kept.has(row)) })),
    leftOut: rows.length - kept.size + unread,
  };
};

/** A table to read. */
interface Reached {
  readonly level: number;
  readonly at: Paddr;
  /** First address that it translates. */
  readonly from: number;
}

/** Level by level, at most `MOST_ROWS` tables, because a guest may link a table a thousand times; `unread` counts the rest. */
const tablesBelow = (
  root: Paddr,
  context: GuestContext,
): { readonly tables: readonly GuestTable[]; readonly unread: number } => {
  const tables: GuestTable[] = [];
  const pending: Reached[] = [{ level: 0, at: root, from: 0 }];
  for (const reached of pending) {
    if (tables.length === MOST_ROWS) break;
    const table = tableAt(reached, context);
    tables.push(table);
    for (const row of table.rows) {
      if (row.next === undefined) continue;
      pending.push({ level: reached.level + 1, at: paddr(Number(row.next)), from: Number(row.from) });
    }
  }
  return { tables, unread: pending.length - tables.length };
};

const tableAt = (reached: Reached, context: GuestContext): GuestTable => {
  const level = context.levels[reached.level];
  const rows = Array.from({ length: level.entries }, (_, index) => rowAt(reached, index, context));
  return {
    level: reached.level,
    paddr: formatHex(reached.at),
    ...span(reached.from, entryReach(level) * level.entries),
    outside: !context.guest.inRam(reached.at),
    rows: rows.filter((row) => row !== undefined),
  };
};

const span = (from: number, bytes: number): Range => ({
  from: formatHex(from),
  to: formatHex(Math.min(from + bytes, 2 ** 32) - 1),
});

const rowAt = (reached: Reached, index: number, context: GuestContext): GuestRow | undefined => {
  const { guest, history, levels, step, location } = context;
  const level = levels[reached.level];
  const at = paddr(reached.at + index * level.entryBytes);
  const value = guest.inRam(at) ? guest.word(at) : ZERO_ENTRY;
  const since = history.lastWriter(at);
  const written = step !== undefined && since === step;
  if (!written && sameEntry(value, ZERO_ENTRY)) return undefined;
  const from = reached.from + index * entryReach(level);
  const page = targetOf(value, guest.config);
  const isLarge = isLargePage(value, reached.level === levels.length - 2, guest.config);
  const isLeaf = reached.level === levels.length - 1;
  const leads = isPresent(value) && !isLeaf && !isLarge && page < guest.config.guestPages;
  const isNew = written && sameEntry(history.before(at, step), ZERO_ENTRY);
  return {
    index,
    paddr: formatHex(at),
    value: formatHexEntry(value),
    present: isPresent(value),
    bits: entryBits(value, guest.config),
    page,
    text: describeEntry(value, guest.config),
    ...span(from, entryReach(level)),
    next: leads ? formatHex(page * 4096) : undefined,
    since,
    change: isNew ? 'added' : written ? 'altered' : 'same',
    divergent:
      location?.paddr === at || (isLeaf && location?.vaddr !== undefined && location.vaddr >>> 12 === from / 4096),
  };
};

export interface ShadowContext {
  readonly levels: readonly PagingLevel[];
  readonly switcherAddress: Vaddr;
  /** What to mark; undefined but where the program diverges. */
  readonly location: Location | undefined;
}

export const shadowState = (
  now: ShadowSnapshot,
  before: ShadowSnapshot | undefined,
  context: ShadowContext,
): ShadowState => ({
  currentSlot: now.currentSlot,
  slots: now.slots.map((slot) => {
    const current = slot.slot === now.currentSlot;
    const turned = before !== undefined && current !== (slot.slot === before.currentSlot);
    return { ...slotRows(slot, before?.slots[slot.slot], turned, context), current };
  }),
  allocatedTables: now.allocatedTables,
  reachableTables: now.reachableTables,
});

/** `turned`: the slot became the current one, or ceased to be. */
const slotRows = (
  now: SlotSeen,
  before: SlotSeen | undefined,
  turned: boolean,
  context: ShadowContext,
): Omit<ShadowSlot, 'current'> => {
  const leaves = [...now.leaves.values()].map((leaf) => leafRow(leaf, changeOf(leaf, before), context));
  const gone = goneLeaves(now, before).map((leaf) => leafRow(leaf, 'same', context));
  const tables = now.tables.map((table) => tableRow(table, before, context));
  const kept = {
    tables: mostImportant(tables, matters),
    leaves: mostImportant(leaves, matters),
    gone: mostImportant(gone, matters),
  };
  const all = leaves.length + gone.length + tables.length;
  return {
    slot: now.slot,
    blank: now.blank,
    root: hexOf(now.root),
    changed: before !== undefined && (before.root !== now.root || before.blank !== now.blank || turned),
    divergent: context.location?.slot === now.slot,
    ...kept,
    leftOut: all - kept.leaves.length - kept.gone.length - kept.tables.length,
  };
};

const matters = ({ change, divergent }: { readonly change: Change; readonly divergent: boolean }): boolean =>
  change !== 'same' || divergent;

/** The snapshot keeps a leaf that did not change as the same object. */
const changeOf = (leaf: LeafSeen, before: SlotSeen | undefined): Change => {
  const earlier = before?.leaves.get(leaf.vaddr);
  if (earlier === undefined) return 'added';
  return earlier === leaf ? 'same' : 'altered';
};

const leafRow = (leaf: LeafSeen, change: Change, { switcherAddress, location }: ShadowContext): ShadowLeafRow => {
  const { slot: _, vaddr: address, ...rest } = leaf;
  return {
    vaddr: formatHex(address),
    ...rest,
    targetText: targetText(leaf),
    rights: rightsText(leaf),
    switcher: address >= switcherAddress,
    change,
    divergent: isAbout(leaf, location),
  };
};

const isAbout = ({ vaddr, page, target, slot }: LeafSeen, location: Location | undefined): boolean => {
  if (location === undefined || (location.slot !== undefined && location.slot !== slot)) return false;
  if (location.vaddr !== undefined) return Math.floor(location.vaddr / 4096) === vaddr / 4096;
  return location.page !== undefined && target === 'ram' && location.page === page;
};

const tableRow = (
  table: TableSeen,
  before: SlotSeen | undefined,
  { levels, location }: ShadowContext,
): ShadowTableRow => {
  const level = levels[table.depth];
  const earlier = before?.tables.find(({ frame, vaddr }) => frame === table.frame && vaddr === table.vaddr);
  return {
    frame: table.frame,
    level: table.depth,
    ...span(table.vaddr, entryReach(level) * level.entries),
    allocated: table.allocated,
    change: earlier === undefined ? 'added' : earlier.allocated === table.allocated ? 'same' : 'altered',
    divergent: location?.frame === table.frame,
  };
};

/** Rows of one tree of the guest, or of one slot, that a frame holds. */
export const MOST_ROWS = 256;

/** At most `most` rows in their order: those that matter, then the first of the others. */
export const mostImportant = <Row>(
  rows: readonly Row[],
  matters: (row: Row) => boolean,
  most = MOST_ROWS,
): readonly Row[] => {
  if (rows.length <= most) return rows;
  const first = new Set(rows.filter(matters).slice(0, most));
  for (const row of rows) {
    if (first.size >= most) break;
    first.add(row);
  }
  return rows.filter((row) => first.has(row));
};

const NAMES: Readonly<Record<Paging, readonly string[]>> = { '2-level': ['PGD', 'PTE'], pae: ['PGD', 'PMD', 'PTE'] };

export const pagingLevels = (paging: Paging): readonly PagingLevel[] =>
  LEVELS[paging].map(({ reach, entries, hasRights }, depth) => ({
    name: NAMES[paging][depth],
    shift: Math.log2(reach),
    entries,
    entryBytes: pagingSizes(paging).entryBytes,
    hasRights,
  }));

/** Addresses that one entry of a level translates, in bytes. */
export const entryReach = ({ shift }: PagingLevel): number => 2 ** shift;

export const hexOf = (value: number | undefined): Hex | undefined =>
  value === undefined ? undefined : formatHex(value);
