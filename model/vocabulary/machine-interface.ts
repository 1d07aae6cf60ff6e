/** What the harness asks of a machine, whichever side it stands on: to run, and if it can, to show its inside and its state. */

import type { Observation } from './observation.js';
import type { MachineConfig } from './program.js';
import type { ShadowLeaf } from './shadow.js';
import type { Step } from './step.js';
import type { GuestEntry, Paddr, Slot, Vaddr } from './units.js';

/**
 * A machine that runs in this process. One object runs many programs, one after the other: `create`, then `apply` for every
 * step (also after a kill), then `destroy`. `create` starts afresh, even if the last program was not destroyed.
 */
export interface Machine {
  create(config: MachineConfig): Observation;
  apply(step: Step): Observation;
  destroy(): Observation;
  /** Its inside. Without it, only the invariants that need observations alone are checked. */
  readonly shadow?: ShadowView;
  /** Its guest RAM, to compare at the end of a program. Without it, only what it reports of its stores is compared. */
  readonly ram?: GuestRam;
  /** The machine walks the guest's tables on every access, hit or miss: its observations have `fresh`. */
  readonly walksAlways?: boolean;
  /** Numbers of the edges of its own code that the program destroyed last reached (formats.md, Edges). Without it, none are counted. */
  readonly edges?: readonly number[] | undefined;
  /** Writes the state of a living machine to `sink`. Exhaustive exploration needs it. */
  tellState?(sink: StateSink): void;
}

/**
 * Receives a machine's state as a set of facts, in any order. A fact is a kind and some numbers; each number comes with what it
 * stands for, so that pages, roots, CPUs and slots can be renamed.
 *
 * The facts must decide everything that the machine will ever do: two states with the same facts have the same future. Leave
 * out what no later step depends on, such as which free page comes next.
 */
export interface StateSink {
  /** Begins a fact; the calls up to the next fact belong to it. `kind`: a number for this kind of fact alone. */
  fact(kind: number): void;
  /** Begins a fact about a slot. */
  slotFact(kind: number, slot: Slot): void;
  /** A number that stands for itself. */
  number(value: number): void;
  flag(value: boolean): void;
  /** A guest page. */
  page(page: number): void;
  /** A page-table word of the guest, or a leaf made from one: a guest page from bit 12 up, and bits that stand for themselves. */
  entry(entry: GuestEntry): void;
  /** The address of a word in guest RAM, or of a root. */
  address(address: Paddr): void;
  cpu(cpu: number): void;
}

/** A shadow table as the CPU reaches it from a root. Valid until the view's next call. */
export interface ShadowTable {
  readonly slot: Slot;
  /** Host page number: the table's identity. */
  readonly frame: number;
  /** 0 for a root. */
  readonly depth: number;
  /** First address that it translates. */
  readonly vaddr: Vaddr;
  /** The allocator has handed it out. */
  readonly allocated: boolean;
}

/**
 * The introspection interface: what the white-box invariants may read of an optimized machine. It shows what the CPU would see
 * (slots, tables, leaves), not how the machine stores it. Reading changes nothing.
 */
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
  /** Counts the leaves whose first address lies in `from` … `to` − 1. */
  leafCountIn(slot: Slot, from: number, to: number): number;
  /** The leaf that maps an address in a slot, if one is present. */
  leafAt(slot: Slot, vaddr: Vaddr): ShadowLeaf | undefined;
  /** Visits every present leaf of a slot, by ascending address. */
  forEachLeaf(slot: Slot, visit: (leaf: ShadowLeaf) => void): void;
  /** Visits the leaves whose first address is `from` or above. */
  forEachLeafFrom(slot: Slot, from: Vaddr, visit: (leaf: ShadowLeaf) => void): void;
  /** Visits the leaves that were written since the step began and are present; a leaf may come twice. */
  forEachWrittenLeaf(visit: (leaf: ShadowLeaf) => void): void;
  /** Visits every table, walked from the roots as the CPU would; a table that is linked twice comes twice. */
  forEachTable(visit: (table: ShadowTable) => void): void;
}

/** What invariants may read of a machine's guest RAM. Reading changes nothing. */
export interface GuestRam {
  /** The page-table word at an address, which is a multiple of its size. */
  word(paddr: Paddr): GuestEntry;
  /** Visits the address of every word that is or was other than zero; an address may come twice. */
  forEachWritten(visit: (paddr: Paddr) => void): void;
}
