/** What a step shows: how it ended, and what it changed (machine.md 4; formats.md, Trace). */

import type { Killed } from './kill.js';
import type { ReportedShadow } from './shadow.js';
import type { AccessKind, AccessMode } from './step.js';
import type { GuestEntry, Paddr, Pfn } from './units.js';

/** How a step ended: a value, because nothing that a guest does throws. */
export type Outcome =
  | { readonly kind: 'created' }
  /** Creation found no host memory. */
  | { readonly kind: 'no-memory' }
  /** `init`; `reserved` counts the bytes at the top that the guest cannot use. */
  | { readonly kind: 'initialized'; readonly reserved: number }
  | { readonly kind: 'ok' }
  /** The access went through to this guest-physical address. */
  | { readonly kind: 'mapped'; readonly paddr: Paddr }
  /** The guest gets a page fault; `code` is a sum of `FAULT_PRESENT`, `FAULT_WRITE`, `FAULT_USER`, `FAULT_RESERVED` and `FAULT_FETCH`. */
  | { readonly kind: 'fault'; readonly code: number }
  /** The access is to a device, for the Launcher to emulate. */
  | { readonly kind: 'mmio'; readonly paddr: Paddr }
  /** `guest-pa`'s answer. */
  | { readonly kind: 'physical'; readonly paddr: Paddr }
  /** A fault was reported as fixed and happened again: the guest would spin forever. */
  | { readonly kind: 'stuck' }
  | Killed
  /** A step after the kill. */
  | { readonly kind: 'dead' }
  | { readonly kind: 'destroyed' }
  /** The hypervisor itself broke. */
  | { readonly kind: 'host-bug'; readonly reason: string; readonly cause?: HostBugCause }
  /** A step after the host bug. */
  | { readonly kind: 'halted' }
  /** A step of a machine that was never created. */
  | { readonly kind: 'absent' };

/** What broke, known of machines of this process. `reference-underflow`: a reference was dropped that was not held. */
export type HostBugCause = 'reference-underflow' | 'other';

export type OutcomeKind = Outcome['kind'];

/** Every way in which a step, a creation or a destruction can end. */
export const OUTCOME_KINDS = [
  'created',
  'no-memory',
  'initialized',
  'ok',
  'mapped',
  'fault',
  'mmio',
  'physical',
  'stuck',
  'killed',
  'dead',
  'destroyed',
  'host-bug',
  'halted',
  'absent',
] as const satisfies readonly OutcomeKind[];

/** Bits of a fault's code, as the CPU pushes them. */
export const FAULT_PRESENT = 1;
export const FAULT_WRITE = 2;
export const FAULT_USER = 4;
export const FAULT_RESERVED = 8;
export const FAULT_FETCH = 16;

/** The part of a fault's code that the access alone decides. */
export const accessCode = (kind: AccessKind, mode: AccessMode): number =>
  (kind === 'write' ? FAULT_WRITE : kind === 'execute' ? FAULT_FETCH : 0) | (mode === 'user' ? FAULT_USER : 0);

/** Whether the outcome is all that is observed of a step and compared (formats.md, Trace). */
export const bareOutcome = (kind: OutcomeKind): boolean =>
  kind === 'killed' || kind === 'dead' || kind === 'host-bug' || kind === 'halted' || kind === 'absent';

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

/** What a machine may let the harness observe, in the order of formats.md (Hello): the members of an observation, and its shadow tables. */
export const OBSERVABLES = ['outcome', 'references', 'stores', 'tables', 'switcher', 'shadow'] as const;
export type Observable = (typeof OBSERVABLES)[number];

/**
 * After creation and after a step: what changed in it. After `destroy`, `references` lists the pages that still hold
 * references. If `bareOutcome` holds of the outcome's kind, ignore the other fields.
 *
 * A machine may reuse the object, its lists and their members: they are valid until the machine's next call. A `GuestEntry`
 * never changes.
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
   * Set by machines with `walksAlways`, after an access or a guest-pa of a living guest: the outcome that the guest's own tables
   * give at this moment, whatever was handed out earlier. It assumes that the host has memory and grants every page. It is not
   * part of a trace (formats.md).
   */
  readonly fresh?: Outcome | undefined;
  /** Set by subjects outside this process that report their shadow, where it differs from the one reported last. */
  readonly shadow?: ReportedShadow | undefined;
}

/** Everything that a subject answers to a program. */
export interface Trace {
  readonly created: Observation;
  readonly steps: readonly Observation[];
  readonly destroyed: Observation;
  /** Numbers of the edges of the subject's own code that the program reached; set if it counts them. */
  readonly edges?: readonly number[] | undefined;
}
