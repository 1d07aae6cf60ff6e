/** A defect: one way in which the optimized machine, or a machine like it, was or could be wrong. */

import type { ShadowMachine } from '../shadow-machine.js';

export type DefectClass =
  | 'reference leak'
  | 'double put'
  | 'stale mapping'
  | 'missing broadcast'
  | 'missed flush'
  | 'over-flush'
  | 'permission merge'
  | 'missing dirty'
  | 'off-by-one'
  | 'wrong mask'
  | 'narrow type'
  | 'wrapped counter'
  | 'missing check'
  | 'allocation-failure path'
  | 'eviction'
  | 'cache lookup'
  | 'livelock'
  | 'lost hypervisor window'
  | 'table leak'
  | 'use after free'
  | 'torn write'
  | 'hidden state';

export interface Defect {
  /** Kebab-case; what `impl:ID` names. */
  readonly id: string;
  readonly title: string;
  readonly class: DefectClass;
  /** What goes wrong, and what the guest must do to trigger it. */
  readonly wrong: string;
  /** The commit, CVE, XSA or C function that it is modelled on. */
  readonly origin: string;
  /** How the original was translated to this machine. */
  readonly translation: string;
  readonly consequence: string;
  /** The victim: the guest that triggers it, or the host and with it every guest. */
  readonly harms: 'guest' | 'host';
  /** The rule of machine.md that the sound machine follows instead. */
  readonly rule: string;
  /** The last version of lguest's `page_tables.c` has it, so it is part of `impl:lguest`. */
  readonly inLguest: boolean;
  /** Replaces methods of this machine's parts. Other machines are not affected. */
  plant(machine: ShadowMachine): void;
}
