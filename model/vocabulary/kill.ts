/**
 * The texts with which the hypervisor kills a guest (machine.md 2, 3). Shared, because they are words and compute nothing;
 * who kills, and when, is decided twice.
 */

import type { Hypercall } from './step.js';
import { HYPERCALL_NUMBERS } from './step.js';

/** C's `%#lx`: lower case, `0x` in front, and plain `0` for zero. */
const hex = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);

export const KILL = {
  beforeInit: (call: Hypercall): string => `hypercall ${HYPERCALL_NUMBERS[call]} before INIT`,
  badHypercall: (call: Hypercall): string => `Bad hypercall ${HYPERCALL_NUMBERS[call]}`,
  alreadyInitialized: 'already have lguest_data',
  badKernelAddress: (address: number): string => `bad kernel address ${hex(address)}`,
  badStackPage: (address: number): string => `bad stack page ${hex(address)}`,
  badStackPages: (pages: number): string => `bad stack pages ${pages}`,
  setPteInSwitcher: 'attempt to set pte into Switcher pages',
  badPgdIndex: (index: number, entries: number): string => `Attempt to set pgd ${index}/${entries}`,
  badDirectoryEntry: 'bad page directory entry',
  badMiddleEntry: 'bad page middle directory entry',
  badTableEntry: 'bad page table entry',
  badRead: (address: number, bytes: number): string => `bad read address ${hex(address)} len ${bytes}`,
  badAddress: (address: number): string => `Bad address ${hex(address)}`,
  getPage: (page: number): string => `failed to get page ${page}`,
  /** The first table below the root could not be allocated; so lguest named it, in either mode. */
  noPteTable: 'out of memory allocating pte page',
  /** The second table below the root, PAE only. */
  noPmdTable: 'out of memory allocating pmd page',
} as const;
