/**
 * A program and the machine that it asks for, with the sizes that follow from the paging mode (machine.md 1). Sizes only: each
 * side has its own code to take addresses and entries apart.
 */

import type { Step } from './step.js';
import type { Vaddr } from './units.js';
import { ADDRESS_SPACE_BYTES, vaddr } from './units.js';

export const PAGINGS = ['2-level', 'pae'] as const;
export type Paging = (typeof PAGINGS)[number];

/** What the CPU of a program may have or do that a plain one does not (machine.md 6), in the order of formats.md. */
export const FEATURES = ['write-protect-off', 'reserved-bits', 'large-pages', 'global-pages', 'no-execute'] as const;
export type Feature = (typeof FEATURES)[number];

/** The machine that a program asks for. */
export interface MachineConfig {
  readonly paging: Paging;
  /** Pages of guest RAM, 1 … 4096; they are numbered from 0. */
  readonly guestPages: number;
  /** Pages of MMIO right behind RAM, 0 … 4096. */
  readonly devicePages: number;
  /** Host CPUs, 1 … 64. */
  readonly hostCpus: number;
  /** The random number with which creation chooses its slot, 0 … 2³²−1. */
  readonly draw: number;
  /** Which host allocation of creation fails, counted from 1; 0: none. */
  readonly failAllocation: number;
  /** At least one, each once and in the order of `FEATURES`; left out: none. Machines of the profile `architecture` alone have some. */
  readonly features?: readonly Feature[];
}

export const hasFeature = ({ features }: Pick<MachineConfig, 'features'>, feature: Feature): boolean =>
  features?.includes(feature) === true;

/** A machine and the steps that it takes: everything that a run depends on. */
export interface Program {
  readonly machine: MachineConfig;
  readonly steps: readonly Step[];
}

/** Slots of the pgdir cache. */
export const SLOTS = 4;
/** The most stack pages a guest may ask to have pinned. */
export const MOST_STACK_PAGES = 2;

/** Bounds of `MachineConfig`, each inclusive (formats.md, Program). */
export const MACHINE_BOUNDS = {
  guestPages: { least: 1, most: 4096 },
  devicePages: { least: 0, most: 4096 },
  hostCpus: { least: 1, most: 64 },
} as const;

/** What the paging mode fixes. */
export interface PagingSizes {
  readonly paging: Paging;
  /** Bytes of one entry, which is also how a page-table word in guest RAM is aligned. */
  readonly entryBytes: number;
  /** Entries of a root. */
  readonly rootEntries: number;
  /** Entries of a table below the root. */
  readonly tableEntries: number;
  /** How a root must be aligned, in bytes. */
  readonly rootAlignment: number;
  /** Virtual addresses covered by one root entry, in bytes. */
  readonly rootEntryReach: number;
  /** Virtual addresses covered by one leaf table, in bytes. */
  readonly leafTableReach: number;
  /** Tables between root and leaf: 1 in 2-level, 2 in PAE. */
  readonly tableLevels: number;
  /** Where the hypervisor's own window begins; it ends with the address space. */
  readonly switcherAddress: Vaddr;
}

const SIZES: Readonly<Record<Paging, PagingSizes>> = {
  '2-level': {
    paging: '2-level',
    entryBytes: 4,
    rootEntries: 1024,
    tableEntries: 1024,
    rootAlignment: 4096,
    rootEntryReach: 2 ** 22,
    leafTableReach: 2 ** 22,
    tableLevels: 1,
    switcherAddress: vaddr(0xffc00000),
  },
  pae: {
    paging: 'pae',
    entryBytes: 8,
    rootEntries: 4,
    tableEntries: 512,
    rootAlignment: 32,
    rootEntryReach: 2 ** 30,
    leafTableReach: 2 ** 21,
    tableLevels: 2,
    switcherAddress: vaddr(0xffe00000),
  },
};

export const pagingSizes = (paging: Paging): PagingSizes => SIZES[paging];

/** Bytes at the top of the address space that the guest cannot use; what `init` answers. */
export const reservedBytes = (paging: Paging): number => ADDRESS_SPACE_BYTES - SIZES[paging].switcherAddress;

/** Where host CPU `index` sees the guest's registers; its state page is the next one (machine.md 1, Switcher). */
export const switcherRegistersAddress = (paging: Paging, index: number): Vaddr =>
  vaddr(SIZES[paging].switcherAddress + 4096 + 8192 * index);
