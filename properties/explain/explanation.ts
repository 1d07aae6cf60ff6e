/**
 * A finding told step by step, as plain data: what the terminal prints and what a report shows. As in formats.md, addresses and
 * entries are lower-case hex strings with `0x` in front; pages, indexes, slots, CPUs and counts are numbers. A field that
 * does not apply is left out. Steps are numbered from 0, as in listings.
 */

import type { LeafTarget, MachineConfig } from '../../model/vocabulary/index.js';
import type { Traffic } from '../generators/index.js';
import type { Divergence, Place } from '../divergence.js';

export const EXPLANATION_FORMAT = 'shadowdiff-story/1';

/** `0x` and lower-case digits. An entry of PAE may need 64 bits: read it with BigInt. */
export type Hex = string;

export interface Explanation {
  readonly format: typeof EXPLANATION_FORMAT;
  readonly signature: string;
  /** One sentence: why it is wrong, with the addresses, pages, slots and the step that made it so. */
  readonly sentence: string;
  /** What the sentence speaks of, so that a viewer can lead there. */
  readonly focus: Focus;
  /** Names as in formats.md, Names. */
  readonly subject: string;
  readonly reference: string;
  readonly traffic: Traffic;
  readonly machine: MachineConfig;
  /** The machine in one line. */
  readonly machineText: string;
  /** How an address is taken apart, root first: 2 levels, in PAE 3. */
  readonly levels: readonly PagingLevel[];
  /** Where the hypervisor's own window begins. */
  readonly switcherAddress: Hex;
  readonly invariant: Rule;
  /** Others that broke at the same moment. */
  readonly alsoBroken: readonly Rule[];
  readonly divergence: Divergence;
  /** Every step of the program, those behind the divergence too. */
  readonly steps: readonly ExplainedStep[];
  /**
   * Creation, then every step up to the divergence, then `end` or `destroy` if the divergence is there. The last one is where it
   * diverges. Of a long program the earliest are left out, creation excepted; `notes` says so. Empty if a side gave no trace.
   */
  readonly frames: readonly Frame[];
  /** What was left out, and what could not be seen, each in a sentence. */
  readonly notes: readonly string[];
}

export interface Focus {
  /** The step that made it wrong: what the subject did not follow, or followed wrongly. */
  readonly step?: number;
  readonly vaddr?: Hex;
  readonly slot?: number;
  /** A guest page. */
  readonly page?: number;
  /** A word of guest RAM. */
  readonly paddr?: Hex;
}

export interface Rule {
  readonly id: string;
  readonly statement: string;
  readonly source: string;
}

/** An address's index at this level is `(address >>> shift) % entries`; its word lies at `table + index · entryBytes`. */
export interface PagingLevel {
  /** `PGD`, `PMD` or `PTE`. */
  readonly name: string;
  readonly shift: number;
  readonly entries: number;
  readonly entryBytes: number;
  /** Whether RW and US count at this level. The top of PAE has none. */
  readonly hasRights: boolean;
}

export interface ExplainedStep {
  readonly index: number;
  /** As in listings: operation, padding, operands. */
  readonly listing: string;
  /** What the step means, in a clause. */
  readonly meaning: string;
  /** What it changed in the subject, in a short clause; empty if nothing, or if the program ended before it. */
  readonly setsUp: string;
  readonly necessity: Necessity;
}

/** What becomes of the divergence when this step alone is removed. */
export type Necessity =
  /** Nothing diverges any more. */
  | { readonly kind: 'needed' }
  /** Another signature comes instead. */
  | { readonly kind: 'shapes'; readonly signature: string }
  /** The same signature comes without it. */
  | { readonly kind: 'superfluous' }
  /** It stands behind the divergence. */
  | { readonly kind: 'not-reached' }
  /** The program is too long to try every step; `notes` says so. */
  | { readonly kind: 'not-tried' };

/**
 * What the step did to a row. A shadow row is compared with the frame before; a guest row is `added` or `altered` if its word was
 * written in this step, by the guest or the hypervisor.
 */
export type Change = 'same' | 'added' | 'altered';

/** Every moment of the run. What it holds is the state after the step. */
export interface Frame {
  readonly place: Place;
  /** `create`, `step 4`, `end`, `destroy`. */
  readonly name: string;
  /** The step as in listings; the machine for `create`. */
  readonly listing: string;
  readonly meaning: string;
  /** This is where the divergence shows: true of the last frame alone. */
  readonly diverges: boolean;
  /** What the step changed, each in a clause: `leaf for 0x400000 → page 5, read-write user, in slot 1`. */
  readonly changes: readonly string[];
  readonly outcome: Compared;
  /** Counts, each on both sides; none where a side was killed or broke: `tables`, `switcher.text`, `switcher.registers`, `switcher.state[0]` … */
  readonly counts: readonly Compared[];
  /** Guest pages that have references on either side, by page. */
  readonly references: readonly ReferenceRow[];
  /** Words of guest RAM that the hypervisor wrote in this step, on either side. */
  readonly stores: readonly StoreRow[];
  readonly guest: GuestState;
  /** Left out if the subject lets nobody look inside. */
  readonly shadow?: ShadowState;
}

/** One thing on both sides, in words. */
export interface Compared {
  /** As in `divergence.field`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly differs: boolean;
  /** The subject's side is another than in the frame before. */
  readonly changed: boolean;
  /** The divergence is about this. */
  readonly divergent: boolean;
}

export interface ReferenceRow {
  readonly page: number;
  /** Counts since creation, added up of the changes that each side reported. */
  readonly expected: number;
  readonly actual: number;
  /** Not where a side was killed or broke: of that step nothing but the outcome is known. */
  readonly differs: boolean;
  /** Either side changed it in this step. */
  readonly changed: boolean;
  readonly divergent: boolean;
}

export interface StoreRow {
  readonly paddr: Hex;
  /** Left out: that side wrote nothing there. */
  readonly expected?: Hex;
  readonly actual?: Hex;
  /** Both in words: `pfn 5 P RW US A D`. */
  readonly expectedText?: string;
  readonly actualText?: string;
  readonly differs: boolean;
  readonly divergent: boolean;
}

/** What the guest did so far, known from the program and from what the reference wrote. */
export interface GuestState {
  /** It called `init`. */
  readonly initialized: boolean;
  /** Every address maps to itself: it runs on no root yet. */
  readonly linear: boolean;
  /** The root that it runs on. */
  readonly root?: Hex;
  readonly kernelAddress: Hex;
  readonly cpu: number;
  /** Pages to pin below `esp`; none at first. */
  readonly stack?: { readonly esp: Hex; readonly pages: number };
  /** Trees of tables: the guest's own root first, then those that the subject's slots shadow. */
  readonly trees: readonly GuestTree[];
}

export interface GuestTree {
  readonly root: Hex;
  /** The guest runs on it. */
  readonly current: boolean;
  /** Slots of the subject that shadow it. */
  readonly slots: readonly number[];
  /** Root first, then by level and address; a table that is linked twice comes twice. Empty ones are listed. */
  readonly tables: readonly GuestTable[];
  /** Rows that did not fit: those that changed or that the divergence is about are kept first. */
  readonly leftOut: number;
}

/** One table as reached from its root. */
export interface GuestTable {
  /** 0 for the root; an index into `Explanation.levels`. */
  readonly level: number;
  readonly paddr: Hex;
  /** First address that it translates, and the last one. */
  readonly from: Hex;
  readonly to: Hex;
  /** Outside guest RAM: nothing can be read there. */
  readonly outside: boolean;
  /** Entries other than zero, and those that this step cleared, by index. */
  readonly rows: readonly GuestRow[];
}

export interface GuestRow {
  readonly index: number;
  /** Where the word lies. */
  readonly paddr: Hex;
  readonly value: Hex;
  readonly present: boolean;
  /** Names of the bits that are set, P first: `P RW US A D PWT PCD PSE G`. */
  readonly bits: readonly string[];
  /** The page number in it. */
  readonly page: number;
  /** As in listings: `pfn 5 P RW US A D`. */
  readonly text: string;
  /** First address that it translates, and the last one. */
  readonly from: Hex;
  readonly to: Hex;
  /** The table that it leads to; left out of leaves, and of entries that are not present or lead nowhere. */
  readonly next?: Hex;
  /** The step that stored the word as it is, be it the guest or the hypervisor (A and D). */
  readonly since?: number;
  readonly change: Change;
  readonly divergent: boolean;
}

export interface ShadowState {
  readonly currentSlot: number;
  /** All four. */
  readonly slots: readonly ShadowSlot[];
  /** Host pages handed out by the allocator, and those reachable from the slots' roots, each counted once. */
  readonly allocatedTables: number;
  readonly reachableTables: number;
}

export interface ShadowSlot {
  readonly slot: number;
  readonly current: boolean;
  /** Without a root page: nothing was ever mapped in it. */
  readonly blank: boolean;
  /** The guest root that it shadows (`gpgdir`). */
  readonly root?: Hex;
  /** It has a root page, shadows another root, or became current or not, in this step. */
  readonly changed: boolean;
  readonly divergent: boolean;
  /** As the CPU reaches them, root first. */
  readonly tables: readonly ShadowTableRow[];
  /** By address. */
  readonly leaves: readonly ShadowLeafRow[];
  /** Leaves that were there in the frame before, as they were. */
  readonly gone: readonly ShadowLeafRow[];
  /** Leaves and tables that did not fit: those that changed or that the divergence is about are kept first. */
  readonly leftOut: number;
}

export interface ShadowTableRow {
  /** Host page: its identity. */
  readonly frame: number;
  /** 0 for the root; an index into `Explanation.levels`. */
  readonly level: number;
  /** First address that it translates, and the last one. */
  readonly from: Hex;
  readonly to: Hex;
  /** False: it was freed and is still linked. */
  readonly allocated: boolean;
  readonly change: Change;
  readonly divergent: boolean;
}

export interface ShadowLeafRow {
  readonly vaddr: Hex;
  readonly target: LeafTarget;
  /** A guest page for `ram`, a host CPU for `switcher-state`, a host page for `stray`, else 0. */
  readonly page: number;
  /** Where it leads, in words: `page 5`, `Switcher text`, `Switcher state of CPU 1`, `stray host page 77`. */
  readonly targetText: string;
  /** The leaf's own bits. */
  readonly writable: boolean;
  readonly user: boolean;
  /** Those of the entry above it. */
  readonly upperWritable: boolean;
  readonly upperUser: boolean;
  /** What the CPU allows, by both: `read-write user`, `read-only kernel` … */
  readonly rights: string;
  /** One of the hypervisor's own pages. */
  readonly switcher: boolean;
  /** The step since which it is as it is; left out if creation made it. */
  readonly since?: number;
  readonly change: Change;
  readonly divergent: boolean;
}
