/** The subject's shadow tables as a frame shows them: beside what they were in the frame before. */

import { formatHex } from '../formats/index.js';
import type { Vaddr } from '../../model/vocabulary/index.js';
import { entryReach } from './levels.js';
import { mostImportant } from './rows.js';
import { goneLeaves } from './shadow-snapshot.js';
import type { LeafSeen, ShadowSnapshot, SlotSeen, TableSeen } from './shadow-snapshot.js';
import type { Location } from '../invariants/violation.js';
import type { Change, PagingLevel, ShadowLeafRow, ShadowSlot, ShadowState, ShadowTableRow } from './story.js';
import { rightsText, targetText } from './words.js';

export interface ShadowContext {
  readonly levels: readonly PagingLevel[];
  readonly switcherAddress: Vaddr;
  /** Nothing is marked but where the program diverges. */
  readonly location: Location | undefined;
}

export const shadowState = (
  now: ShadowSnapshot,
  before: ShadowSnapshot | undefined,
  context: ShadowContext,
): ShadowState => ({
  currentSlot: now.currentSlot,
  slots: now.slots.map((slot) => {
    const isCurrent = slot.slot === now.currentSlot;
    const turned = before !== undefined && isCurrent !== (slot.slot === before.currentSlot);
    return slotRows(slot, before?.slots[slot.slot], { isCurrent, turned }, context);
  }),
  allocatedTables: now.allocatedTables,
  reachableTables: now.reachableTables,
});

interface Standing {
  readonly isCurrent: boolean;
  /** It became the current one, or ceased to be. */
  readonly turned: boolean;
}

const slotRows = (
  now: SlotSeen,
  before: SlotSeen | undefined,
  { isCurrent, turned }: Standing,
  context: ShadowContext,
): ShadowSlot => {
  const allLeaves = [...now.leaves.values()].map((leaf) => leafRow(leaf, changeOf(leaf, before), context));
  const allGone = goneLeaves(now, before).map((leaf) => leafRow(leaf, 'same', context));
  const allTables = now.tables.map((table) => tableRow(table, before, context));
  const leaves = mostImportant(allLeaves, matters);
  const gone = mostImportant(allGone, matters);
  const tables = mostImportant(allTables, matters);
  return {
    slot: now.slot,
    current: isCurrent,
    blank: now.blank,
    ...(now.root === undefined ? {} : { root: formatHex(now.root) }),
    changed: before !== undefined && (before.root !== now.root || before.blank !== now.blank || turned),
    divergent: context.location?.slot === now.slot,
    tables,
    leaves,
    gone,
    leftOut: allLeaves.length - leaves.length + allGone.length - gone.length + allTables.length - tables.length,
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

const leafRow = (leaf: LeafSeen, change: Change, { switcherAddress, location }: ShadowContext): ShadowLeafRow => ({
  vaddr: formatHex(leaf.vaddr),
  target: leaf.target,
  page: leaf.page,
  targetText: targetText(leaf),
  writable: leaf.writable,
  user: leaf.user,
  upperWritable: leaf.upperWritable,
  upperUser: leaf.upperUser,
  rights: rightsText(leaf),
  switcher: leaf.vaddr >= switcherAddress,
  ...(leaf.since === undefined ? {} : { since: leaf.since }),
  change,
  divergent: isAbout(leaf, location),
});

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
    from: formatHex(table.vaddr),
    to: formatHex(Math.min(table.vaddr + entryReach(level) * level.entries, 2 ** 32) - 1),
    allocated: table.allocated,
    change: earlier === undefined ? 'added' : earlier.allocated === table.allocated ? 'same' : 'altered',
    divergent: location?.frame === table.frame,
  };
};
