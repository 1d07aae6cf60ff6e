/** A plain guest to measure on: some roots, all of which map the same pages of a user and of a kernel region. */

import type { AccessStep, MachineConfig, Paddr, Paging, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, guestEntry, paddr, pagingSizes, vaddr } from '../../model/vocabulary/index.js';

export const KERNEL_BASE = 0xc0000000;
export const USER_BASE = 0x40000000;
/** Present, writable, the user's, accessed and dirty: an access changes nothing in the guest's tables. */
export const LEAF_FLAGS = 0x67;
const UPPER_FLAGS = 0x67;
/** PAE: of a top entry only this may be set. */
const TOP_FLAGS = 0x1;

const FIRST_ROOT = 1;
export const MOST_ROOTS = 6;
const MIDDLES = { user: 7, kernel: 8 } as const;
const FIRST_LEAF_TABLE = 9;

export interface GuestSize {
  readonly paging: Paging;
  /** At least 16, for the tables. */
  readonly guestPages: number;
  /** Pages mapped in each of the two regions. */
  readonly mapped: number;
}

export const machineFor = ({ paging, guestPages }: GuestSize): MachineConfig => ({
  paging,
  guestPages,
  devicePages: 0,
  hostCpus: 2,
  draw: 0,
  failAllocation: 0,
});

export const rootNumber = (index: number): Paddr => paddr((FIRST_ROOT + index) * PAGE_BYTES);

/** Any page of RAM serves as data: nobody looks at what a page holds that is no table. */
export const leafOf = (page: number, { guestPages }: GuestSize) =>
  guestEntry((page % guestPages) * PAGE_BYTES + LEAF_FLAGS);

/** Everything up to a guest that may switch to its first root. */
export const openingOf = (size: GuestSize): readonly Step[] => [
  ...regionSteps(size, 'user'),
  ...regionSteps(size, 'kernel'),
  { op: 'init', kernelAddress: vaddr(KERNEL_BASE) },
];

export const pageOf = (region: 'user' | 'kernel', page: number) =>
  vaddr((region === 'user' ? USER_BASE : KERNEL_BASE) + page * PAGE_BYTES);

/** One access to each mapped page of the user's region. */
export const touchAll = ({ mapped }: GuestSize): readonly AccessStep[] =>
  Array.from({ length: mapped }, (_, page) => ({
    op: 'access',
    vaddr: pageOf('user', page),
    kind: page % 2 === 0 ? 'read' : 'write',
    mode: 'user',
  }));

const regionSteps = (size: GuestSize, region: 'user' | 'kernel'): readonly Step[] => {
  const { tableEntries, entryBytes } = pagingSizes(size.paging);
  const tables = Math.ceil(size.mapped / tableEntries);
  const firstTable = FIRST_LEAF_TABLE + (region === 'user' ? 0 : tables);
  const leaves = Array.from({ length: size.mapped }, (_, page) =>
    store(firstTable * PAGE_BYTES + page * entryBytes, leafOf(page, size)),
  );
  const links = Array.from({ length: tables }, (_, table) =>
    linksOf(size.paging, region, table, firstTable + table),
  ).flat();
  return [...leaves, ...links];
};

const linksOf = (paging: Paging, region: 'user' | 'kernel', table: number, page: number): readonly Step[] => {
  const { leafTableReach } = pagingSizes(paging);
  const address = (region === 'user' ? USER_BASE : KERNEL_BASE) + table * leafTableReach;
  const upper = guestEntry(page * PAGE_BYTES + UPPER_FLAGS);
  if (paging === '2-level') return everyRoot((root) => store(root + (address >>> 22) * 4, upper));
  const middle = MIDDLES[region] * PAGE_BYTES;
  const top = guestEntry(middle + TOP_FLAGS);
  return [
    store(middle + ((address >>> 21) & 0x1ff) * 8, upper),
    ...everyRoot((root) => store(root + (address >>> 30) * 8, top)),
  ];
};

const everyRoot = (make: (root: Paddr) => Step): readonly Step[] =>
  Array.from({ length: MOST_ROOTS }, (_, index) => make(rootNumber(index)));

const store = (address: number, value: ReturnType<typeof guestEntry>): Step => ({
  op: 'store',
  paddr: paddr(address),
  value,
});
