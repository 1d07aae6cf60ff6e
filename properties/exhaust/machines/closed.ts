/**
 * Two machines so small that all their states are visited: behind them there is none, however long a program is. Both have a
 * user's and a kernel's address, one data page, and entries that give all rights or are absent. `tiny` has one root, a stack that
 * may be pinned, an allocation that may fail and a page that may be read-only; `pair` has two roots and none of these.
 */

import type { Paddr, Paging, Step } from '../../../model/vocabulary/index.js';
import { vaddr } from '../../../model/vocabulary/index.js';
import { FULL, RIGHTS } from '../../entry-bits.js';
import type { Kernel, SmallMachine } from './layout.js';
import {
  ADDRESSES,
  DATA_PAGES,
  FLUSHES,
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

const { first } = ADDRESSES;
const [PAGE] = DATA_PAGES;

const alphabetOf = (paging: Paging, kernel: Kernel, roots: readonly Paddr[]): readonly Step[] => {
  const last = lastAddress(paging);
  return [
    initOf(kernel, last),
    ...roots.flatMap(switchesTo),
    ...storesOfLinks(paging, roots),
    ...storesAbove(paging, roots, [entry(TABLE_PAGE, RIGHTS), ZERO]),
    ...[first, last].flatMap((address) =>
      [entry(PAGE, RIGHTS), ZERO].map((value) => storeLeaf(paging, address, value)),
    ),
    ...roots.flatMap((root) =>
      [first, last].flatMap((address) => [entry(PAGE, FULL), ZERO].map((pte) => setPte(root, address, pte))),
    ),
    ...announcementsAbove(paging, roots),
    ...FLUSHES,
    ...[first, last].flatMap(accessesTo),
    { op: 'guest-pa', vaddr: first },
  ];
};

/** What the host does, and the stack. */
const HOST: readonly Step[] = [
  { op: 'set-stack', esp: vaddr(first + 0x1000), pages: 1 },
  { op: 'set-stack', esp: vaddr(first + 0x1000), pages: 0 },
  { op: 'fail-alloc', count: 1 },
  { op: 'protect', page: PAGE, access: 'read' },
  { op: 'protect', page: PAGE, access: 'write' },
];

export const tiny = (paging: Paging, kernel: Kernel): SmallMachine => ({
  creations: creationsOf(paging, 1),
  alphabet: [...alphabetOf(paging, kernel, rootsOf(paging).slice(0, 1)), ...HOST],
  swaps: [],
});

export const pair = (paging: Paging, kernel: Kernel): SmallMachine => {
  const roots = rootsOf(paging);
  const [one, other] = roots;
  return {
    creations: creationsOf(paging, 1),
    alphabet: alphabetOf(paging, kernel, roots),
    swaps: [{ of: 'address', one, other }],
  };
};
