/**
 * The layout that the small machines share.
 *
 *                 2-level                     PAE
 *     page 0      root A                      roots A and B, 32 bytes apart
 *     page 1      root B                      the middle table of both
 *     page 2      the leaf table of both      the leaf table of both
 *     page 3, 4   data X and Y                data X and Y
 *     page 5      a device                    a device
 *     page 6      nothing                     nothing
 *
 * Their addresses lie under the first entry of a root, in one leaf table: `first` is its first page, `second` the next one,
 * `device` the one that linear mode maps to the device, and `last` its last page.
 */

import type { GuestEntry, MachineConfig, Paddr, Paging, Step, Vaddr } from '../../../model/vocabulary/index.js';
import { guestEntry, paddr, pagingSizes, vaddr } from '../../../model/vocabulary/index.js';
import { P } from '../../entry-bits.js';
import type { Swap } from '../state-key.js';

/** Where the kernel half begins: `above` all addresses of the machine, `between` them, or `below`. */
export const KERNELS = ['above', 'between', 'below'] as const;
export type Kernel = (typeof KERNELS)[number];

export interface SmallMachine {
  /** Every way to create it. */
  readonly creations: readonly MachineConfig[];
  /**
   * The steps of programs. With each step it has those that `swaps` and other slot numbers turn it into, or folding would be unsound;
   * steps that kill whatever they name are exempt.
   */
  readonly alphabet: readonly Step[];
  readonly swaps: readonly Swap[];
}

export const MIDDLE_TABLE_PAGE = 1;
export const TABLE_PAGE = 2;
export const DATA_PAGES = [3, 4] as const;
export const DEVICE_PAGE = 5;
export const NO_PAGE = 6;

/** Above every address of any small machine, and below the Switcher's window. */
const KERNEL_ABOVE = vaddr(0xc0000000);

export const ADDRESSES = {
  first: vaddr(0),
  second: vaddr(0x1000),
  device: vaddr(DEVICE_PAGE * 4096 + 4),
} as const;

/** `between`: where a kernel half begins that has addresses of the machine above and below. */
export const initOf = (kernel: Kernel, between: Vaddr): Step => ({
  op: 'init',
  kernelAddress: { above: KERNEL_ABOVE, between, below: ADDRESSES.first }[kernel],
});

export const lastAddress = (paging: Paging): Vaddr => vaddr((pagingSizes(paging).tableEntries - 1) * 4096);

export const rootsOf = (paging: Paging): readonly [Paddr, Paddr] =>
  paging === 'pae' ? [paddr(0), paddr(0x20)] : [paddr(0), paddr(0x1000)];

export const ZERO = guestEntry(0);

export const entry = (page: number, flags: number, high = 0): GuestEntry => guestEntry(page * 4096 + flags, high);

export const store = (address: number, value: GuestEntry): Step => ({ op: 'store', paddr: paddr(address), value });

/** A store to the leaf that maps an address. */
export const storeLeaf = (paging: Paging, address: Vaddr, value: GuestEntry): Step => {
  const { tableEntries, entryBytes } = pagingSizes(paging);
  return store(TABLE_PAGE * 4096 + ((address >>> 12) % tableEntries) * entryBytes, value);
};

/** Stores to the entries above the leaf table: in 2-level the roots' own, in PAE one that the roots share. */
export const storesAbove = (
  paging: Paging,
  roots: readonly Paddr[],
  values: readonly GuestEntry[],
): readonly Step[] => {
  const addresses = paging === 'pae' ? [MIDDLE_TABLE_PAGE * 4096] : roots;
  return addresses.flatMap((address) => values.map((value) => store(address, value)));
};

/** In PAE, stores of the roots' only entry, the link to the middle table, present and not. */
export const storesOfLinks = (paging: Paging, roots: readonly Paddr[]): readonly Step[] =>
  paging === 'pae' ? roots.flatMap((root) => [store(root, entry(MIDDLE_TABLE_PAGE, P)), store(root, ZERO)]) : [];

/** One creation in which no allocation fails, and one for each allocation that may. */
export const creationsOf = (paging: Paging, hostCpus: number): readonly MachineConfig[] => {
  const failures = paging === 'pae' ? [0, 1, 2, 3] : [0, 1, 2];
  return failures.map((failAllocation) => ({
    paging,
    guestPages: DEVICE_PAGE,
    devicePages: 1,
    hostCpus,
    draw: 0,
    failAllocation,
  }));
};

export const switchesTo = (root: Paddr): readonly Step[] =>
  [0, 1, 2, 3].map((draw): Step => ({ op: 'new-pgtable', root, draw }));

export const setPte = (root: Paddr, vaddr: Vaddr, pte: GuestEntry): Step => ({ op: 'set-pte', root, vaddr, pte });

/** Announces the root entry above all addresses, and the one above the Switcher's window. */
export const announcementsAbove = (paging: Paging, roots: readonly Paddr[]): readonly Step[] => [
  ...roots.flatMap((root) =>
    [0, pagingSizes(paging).rootEntries - 1].map((index): Step => ({ op: 'set-pgd', root, index })),
  ),
  ...(paging === 'pae' ? [{ op: 'set-pmd', pmd: paddr(MIDDLE_TABLE_PAGE * 4096), index: 0 } as const] : []),
];

export const FLUSHES: readonly Step[] = [
  { op: 'flush-tlb', scope: 'user' },
  { op: 'flush-tlb', scope: 'all' },
];

/** Every kind of access in every mode. */
export const accessesTo = (address: Vaddr): readonly Step[] =>
  (['read', 'write'] as const).flatMap((kind) =>
    (['user', 'kernel'] as const).map((mode): Step => ({ op: 'access', vaddr: address, kind, mode })),
  );
