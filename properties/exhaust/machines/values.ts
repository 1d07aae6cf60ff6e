/**
 * The machine with one root, two addresses and two host CPUs, and with all kinds of entries, stacks and protections. No allocation
 * fails here; `small` covers that.
 */

import type { GuestEntry, Paging, Step } from '../../../model/vocabulary/index.js';
import { guestEntry, vaddr } from '../../../model/vocabulary/index.js';
import { A, AVL, D, FULL, G, P, PCD, PSE, PWT, RIGHTS, RW, US } from '../../entry-bits.js';
import type { Kernel, SmallMachine } from './layout.js';
import {
  ADDRESSES,
  DATA_PAGES,
  DEVICE_PAGE,
  FLUSHES,
  MIDDLE_TABLE_PAGE,
  NO_PAGE,
  TABLE_PAGE,
  ZERO,
  accessesTo,
  announcementsAbove,
  creationsOf,
  entry,
  initOf,
  rootsOf,
  setPte,
  store,
  storeLeaf,
  storesAbove,
  switchesTo,
} from './layout.js';

/** Global, and the guest's own bits: flags that only leaves may have. */
const OWN = G | AVL;
const UNCACHED = PWT | PCD;
const { first, second } = ADDRESSES;
const [PAGE, OTHER_PAGE] = DATA_PAGES;

/** Bit 32 of a PAE entry: a page number far too large. */
const FAR = 1;
/** Bit 44, which is reserved. */
const RESERVED = 0x1000;

const only = <Value>(paging: Paging, values: readonly Value[]): readonly Value[] => (paging === 'pae' ? values : []);

const storesOf = (paging: Paging): readonly Step[] => {
  const [root] = rootsOf(paging);
  const upper = [FULL, P | RW, P | US, P, RIGHTS | OWN].map((flags) => entry(TABLE_PAGE, flags));
  const leaves = [RIGHTS, P | RW, P | US, P, P | RW | A, P | RW | D, RIGHTS | OWN | UNCACHED, RIGHTS | PSE].map(
    (flags) => entry(PAGE, flags),
  );
  const topOfPae = [
    entry(MIDDLE_TABLE_PAGE, P),
    entry(MIDDLE_TABLE_PAGE, P | RW),
    entry(MIDDLE_TABLE_PAGE, P, FAR),
    ZERO,
  ];
  return [
    ...only(paging, topOfPae).map((value) => store(root, value)),
    ...storesAbove(paging, [root], [...upper, ZERO]),
    ...[...leaves, ...only(paging, [entry(PAGE, RIGHTS, RESERVED)]), ZERO].map((value) =>
      storeLeaf(paging, first, value),
    ),
    storeLeaf(paging, second, entry(OTHER_PAGE, RIGHTS)),
  ];
};

const announcementsOf = (paging: Paging): readonly Step[] => {
  const [root] = rootsOf(paging);
  const ptes: readonly GuestEntry[] = [
    ...[FULL, P | RW | A, P | US | A | D, FULL | OWN | UNCACHED, RIGHTS].map((flags) => entry(PAGE, flags)),
    entry(DEVICE_PAGE, FULL),
    entry(NO_PAGE, FULL),
    guestEntry(A),
    ZERO,
  ];
  return [
    ...ptes.map((pte) => setPte(root, first, pte)),
    setPte(root, second, ZERO),
    ...announcementsAbove(paging, [root]),
    ...FLUSHES,
  ];
};

/** Linear mode maps `first` to page 0, so page 0's protection matters too. */
const HOST: readonly Step[] = [
  ...[0, 1].map((cpu): Step => ({ op: 'migrate', cpu })),
  ...[0, PAGE].flatMap((page) => (['none', 'write'] as const).map((access): Step => ({ op: 'protect', page, access }))),
];

export const values = (paging: Paging, kernel: Kernel): SmallMachine => ({
  creations: creationsOf(paging, 2).slice(0, 1),
  alphabet: [
    initOf(kernel, second),
    ...switchesTo(rootsOf(paging)[0]),
    ...[1, 2, 3].map((pages): Step => ({ op: 'set-stack', esp: vaddr(first + pages * 0x1000), pages })),
    ...HOST,
    ...storesOf(paging),
    ...announcementsOf(paging),
    ...accessesTo(first),
    { op: 'access', vaddr: second, kind: 'read', mode: 'user' },
    { op: 'access', vaddr: second, kind: 'write', mode: 'kernel' },
    // In linear mode the page behind the devices.
    { op: 'access', vaddr: vaddr(NO_PAGE * 4096), kind: 'read', mode: 'kernel' },
    { op: 'guest-pa', vaddr: first },
  ],
  swaps: [{ of: 'cpu', one: 0, other: 1 }],
});
