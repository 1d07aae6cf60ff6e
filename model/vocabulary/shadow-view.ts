/**
 * The introspection interface: what the white-box invariants may read of an optimized machine. It speaks of what the CPU
 * would see (slots, tables, leaves), never of how a machine keeps them, and reading it changes nothing.
 */

import type { GuestEntry, Paddr, Slot, Vaddr } from './units.js';

/** Which host page a shadow leaf maps. `stray`: one that no leaf may map. */
export type LeafTarget = 'ram' | 'switcher-text' | 'switcher-registers' | 'switcher-state' | 'stray';

/** A present shadow leaf. The view hands out the same object again: it is valid until the next call. */
export interface ShadowLeaf {
  readonly slot: Slot;
  /** First address that it maps. */
  readonly vaddr: Vaddr;
  readonly target: LeafTarget;
  /** A guest page for `ram`, a host CPU for `switcher-state`, a host page for `stray`, else 0. */
  readonly page: number;
  readonly writable: boolean;
  readonly user: boolean;
  /** Rights of the upper entry that the CPU combines with the leaf's. */
  readonly upperWritable: boolean;
  readonly upperUser: boolean;
}

/** A shadow table as the CPU reaches it from a root. Valid until the next call of the view. */
export interface ShadowTable {
  readonly slot: Slot;
  /** Host page number: the table's identity. */
  readonly frame: number;
  /** 0 for a root. */
  readonly depth: number;
  /** First address that it translates. */
  readonly vaddr: Vaddr;
  /** The allocator has it handed out. */
  readonly allocated: boolean;
}

export interface ShadowView {
  /** The slot that the guest runs on. */
  readonly currentSlot: Slot;
  /** Grows whenever a leaf or an upper entry changes, and only then. */
  readonly shadowVersion: number;
  /** Grows whenever a host page is allocated or freed. */
  readonly tableVersion: number;
  /** Host pages that the allocator has handed out. */
  readonly allocatedTables: number;
  hasRoot(slot: Slot): boolean;
  /** The guest root that a slot shadows, if any. */
  guestRoot(slot: Slot): Paddr | undefined;
  /** Those whose first address lies in `from` … `to` − 1. */
  leafCountIn(slot: Slot, from: number, to: number): number;
  /** The leaf that maps an address in a slot, if one is present. */
  leafAt(slot: Slot, vaddr: Vaddr): ShadowLeaf | undefined;
  /** Every present leaf of a slot, by ascending address. */
  forEachLeaf(slot: Slot, visit: (leaf: ShadowLeaf) => void): void;
  /** Those whose first address is `from` or above. */
  forEachLeafFrom(slot: Slot, from: Vaddr, visit: (leaf: ShadowLeaf) => void): void;
  /** The present ones among the leaves written since the step began; a leaf may come twice. */
  forEachWrittenLeaf(visit: (leaf: ShadowLeaf) => void): void;
  /** Every table, walked from the roots as the CPU would; a table that is linked twice comes twice. */
  forEachTable(visit: (table: ShadowTable) => void): void;
  /** A word of this machine's guest RAM. */
  guestWord(paddr: Paddr): GuestEntry;
  /** Every address of guest RAM whose word is or was other than zero; an address may come twice. */
  forEachWrittenWord(visit: (paddr: Paddr) => void): void;
}
