/** How a step ended (formats.md, Trace). An outcome is a value; nothing that a guest does throws. */

import type { Killed } from './kill.js';
import type { AccessKind, AccessMode } from './step.js';
import type { Paddr } from './units.js';

export type Outcome =
  | { readonly kind: 'created' }
  /** Creation found no host memory. */
  | { readonly kind: 'no-memory' }
  /** `init`; `reserved` counts the bytes at the top that the guest cannot use. */
  | { readonly kind: 'initialized'; readonly reserved: number }
  | { readonly kind: 'ok' }
  /** The access went through to this guest-physical address. */
  | { readonly kind: 'mapped'; readonly paddr: Paddr }
  /** The guest gets a page fault; see `faultCode`. */
  | { readonly kind: 'fault'; readonly code: number }
  /** The access is to a device, for the Launcher to emulate. */
  | { readonly kind: 'mmio'; readonly paddr: Paddr }
  /** `guest-pa`'s answer. */
  | { readonly kind: 'physical'; readonly paddr: Paddr }
  /** A fault was reported fixed and happened again: the guest would spin for ever. */
  | { readonly kind: 'stuck' }
  | Killed
  /** A step after the kill. */
  | { readonly kind: 'dead' }
  | { readonly kind: 'destroyed' }
  /** The hypervisor itself broke. */
  | { readonly kind: 'host-bug'; readonly reason: string }
  /** A step after the host bug. */
  | { readonly kind: 'halted' }
  /** A step of a machine that was never created. */
  | { readonly kind: 'absent' };

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

/** The part of a fault's code that the access alone decides. */
export const accessCode = (kind: AccessKind, mode: AccessMode): number =>
  (kind === 'write' ? FAULT_WRITE : 0) | (mode === 'user' ? FAULT_USER : 0);

/** Kinds of which nothing but the outcome is observed and compared (formats.md, Trace). */
export const bareOutcome = (kind: OutcomeKind): boolean =>
  kind === 'killed' || kind === 'dead' || kind === 'host-bug' || kind === 'halted' || kind === 'absent';
