/**
 * A plain guest to measure on, and the mix of steps that the C of lguest was timed on. All roots of the guest map the same pages of
 * a user and a kernel region.
 */

import type { AccessStep, MachineConfig, Paddr, Paging, Program, Step } from '../../model/vocabulary/index.js';
import { guestEntry, paddr, PAGE_BYTES, pagingSizes, vaddr } from '../../model/vocabulary/index.js';
import { Draw } from '../../properties/generators/draw.js';
import { programSeed, randomFor } from '../../properties/seeds.js';

export const KERNEL_BASE = 0xc0000000;
export const USER_BASE = 0x40000000;
/** Present, writable, user, accessed and dirty, so that an access changes nothing in the guest's tables. */
export const LEAF_FLAGS = 0x67;
const UPPER_FLAGS = 0x67;
/** In PAE a top entry has no other flag. */
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

/** Any page of RAM serves as data, even a table's: accesses only translate, and never read what the page holds. */
export const leafOf = (page: number, { guestPages }: GuestSize) =>
  guestEntry((page % guestPages) * PAGE_BYTES + LEAF_FLAGS);

/** Builds the guest's tables and ends with init. Next the guest switches to a root. */
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

/** Drawn steps of a program; those that build the guest do not count. */
export const STEPS_A_PROGRAM = 100;
const MAPPED = 16;

/** Of 100 steps 6 are new-pgtable, 25 set-pte, 12 flushes and set-pgd, and the rest are accesses. The steps before them build the guest. */
export const mixedPrograms = (paging: Paging, count: number): readonly Program[] => {
  const size: GuestSize = { paging, guestPages: 64, mapped: MAPPED };
  const opening: readonly Step[] = [...openingOf(size), { op: 'new-pgtable', root: rootNumber(0), draw: 0 }];
  return Array.from({ length: count }, (_, index) => {
    const draw = new Draw(randomFor(programSeed('random-mix', index)));
    const drawn = Array.from({ length: STEPS_A_PROGRAM }, () => drawStep(draw, size));
    return { machine: machineFor(size), steps: [...opening, ...drawn] };
  });
};

const drawStep = (draw: Draw, size: GuestSize): Step => {
  const chance = draw.below(100);
  const root = rootNumber(draw.below(MOST_ROOTS));
  const region = draw.bits(1) === 0 ? 'user' : 'kernel';
  const address = pageOf(region, draw.below(MAPPED));
  if (chance < 6) return { op: 'new-pgtable', root, draw: draw.unsigned() };
  if (chance < 31) return { op: 'set-pte', root, vaddr: address, pte: leafOf(draw.below(64), size) };
  if (chance < 35) return { op: 'flush-tlb', scope: 'user' };
  if (chance < 39) return { op: 'flush-tlb', scope: 'all' };
  if (chance < 43) return { op: 'set-pgd', root, index: topIndex(size.paging, region) };
  const kind = draw.bits(1) === 0 ? 'read' : 'write';
  return { op: 'access', vaddr: vaddr(address + draw.below(4096)), kind, mode: region };
};

const topIndex = (paging: Paging, region: 'user' | 'kernel'): number =>
  Math.floor((region === 'user' ? USER_BASE : KERNEL_BASE) / pagingSizes(paging).rootEntryReach);
