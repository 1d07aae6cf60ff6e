/** A copy of the subject's shadow tables at one moment, with the step that made each leaf what it is. */

import type { Paddr, ShadowLeaf, ShadowTable, ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { sameLeaf } from '../reported-shadow.js';

export interface LeafSeen extends ShadowLeaf {
  /** The step that made it what it is; undefined if creation did. */
  readonly since: number | undefined;
}

export type TableSeen = Omit<ShadowTable, 'slot'>;

export interface SlotSeen {
  readonly slot: number;
  readonly blank: boolean;
  readonly root: Paddr | undefined;
  readonly tables: readonly TableSeen[];
  /** By first address, ascending. */
  readonly leaves: ReadonlyMap<number, LeafSeen>;
}

export interface ShadowSnapshot {
  readonly shadowVersion: number;
  readonly tableVersion: number;
  readonly currentSlot: number;
  readonly slots: readonly SlotSeen[];
  readonly allocatedTables: number;
  readonly reachableTables: number;
}

/** Reads leaves and tables again only if the view's versions changed: most steps of a long program change none. */
export const takeSnapshot = (
  view: ShadowView,
  before: ShadowSnapshot | undefined,
  step: number | undefined,
): ShadowSnapshot => {
  const { shadowVersion, tableVersion, currentSlot, allocatedTables } = view;
  const fresh = before?.shadowVersion !== shadowVersion || before.tableVersion !== tableVersion;
  const tables = fresh ? tablesOf(view) : undefined;
  const slots = Array.from({ length: SLOTS }, (_, index): SlotSeen => {
    const slot = index as Slot;
    const earlier = before?.slots[index];
    const root = view.guestRoot(slot);
    const blank = !view.hasRoot(slot);
    if (!fresh && earlier !== undefined) return { ...earlier, root, blank };
    return { slot, blank, root, tables: tables?.[slot] ?? [], leaves: leavesOf(view, slot, earlier?.leaves, step) };
  });
  const reachable = new Set(slots.flatMap((slot) => slot.tables.map(({ frame }) => frame)));
  return { shadowVersion, tableVersion, currentSlot, slots, allocatedTables, reachableTables: reachable.size };
};

const tablesOf = (view: ShadowView): readonly (readonly TableSeen[])[] => {
  const all = Array.from({ length: SLOTS }, (): TableSeen[] => []);
  view.forEachTable(({ slot, ...table }) => void all[slot].push(table));
  return all;
};

const leavesOf = (
  view: ShadowView,
  slot: Slot,
  before: ReadonlyMap<number, LeafSeen> | undefined,
  step: number | undefined,
): ReadonlyMap<number, LeafSeen> => {
  const leaves = new Map<number, LeafSeen>();
  view.forEachLeaf(slot, (leaf) => {
    const earlier = before?.get(leaf.vaddr);
    const same = earlier !== undefined && sameLeaf(earlier, leaf);
    leaves.set(leaf.vaddr, same ? earlier : { ...leaf, since: step });
  });
  return leaves;
};

/** The leaves that a slot lost. */
export const goneLeaves = (now: SlotSeen, before: SlotSeen | undefined): readonly LeafSeen[] =>
  before === undefined ? [] : [...before.leaves.values()].filter(({ vaddr }) => !now.leaves.has(vaddr));
