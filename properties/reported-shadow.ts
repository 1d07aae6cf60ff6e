/** Shadow tables as a subject outside this process reports them (formats.md, Shadow): read as a view, and written from one. */

import type {
  Paddr,
  ReportedRoot,
  ReportedShadow,
  ReportedTable,
  ShadowLeaf,
  ShadowTable,
  ShadowView,
  Slot,
  Vaddr,
} from '../model/vocabulary/index.js';
import { SLOTS, slot, vaddr } from '../model/vocabulary/index.js';

const SLOT_LIST: readonly Slot[] = Array.from({ length: SLOTS }, (_, index) => slot(index));
const NO_LEAVES: readonly ShadowLeaf[] = Object.freeze([]);

const FIRST_ADDRESS = vaddr(0);

type Draft<Type> = { -readonly [Field in keyof Type]: Type[Field] };

/** No slot has a root page. */
const NOTHING: ReportedShadow = Object.freeze({
  current: slot(0),
  roots: Object.freeze(SLOT_LIST.map(() => undefined)),
  tables: Object.freeze([]),
  pages: Object.freeze([]),
  leaves: NO_LEAVES,
});

/** A report as a view. What a report leaves unsaid is as it was in the one before. It shows what the report claims, sound or not. */
export class RecordedShadow implements ShadowView {
  shadowVersion = 0;
  tableVersion = 0;
  private shown = NOTHING;
  /** By slot, ascending by address. */
  private leaves: readonly (readonly ShadowLeaf[])[] = SLOT_LIST.map(() => NO_LEAVES);
  private written: readonly ShadowLeaf[] = NO_LEAVES;
  private allocated: ReadonlySet<number> = new Set();
  /** What `forEachTable` shows next. */
  private readonly table: Draft<ShadowTable> = {
    slot: slot(0),
    depth: 0,
    vaddr: FIRST_ADDRESS,
    frame: 0,
    allocated: false,
  };

  /** Takes what was reported after a step; undefined: all is as it was before. */
  take(reported: ReportedShadow | undefined): void {
    this.written = NO_LEAVES;
    if (reported === undefined || reported === this.shown) return;
    const before = this.shown;
    this.shown = reported;
    const relinked = !sameList(before.tables, reported.tables, sameTable);
    const moved = relinked || !sameList(before.roots, reported.roots, sameFrame);
    if ((reported.leaves !== before.leaves && this.takeLeaves(reported.leaves)) || relinked) this.shadowVersion++;
    const samePages = sameList(before.pages, reported.pages, Object.is);
    if (!samePages) this.allocated = new Set(reported.pages);
    if (moved || !samePages) this.tableVersion++;
  }

  /** There is no machine: nothing is mapped or allocated. */
  clear(): void {
    this.take(NOTHING);
  }

  get currentSlot(): Slot {
    return this.shown.current;
  }

  get allocatedTables(): number {
    return this.shown.pages.length;
  }

  hasRoot(slot: Slot): boolean {
    return this.shown.roots[slot] !== undefined;
  }

  guestRoot(slot: Slot): Paddr | undefined {
    return this.shown.roots[slot]?.guestRoot;
  }

  leafCountIn(slot: Slot, from: number, to: number): number {
    const leaves = this.leaves[slot];
    return Math.max(firstFrom(leaves, to) - firstFrom(leaves, from), 0);
  }

  leafAt(slot: Slot, address: Vaddr): ShadowLeaf | undefined {
    const leaves = this.leaves[slot];
    const page = address - (address % 4096);
    const index = firstFrom(leaves, page);
    return index < leaves.length && leaves[index].vaddr < page + 4096 ? leaves[index] : undefined;
  }

  forEachLeaf(slot: Slot, visit: (leaf: ShadowLeaf) => void): void {
    this.leaves[slot].forEach((leaf) => visit(leaf));
  }

  forEachLeafFrom(slot: Slot, from: Vaddr, visit: (leaf: ShadowLeaf) => void): void {
    const leaves = this.leaves[slot];
    for (let index = firstFrom(leaves, from); index < leaves.length; index++) visit(leaves[index]);
  }

  /** A leaf that was written as it was before is not among them: a report does not show that. */
  forEachWrittenLeaf(visit: (leaf: ShadowLeaf) => void): void {
    this.written.forEach((leaf) => visit(leaf));
  }

  forEachTable(visit: (table: ShadowTable) => void): void {
    const { roots, tables } = this.shown;
    for (const slot of SLOT_LIST) {
      const root = roots[slot];
      if (root !== undefined) visit(this.tableAt(slot, 0, FIRST_ADDRESS, root.frame));
      for (let index = 0; index < tables.length; index++) {
        const { depth, vaddr, frame } = tables[index];
        if (tables[index].slot === slot) visit(this.tableAt(slot, depth, vaddr, frame));
      }
    }
  }

  private tableAt(slot: Slot, depth: number, vaddr: Vaddr, frame: number): ShadowTable {
    const { table } = this;
    table.slot = slot;
    table.depth = depth;
    table.vaddr = vaddr;
    table.frame = frame;
    table.allocated = this.allocated.has(frame);
    return table;
  }

  /** Returns whether any leaf came, went or differs. */
  private takeLeaves(reported: readonly ShadowLeaf[]): boolean {
    const now = bySlot(reported);
    const written: ShadowLeaf[] = [];
    let changed = false;
    for (const slot of SLOT_LIST) if (compareLeaves(this.leaves[slot], now[slot], written)) changed = true;
    this.leaves = now;
    this.written = written;
    return changed;
  }
}

/** Index of the first leaf at `from` or above; the number of leaves if there is none. */
const firstFrom = (leaves: readonly ShadowLeaf[], from: number): number => {
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (leaves[middle].vaddr < from) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The leaves of each slot, ascending by address. */
const bySlot = (leaves: readonly ShadowLeaf[]): readonly (readonly ShadowLeaf[])[] => {
  const lists: readonly ShadowLeaf[][] = SLOT_LIST.map(() => []);
  let ascending = true;
  for (let index = 0; index < leaves.length; index++) {
    const leaf = leaves[index];
    const list = lists[leaf.slot];
    if (list.length > 0 && list[list.length - 1].vaddr > leaf.vaddr) ascending = false;
    list.push(leaf);
  }
  if (!ascending) for (const list of lists) list.sort((one, other) => one.vaddr - other.vaddr);
  return lists;
};

/**
 * Adds to `written` the leaves of `now` that are new or differ, whatever happened to the entry above them. Returns whether any leaf came,
 * went or differs. Both lists ascend, and an address comes once.
 */
const compareLeaves = (before: readonly ShadowLeaf[], now: readonly ShadowLeaf[], written: ShadowLeaf[]): boolean => {
  let changed = before.length !== now.length;
  let index = 0;
  for (let next = 0; next < now.length; next++) {
    const leaf = now[next];
    while (index < before.length && before[index].vaddr < leaf.vaddr) index++;
    if (index < before.length && before[index] === leaf) continue;
    if (index === before.length || !sameEntry(before[index], leaf)) written.push(leaf);
    else if (sameLeaf(before[index], leaf)) continue;
    changed = true;
  }
  return changed;
};

/** The entries of the leaves are alike, at the same address. */
const sameEntry = (one: ShadowLeaf, other: ShadowLeaf): boolean =>
  one.vaddr === other.vaddr &&
  one.target === other.target &&
  one.page === other.page &&
  one.writable === other.writable &&
  one.user === other.user;

/** They map the same address to the same page with the same rights, whatever their slots. */
export const sameLeaf = (one: ShadowLeaf, other: ShadowLeaf): boolean =>
  sameEntry(one, other) && one.upperWritable === other.upperWritable && one.upperUser === other.upperUser;

const sameTable = (one: ReportedTable, other: ReportedTable): boolean =>
  one.frame === other.frame && one.vaddr === other.vaddr && one.depth === other.depth && one.slot === other.slot;

const sameFrame = (one: ReportedRoot | undefined, other: ReportedRoot | undefined): boolean =>
  one?.frame === other?.frame;

const sameList = <Item>(
  one: readonly Item[],
  other: readonly Item[],
  same: (one: Item, other: Item) => boolean,
): boolean => one === other || (one.length === other.length && one.every((item, index) => same(item, other[index])));

/** Reports a machine's shadow tables, as a subject that observes `shadow` must. */
export class ShadowReporter {
  private readonly view: ShadowView;
  private last = NOTHING;
  private shadowVersion = -1;
  private tableVersion = -1;

  constructor(view: ShadowView) {
    this.view = view;
  }

  /** The whole shadow; undefined if it is as it was at the last call. */
  report(): ReportedShadow | undefined {
    const { last, view } = this;
    const { shadowVersion, tableVersion, currentSlot: current } = view;
    const sameTables = this.shadowVersion === shadowVersion && this.tableVersion === tableVersion;
    const sameRoots = SLOT_LIST.every((slot) => last.roots[slot]?.guestRoot === view.guestRoot(slot));
    if (sameTables && sameRoots && last.current === current) return undefined;
    this.shadowVersion = shadowVersion;
    this.tableVersion = tableVersion;
    return (this.last = reportOf(view));
  }
}

const reportOf = (view: ShadowView): ReportedShadow => {
  const roots: (ReportedRoot | undefined)[] = SLOT_LIST.map(() => undefined);
  const tables: ReportedTable[] = [];
  const pages = new Set<number>();
  let highest = 0;
  view.forEachTable(({ slot, depth, vaddr, frame, allocated }) => {
    if (depth === 0) roots[slot] = { frame, guestRoot: view.guestRoot(slot) };
    else tables.push({ slot, depth, vaddr, frame });
    if (allocated) pages.add(frame);
    highest = Math.max(highest, frame);
  });
  // A view does not show the numbers of allocated pages that no root leads to.
  while (pages.size < view.allocatedTables) pages.add(++highest);
  const leaves: ShadowLeaf[] = [];
  for (const slot of SLOT_LIST) view.forEachLeaf(slot, (leaf) => leaves.push({ ...leaf }));
  return { current: view.currentSlot, roots, tables, pages: [...pages], leaves };
};
