/**
 * Machines so small that all their states can be visited, and for each one the steps that may be taken: its alphabet.
 *
 *                 2-level                     PAE
 *     page 0      root A                      roots A and B, 32 bytes apart
 *     page 1      root B                      the middle table of both
 *     page 2      the leaf table of both      the leaf table of both
 *     page 3, 4   data X and Y                data X and Y
 *     page 5      a device                    a device
 *     page 6      nothing                     nothing
 *
 * Three addresses lie under the first entry of a root, in one leaf table: `first` is its first page, `device` the one that
 * linear mode maps to the device, and `last` its last page. There is one machine for each place where the kernel may begin:
 * behind them all, before the last, or before them all.
 */

import type { GuestEntry, MachineConfig, Paddr, Paging, Step, Vaddr } from '../../model/vocabulary/index.js';
import { guestEntry, paddr, pagingSizes, switcherRegistersAddress, vaddr } from '../../model/vocabulary/index.js';
import type { Swap } from './state-key.js';

/** There is one so far; it has a variant for each paging mode and `Kernel`. */
export const SMALL_MACHINES = ['small'] as const;

/** Where the kernel begins: `above` the three addresses, `between` them, or `below`. */
export const KERNELS = ['above', 'between', 'below'] as const;
export type Kernel = (typeof KERNELS)[number];

export interface SmallMachine {
  /** Every way to create it. */
  readonly creations: readonly MachineConfig[];
  /**
   * The steps that may be taken. With a step they have every other that `swaps`, or other names for slots, make of it; but for
   * those that kill whatever they name.
   */
  readonly alphabet: readonly Step[];
  readonly swaps: readonly Swap[];
}

const [P, RW, US, A, D, PSE] = [0x1, 0x2, 0x4, 0x20, 0x40, 0x80] as const;
const FULL = P | RW | US;

const TABLE_PAGE = 2;
const DATA_PAGES = [3, 4] as const;
const DEVICE_PAGE = 5;
const NO_PAGE = 6;

interface Layout {
  readonly paging: Paging;
  readonly roots: readonly Paddr[];
  readonly first: Vaddr;
  readonly device: Vaddr;
  readonly last: Vaddr;
}

const layoutOf = (paging: Paging): Layout => ({
  paging,
  roots: paging === 'pae' ? [paddr(0), paddr(0x20)] : [paddr(0), paddr(0x1000)],
  first: vaddr(0),
  device: vaddr(DEVICE_PAGE * 4096 + 4),
  last: vaddr((pagingSizes(paging).tableEntries - 1) * 4096),
});

const entry = (page: number, flags: number, high = 0): GuestEntry => guestEntry(page * 4096 + flags, high);
const ZERO = guestEntry(0);

const store = (address: number, value: GuestEntry): Step => ({ op: 'store', paddr: paddr(address), value });

/** The entry above the leaf table, with all rights, with none, large, and not at all. */
const UPPER = [entry(TABLE_PAGE, FULL), entry(TABLE_PAGE, P), entry(TABLE_PAGE, FULL | PSE), ZERO];

const storesOf = ({ paging, roots, first, device, last }: Layout): Step[] => {
  const leaf = (address: Vaddr): number =>
    TABLE_PAGE * 4096 + ((address >>> 12) % pagingSizes(paging).tableEntries) * pagingSizes(paging).entryBytes;
  const data = (flags: number): GuestEntry[] => DATA_PAGES.map((page) => entry(page, flags));
  const upper =
    paging === 'pae'
      ? [
          ...roots.flatMap((root) => [store(root, entry(1, P)), store(root, ZERO)]),
          ...[...UPPER, entry(TABLE_PAGE, FULL, 1)].map((value) => store(0x1000, value)),
        ]
      : roots.flatMap((root) => UPPER.map((value) => store(root, value)));
  const rich = [...data(FULL), ...data(P | US | D), entry(DEVICE_PAGE, FULL), entry(NO_PAGE, FULL), ZERO];
  // Bit 32 belongs to the page number, bit 44 is reserved.
  if (paging === 'pae') rich.push(entry(TABLE_PAGE, FULL, 1), entry(TABLE_PAGE, FULL, 0x1000));
  return [
    ...upper,
    ...rich.map((value) => store(leaf(first), value)),
    ...data(FULL).map((value) => store(leaf(device), value)),
    ...data(FULL).map((value) => store(leaf(last), value)),
  ];
};

const announcementsOf = ({ paging, roots, first, last }: Layout): Step[] => {
  const data = (flags: number): GuestEntry[] => DATA_PAGES.map((page) => entry(page, flags));
  const setPte = (root: Paddr, vaddr: Vaddr, pte: GuestEntry): Step => ({ op: 'set-pte', root, vaddr, pte });
  const rich = [
    ZERO,
    ...data(FULL | A | D),
    ...data(FULL | A),
    ...data(FULL | D),
    ...data(A),
    // Kills wherever there is a table, so that one page will do.
    entry(TABLE_PAGE, FULL | A | PSE),
  ];
  const { rootEntries, switcherAddress } = pagingSizes(paging);
  return [
    ...roots.flatMap((root) => rich.map((pte) => setPte(root, first, pte))),
    ...roots.flatMap((root) => [ZERO, ...data(FULL | A | D)].map((pte) => setPte(root, last, pte))),
    ...roots.flatMap((root) => [0, rootEntries - 1].map((index): Step => ({ op: 'set-pgd', root, index }))),
    // These kill before they look at the root.
    setPte(roots[0], switcherAddress, ZERO),
    { op: 'set-pgd', root: roots[0], index: rootEntries },
    ...(paging === 'pae' ? [{ op: 'set-pmd', pmd: paddr(0x1000), index: 0 } as const] : []),
    { op: 'flush-tlb', scope: 'user' },
    { op: 'flush-tlb', scope: 'all' },
  ];
};

const callsOf = ({ paging, roots, first, last }: Layout, kernel: Kernel): Step[] => [
  { op: 'init', kernelAddress: { above: vaddr(0xc0000000), between: last, below: first }[kernel] },
  ...roots.flatMap((root) => [0, 1, 2, 3].map((draw): Step => ({ op: 'new-pgtable', root, draw }))),
  { op: 'set-stack', esp: vaddr(first + 0x1000), pages: 1 },
  { op: 'set-stack', esp: vaddr(first + 0x1000), pages: 0 },
  { op: 'set-stack', esp: vaddr(switcherRegistersAddress(paging, 0) + 0x1000), pages: 1 },
  { op: 'fail-alloc', count: 1 },
  ...DATA_PAGES.flatMap((page) => [
    { op: 'protect', page, access: 'read' } as const,
    { op: 'protect', page, access: 'write' } as const,
  ]),
];

const accessesOf = ({ first, device, last }: Layout): Step[] => [
  ...[first, device, last].flatMap((address) =>
    (['read', 'write'] as const).flatMap((kind) =>
      (['user', 'kernel'] as const).map((mode): Step => ({ op: 'access', vaddr: address, kind, mode })),
    ),
  ),
  { op: 'guest-pa', vaddr: first },
];

export const smallMachine = (paging: Paging, kernel: Kernel): SmallMachine => {
  const layout = layoutOf(paging);
  const machine: MachineConfig = {
    paging,
    guestPages: DEVICE_PAGE,
    devicePages: 1,
    hostCpus: 1,
    draw: 0,
    failAllocation: 0,
  };
  const failures = paging === 'pae' ? [0, 1, 2, 3] : [0, 1, 2];
  return {
    creations: failures.map((failAllocation) => ({ ...machine, failAllocation })),
    alphabet: [...callsOf(layout, kernel), ...storesOf(layout), ...announcementsOf(layout), ...accessesOf(layout)],
    swaps: [
      { of: 'page', one: DATA_PAGES[0], other: DATA_PAGES[1] },
      { of: 'address', one: layout.roots[0], other: layout.roots[1] },
    ],
  };
};
