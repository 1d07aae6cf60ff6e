/** What a guest, its host or its Launcher does. A step is plain data (machine.md 3). */

import type { GuestEntry, Paddr, Vaddr } from './units.js';

/** `execute`: an instruction is fetched; only on a CPU with `no-execute`. */
export type AccessKind = 'read' | 'write' | 'execute';
export type AccessMode = 'user' | 'kernel';
export type FlushScope = 'all' | 'user';
/** What the Launcher's own mapping of a guest page allows. */
export type Protection = 'none' | 'read' | 'write';

/** The guest writes one page-table word into its RAM, and announces nothing. */
export interface StoreStep {
  readonly op: 'store';
  /** Inside RAM, aligned to the entry size. */
  readonly paddr: Paddr;
  readonly value: GuestEntry;
}

/** LHCALL_LGUEST_INIT (1). */
export interface InitStep {
  readonly op: 'init';
  /** From here on addresses belong to the guest's kernel. */
  readonly kernelAddress: Vaddr;
}

/** LHCALL_NEW_PGTABLE (4). */
export interface NewPgtableStep {
  readonly op: 'new-pgtable';
  /** Aligned to `rootAlignment`; may lie outside RAM. */
  readonly root: Paddr;
  /** The random number that chooses the victim on a miss, 0 … 2³²−1. */
  readonly draw: number;
}

/** LHCALL_FLUSH_TLB (5). */
export interface FlushTlbStep {
  readonly op: 'flush-tlb';
  readonly scope: FlushScope;
}

/** LHCALL_SET_STACK (7). */
export interface SetStackStep {
  readonly op: 'set-stack';
  /** The stack grows down from here. */
  readonly esp: Vaddr;
  /** Pages to pin, 0 … 2³²−1; more than two kill. */
  readonly pages: number;
}

/** LHCALL_SET_PMD (13), for PAE. */
export interface SetPmdStep {
  readonly op: 'set-pmd';
  readonly pmd: Paddr;
  readonly index: number;
}

/** LHCALL_SET_PTE (14). */
export interface SetPteStep {
  readonly op: 'set-pte';
  readonly root: Paddr;
  readonly vaddr: Vaddr;
  readonly pte: GuestEntry;
}

/** LHCALL_SET_PGD (15). */
export interface SetPgdStep {
  readonly op: 'set-pgd';
  readonly root: Paddr;
  readonly index: number;
}

/** The guest touches an address. */
export interface AccessStep {
  readonly op: 'access';
  readonly vaddr: Vaddr;
  readonly kind: AccessKind;
  readonly mode: AccessMode;
}

/** The host asks for a guest-physical address. */
export interface GuestPaStep {
  readonly op: 'guest-pa';
  readonly vaddr: Vaddr;
}

/** The guest moves to another host CPU. */
export interface MigrateStep {
  readonly op: 'migrate';
  /** Below `hostCpus`. */
  readonly cpu: number;
}

/** The next `count` host allocations fail; replaces what is left of an earlier step of this kind. */
export interface FailAllocStep {
  readonly op: 'fail-alloc';
  readonly count: number;
}

/** The Launcher changes its own mapping of a guest page. */
export interface ProtectStep {
  readonly op: 'protect';
  /** Below `guestPages`. */
  readonly page: number;
  readonly access: Protection;
}

export type Step =
  | StoreStep
  | InitStep
  | NewPgtableStep
  | FlushTlbStep
  | SetStackStep
  | SetPmdStep
  | SetPteStep
  | SetPgdStep
  | AccessStep
  | GuestPaStep
  | MigrateStep
  | FailAllocStep
  | ProtectStep;

export type Op = Step['op'];

/** Every kind of step, in the order of machine.md 3. */
export const OPS = [
  'store',
  'init',
  'new-pgtable',
  'flush-tlb',
  'set-stack',
  'set-pmd',
  'set-pte',
  'set-pgd',
  'access',
  'guest-pa',
  'migrate',
  'fail-alloc',
  'protect',
] as const satisfies readonly Op[];

/** LHCALL_ numbers, as the kill texts print them. */
export const HYPERCALL_NUMBERS = {
  init: 1,
  'new-pgtable': 4,
  'flush-tlb': 5,
  'set-stack': 7,
  'set-pmd': 13,
  'set-pte': 14,
  'set-pgd': 15,
} as const satisfies Partial<Record<Op, number>>;

export type Hypercall = keyof typeof HYPERCALL_NUMBERS;
