/** What a machine maps: the shadow as the CPU sees it, and as a subject outside this process reports it (formats.md, Shadow). */

import type { Paddr, Slot, Vaddr } from './units.js';

/** Every kind of host page that a leaf can map, in the order of formats.md. */
export const LEAF_TARGETS = ['ram', 'switcher-text', 'switcher-registers', 'switcher-state', 'stray'] as const;
/** Which host page a shadow leaf maps. `stray`: a page that no leaf may map. */
export type LeafTarget = (typeof LEAF_TARGETS)[number];

/** A present shadow leaf. A `ShadowView` reuses the object: it is valid until the view's next call. */
export interface ShadowLeaf {
  readonly slot: Slot;
  /** First address that it maps. */
  readonly vaddr: Vaddr;
  readonly target: LeafTarget;
  /** A guest page for `ram`, a host CPU for `switcher-state`, a host page for `stray`, else 0. */
  readonly page: number;
  readonly writable: boolean;
  readonly user: boolean;
  /** Rights of the upper entry, which the CPU combines with the leaf's. */
  readonly upperWritable: boolean;
  readonly upperUser: boolean;
}

/** The root of a slot as a subject reports it. */
export interface ReportedRoot {
  /** Host page number. */
  readonly frame: number;
  /** The guest root that it shadows, if any. */
  readonly guestRoot: Paddr | undefined;
}

/** A table below a root as a subject reports it. */
export interface ReportedTable {
  readonly slot: Slot;
  /** 1 for a table that a root links, 2 for one below that. */
  readonly depth: number;
  /** First address that it translates. */
  readonly vaddr: Vaddr;
  /** Host page number. */
  readonly frame: number;
}

/** The whole shadow at one moment, as a subject outside this process reports it. Only its shape is checked. */
export interface ReportedShadow {
  /** The slot that the guest runs on. */
  readonly current: Slot;
  /** One for each slot; undefined if it has no root page. */
  readonly roots: readonly (ReportedRoot | undefined)[];
  readonly tables: readonly ReportedTable[];
  /** The host pages that are allocated for tables, roots included. */
  readonly pages: readonly number[];
  /** In any order. */
  readonly leaves: readonly ShadowLeaf[];
}
