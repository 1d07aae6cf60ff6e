/**
 * A finding explained step by step, as plain data: what `explain` prints and a report shows. As in formats.md, addresses and
 * entries are lower-case hex strings after `0x`; pages, indexes, slots, CPUs and counts are numbers. A field that does not
 * apply is undefined, and left out of JSON. Steps count from 0, as in listings.
 */

import type { Profile } from '../profile.js';
import type { MachineConfig, Observable, ShadowLeaf } from '../../model/vocabulary/index.js';
import type { Traffic } from '../generators/index.js';
import type { Divergence, Place } from '../divergence.js';
import type { Invariant } from '../invariants/invariant.js';

export const EXPLANATION_FORMAT = 'shadowdiff-story/1';

/** `0x` and lower-case digits. An entry of PAE may need 64 bits: read it with BigInt. */
export type Hex = string;

/** In the place of a text about what a side does not show. */
export const UNKNOWN = 'unknown';

/** A run of a program, step by step. */
export interface Walkthrough {
  /** Names as in formats.md, Names. */
  readonly subject: string;
  readonly reference: string;
  /** What of both sides was looked at; left out: `lguest`. */
  readonly profile?: Profile;
  /** What each side shows; anything else of it is unknown. Empty if a side gave no trace. */
  readonly observes: { readonly reference: readonly Observable[]; readonly subject: readonly Observable[] };
  readonly traffic: Traffic;
  readonly machine: MachineConfig;
  /** The machine in one line. */
  readonly machineText: string;
  /** How an address is split, root first: 2 levels, in PAE 3. */
  readonly levels: readonly PagingLevel[];
  /** Where the hypervisor's own window begins. */
  readonly switcherAddress: Hex;
  /** Every step of the program, also those after the divergence. */
  readonly steps: readonly WalkedStep[];
  /**
   * Creation, then every step up to the divergence, which is at the last frame; up to `destroy` if nothing diverges. Of a long program
   * only creation and the last steps; `notes` says so. Empty if a side gave no trace.
   */
  readonly frames: readonly Frame[];
  /** What was left out, and what could not be seen, each in a sentence. */
  readonly notes: readonly string[];
}

/** A run that ends in a divergence, and why that is wrong. */
export interface Explanation extends Walkthrough {
  readonly format: typeof EXPLANATION_FORMAT;
  readonly signature: string;
  /** Why it is wrong, with the addresses, pages, slots and the step that made it so. */
  readonly sentence: string;
  /** What the sentence is about, for a viewer to highlight. */
  readonly focus: Focus;
  readonly invariant: Rule;
  /** Other invariants that broke at the same moment. */
  readonly alsoBroken: readonly Rule[];
  readonly divergence: Divergence;
  readonly steps: readonly ExplainedStep[];
}

/** Whether it diverges or not. */
export type Run = Walkthrough | Explanation;

/** The part from which an address can be followed through the tables. */
export interface FollowData extends Pick<Walkthrough, 'machine' | 'levels' | 'switcherAddress'> {
  readonly frames: readonly Pick<Frame, 'name' | 'guest' | 'shadow'>[];
}

export interface Focus {
  /** The step that made it wrong. */
  readonly step?: number | undefined;
  readonly vaddr?: Hex | undefined;
  readonly slot?: number | undefined;
  /** A guest page. */
  readonly page?: number | undefined;
  /** A word of guest RAM. */
  readonly paddr?: Hex | undefined;
}

export type Rule = Pick<Invariant, 'id' | 'statement' | 'source'>;

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

export interface WalkedStep {
  readonly index: number;
  /** As in listings: operation, padding, operands. */
  readonly listing: string;
  /** What the step means, in a clause. */
  readonly meaning: string;
  /** What it changed in the subject; empty if nothing, or if the program ended before it. */
  readonly setsUp: string;
}

export interface ExplainedStep extends WalkedStep {
  readonly necessity: Necessity;
}

/** What happens to the divergence when this step alone is removed. */
export type Necessity =
  /** The program no longer diverges. */
  | { readonly kind: 'needed' }
  /** The program no longer belongs to its profile, so it was not tried. */
  | { readonly kind: 'outside' }
  /** It diverges with another signature. */
  | { readonly kind: 'shapes'; readonly signature: string }
  /** It diverges with the same signature. */
  | { readonly kind: 'superfluous' }
  /** The step comes after the divergence. */
  | { readonly kind: 'not-reached' }
  /** The program is too long to try every step; `notes` says so. */
  | { readonly kind: 'not-tried' };

/**
 * What the step did to a row. A shadow row is compared with the frame before; a guest row is `added` or `altered` if its word was
 * written in this step, by the guest or the hypervisor.
 */
export type Change = 'same' | 'added' | 'altered';

interface Row {
  readonly change: Change;
  /** The divergence is about this. */
  readonly divergent: boolean;
}

/** The first address that a table or an entry translates, and the last one. */
export interface Range {
  readonly from: Hex;
  readonly to: Hex;
}

/** One moment of the run, with the state after the step. */
export interface Frame {
  readonly place: Place;
  /** `create`, `step 4`, `end`, `destroy`. */
  readonly name: string;
  /** The step as in listings; the machine for `create`. */
  readonly listing: string;
  readonly meaning: string;
  /** True of the last frame alone. */
  readonly diverges: boolean;
  /** What the step changed, each in a clause: `leaf for 0x400000 → page 5, read-write user, in slot 1`. */
  readonly changes: readonly string[];
  readonly outcome: Compared;
  /** Counts, each on both sides, or `UNKNOWN`; none where a side was killed or broke: `tables`, `switcher.text`, `switcher.registers`, `switcher.state[0]` … */
  readonly counts: readonly Compared[];
  /** Guest pages that have references on either side, by page. */
  readonly references: readonly ReferenceRow[];
  /** Words of guest RAM that the hypervisor wrote in this step, on either side. */
  readonly stores: readonly StoreRow[];
  readonly guest: GuestState;
  /** Undefined if the subject does not show its shadow tables, never or at this moment. */
  readonly shadow?: ShadowState | undefined;
}

/** One thing on both sides, in words. */
export interface Compared {
  /** As in `divergence.field`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly differs: boolean;
  /** The subject's side differs from the frame before. */
  readonly changed: boolean;
  /** The divergence is about this. */
  readonly divergent: boolean;
}

export interface ReferenceRow {
  readonly page: number;
  /** Counts since creation, summed up from the changes that each side reported; undefined if it reports none. */
  readonly expected?: number | undefined;
  readonly actual?: number | undefined;
  /** False where a side was killed or broke, because only the outcome of that step is known, or where one does not show references. */
  readonly differs: boolean;
  /** Either side changed it in this step. */
  readonly changed: boolean;
  readonly divergent: boolean;
}

export interface StoreRow {
  readonly paddr: Hex;
  /** Undefined if that side wrote nothing there, or does not show what it writes. */
  readonly expected?: Hex | undefined;
  readonly actual?: Hex | undefined;
  /** Both in words: `pfn 5 P RW US A D`, or `UNKNOWN`. */
  readonly expectedText?: string | undefined;
  readonly actualText?: string | undefined;
  readonly differs: boolean;
  readonly divergent: boolean;
}

/** What the guest did so far, known from the program and from the model's stores. */
export interface GuestState {
  /** It called `init`. */
  readonly initialized: boolean;
  /** It has no root yet: every address maps to itself. */
  readonly linear: boolean;
  /** The root that it runs on. */
  readonly root?: Hex | undefined;
  readonly kernelAddress: Hex;
  readonly cpu: number;
  /** Pages to pin below `esp`; none at first. */
  readonly stack?: { readonly esp: Hex; readonly pages: number } | undefined;
  /** Trees of tables: the guest's own root first, then those that the subject's slots shadow. */
  readonly trees: readonly GuestTree[];
}

export interface GuestTree {
  readonly root: Hex;
  /** The guest runs on it. */
  readonly current: boolean;
  /** Slots of the subject that shadow it; undefined if it does not show that. */
  readonly slots?: readonly number[] | undefined;
  /** Root first, then by level and address, empty ones too; a table that is linked twice comes twice. */
  readonly tables: readonly GuestTable[];
  /** Rows that did not fit; those that changed or that the divergence is about are kept first. */
  readonly leftOut: number;
}

/** One table as reached from its root. */
export interface GuestTable extends Range {
  /** 0 for the root; an index into `Explanation.levels`. */
  readonly level: number;
  readonly paddr: Hex;
  /** Outside guest RAM: nothing can be read there. */
  readonly outside: boolean;
  /** Entries other than zero, and those that this step cleared, by index. */
  readonly rows: readonly GuestRow[];
}

export interface GuestRow extends Range, Row {
  readonly index: number;
  /** Where the word lies. */
  readonly paddr: Hex;
  readonly value: Hex;
  readonly present: boolean;
  /** Names of the bits that are set, P first: `P RW US A D PWT PCD PSE G XD`. */
  readonly bits: readonly string[];
  /** The page number in it. */
  readonly page: number;
  /** As in listings: `pfn 5 P RW US A D`. */
  readonly text: string;
  /** The table that it leads to; undefined for leaves, and for entries that are not present or lead nowhere. */
  readonly next?: Hex | undefined;
  /** The step in which the guest or the hypervisor (A and D) stored the word as it is. */
  readonly since?: number | undefined;
}

export interface ShadowState {
  readonly currentSlot: number;
  /** All four. */
  readonly slots: readonly ShadowSlot[];
  /** Host pages that the allocator handed out, and those that the slots' roots reach, each counted once. */
  readonly allocatedTables: number;
  readonly reachableTables: number;
}

export interface ShadowSlot {
  readonly slot: number;
  readonly current: boolean;
  /** It has no root page: nothing was ever mapped in it. */
  readonly blank: boolean;
  /** The guest root that it shadows (`gpgdir`). */
  readonly root?: Hex | undefined;
  /** In this step it got a root page, another root, or became or ceased to be current. */
  readonly changed: boolean;
  readonly divergent: boolean;
  /** Root first. */
  readonly tables: readonly ShadowTableRow[];
  /** By address. */
  readonly leaves: readonly ShadowLeafRow[];
  /** Leaves that went in this step, as they were. */
  readonly gone: readonly ShadowLeafRow[];
  /** Leaves and tables that did not fit: those that changed or that the divergence is about are kept first. */
  readonly leftOut: number;
}

export interface ShadowTableRow extends Range, Row {
  /** Host page: its identity. */
  readonly frame: number;
  /** 0 for the root; an index into `Explanation.levels`. */
  readonly level: number;
  /** False: it was freed and is still linked. */
  readonly allocated: boolean;
}

export interface ShadowLeafRow extends Omit<ShadowLeaf, 'slot' | 'vaddr'>, Row {
  readonly vaddr: Hex;
  /** `page 5`, `Switcher text`, `Switcher state of CPU 1`, `stray host page 77`. */
  readonly targetText: string;
  /** What the CPU allows: `read-write user`, `read-only kernel`. */
  readonly rights: string;
  /** One of the hypervisor's own pages. */
  readonly switcher: boolean;
  /** The step that made it what it is; undefined if creation did. */
  readonly since?: number | undefined;
}
