/** What a defect is: one way in which the optimized machine, or one like it, was or could be wrong. */

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
  /** What goes wrong, and what the guest must do for it. */
  readonly wrong: string;
  /** Commit, CVE, XSA or C function that it comes from. */
  readonly origin: string;
  /** How the original was translated to this machine. */
  readonly translation: string;
  readonly consequence: string;
  /** Who is worse off: the guest that does it, or the host and with it everybody. */
  readonly harms: 'guest' | 'host';
  /** The rule of machine.md that the sound machine follows instead. */
  readonly rule: string;
  /** lguest's `page_tables.c` as it was last has it: it is a part of `impl:lguest`. */
  readonly inLguest: boolean;
  /** Patches one machine: replaces methods of its parts, and touches no other machine. */
  plant(machine: ShadowMachine): void;
}
