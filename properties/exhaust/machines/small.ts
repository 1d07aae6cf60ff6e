/** The machine of two roots, three addresses and two data pages, with a few values for each entry. */

import type { GuestEntry, Paging, Step } from '../../../model/vocabulary/index.js';
import { pagingSizes, switcherRegistersAddress, vaddr } from '../../../model/vocabulary/index.js';
import { A, D, FULL, P, PSE, RIGHTS, US } from '../../entry-bits.js';
import type { Kernel, SmallMachine } from './layout.js';
import {
  ADDRESSES,
  DATA_PAGES,
  DEVICE_PAGE,
  FLUSHES,
  NO_PAGE,
  TABLE_PAGE,
  ZERO,
  accessesTo,
  announcementsAbove,
  creationsOf,
  entry,
  initOf,
  lastAddress,
  rootsOf,
  setPte,
  storeLeaf,
  storesAbove,
  storesOfLinks,
  switchesTo,
} from './layout.js';

const { first, device } = ADDRESSES;

const data = (flags: number): readonly GuestEntry[] => DATA_PAGES.map((page) => entry(page, flags));

/** The entry above the leaf table, with all rights, with none, large, and not at all. */
const UPPER = [entry(TABLE_PAGE, RIGHTS), entry(TABLE_PAGE, P), entry(TABLE_PAGE, RIGHTS | PSE), ZERO];

const storesOf = (paging: Paging): readonly Step[] => {
  const roots = rootsOf(paging);
  const rich = [...data(RIGHTS), ...data(P | US | D), entry(DEVICE_PAGE, RIGHTS), entry(NO_PAGE, RIGHTS), ZERO];
  // Bit 32 belongs to the page number, bit 44 is reserved.
  if (paging === 'pae') rich.push(entry(TABLE_PAGE, RIGHTS, 1), entry(TABLE_PAGE, RIGHTS, 0x1000));
  const upper = paging === 'pae' ? [...UPPER, entry(TABLE_PAGE, RIGHTS, 1)] : UPPER;
  return [
    ...storesOfLinks(paging, roots),
    ...storesAbove(paging, roots, upper),
    ...rich.map((value) => storeLeaf(paging, first, value)),
    ...data(RIGHTS).map((value) => storeLeaf(paging, device, value)),
    ...data(RIGHTS).map((value) => storeLeaf(paging, lastAddress(paging), value)),
  ];
};

const announcementsOf = (paging: Paging): readonly Step[] => {
  const roots = rootsOf(paging);
  const rich = [
    ZERO,
    ...data(FULL),
    ...data(RIGHTS | A),
    ...data(RIGHTS | D),
    ...data(A),
    // Kills wherever there is a table, so that one page will do.
    entry(TABLE_PAGE, RIGHTS | A | PSE),
  ];
  const { rootEntries, switcherAddress } = pagingSizes(paging);
  return [
    ...roots.flatMap((root) => rich.map((pte) => setPte(root, first, pte))),
    ...roots.flatMap((root) => [ZERO, ...data(FULL)].map((pte) => setPte(root, lastAddress(paging), pte))),
    ...announcementsAbove(paging, roots),
    // These kill before they look at the root.
    setPte(roots[0], switcherAddress, ZERO),
    { op: 'set-pgd', root: roots[0], index: rootEntries },
    ...FLUSHES,
  ];
};

const callsOf = (paging: Paging, kernel: Kernel): readonly Step[] => [
  initOf(kernel, lastAddress(paging)),
  ...rootsOf(paging).flatMap(switchesTo),
  { op: 'set-stack', esp: vaddr(first + 0x1000), pages: 1 },
  { op: 'set-stack', esp: vaddr(first + 0x1000), pages: 0 },
  { op: 'set-stack', esp: vaddr(switcherRegistersAddress(paging, 0) + 0x1000), pages: 1 },
  { op: 'fail-alloc', count: 1 },
  ...DATA_PAGES.flatMap((page) => [
    { op: 'protect', page, access: 'read' } as const,
    { op: 'protect', page, access: 'write' } as const,
  ]),
];

export const small = (paging: Paging, kernel: Kernel): SmallMachine => {
  const [one, other] = rootsOf(paging);
  return {
    creations: creationsOf(paging, 1),
    alphabet: [
      ...callsOf(paging, kernel),
      ...storesOf(paging),
      ...announcementsOf(paging),
      ...[first, device, lastAddress(paging)].flatMap(accessesTo),
      { op: 'guest-pa', vaddr: first },
    ],
    swaps: [
      { of: 'page', one: DATA_PAGES[0], other: DATA_PAGES[1] },
      { of: 'address', one, other },
    ],
  };
};
