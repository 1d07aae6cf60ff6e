/** What can be seen of a machine after a step (machine.md 4). */

import type { Outcome } from './outcome.js';
import type { GuestEntry, Paddr, Pfn } from './units.js';

/** A guest page whose reference count changed, with the new count. */
export interface ReferenceChange {
  readonly page: Pfn;
  readonly count: number;
}

/** A word of guest RAM that the hypervisor changed, with its new value. */
export interface EntryChange {
  readonly paddr: Paddr;
  readonly value: GuestEntry;
}

/** References on the Switcher's pages. */
export interface SwitcherReferences {
  /** Slots that map the text page. */
  readonly text: number;
  /** For each host CPU, slots that map its state page. */
  readonly state: readonly number[];
  readonly registers: number;
}

/**
 * After creation and after a step: what changed in it. After `destroy`, `references` lists the pages that still hold
 * references. Of an outcome for which `bareOutcome` holds, the other fields mean nothing.
 *
 * A machine may hand out the same object again, and the same lists and members in it: they are valid until the machine's next
 * call. A `GuestEntry` stays what it is.
 */
export interface Observation {
  readonly outcome: Outcome;
  /** By page, ascending. */
  readonly references: readonly ReferenceChange[];
  /** In the order in which they were written. */
  readonly stores: readonly EntryChange[];
  /** Host pages held as shadow tables, roots included. */
  readonly tables: number;
  readonly switcher: SwitcherReferences;
  /**
   * Of a reference with `walksAlways`, after an access or a guest-pa of a living guest: the outcome that the guest's own tables
   * give at this moment, whatever was handed out earlier. What the host withholds (memory, a page) plays no part in it. It is
   * not part of a trace (formats.md).
   */
  readonly fresh?: Outcome | undefined;
}

/** All that a subject answers to a program. */
export interface Trace {
  readonly created: Observation;
  readonly steps: readonly Observation[];
  readonly destroyed: Observation;
}
