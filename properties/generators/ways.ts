/**
 * The way to an address: each entry that a walk of the current root reads before it comes to the leaf. A hostile guest keeps no
 * books of its tables, so what is to be met for certain has its way laid first.
 */

import { PAGE_BYTES, guestEntry } from '../../model/vocabulary/index.js';
import type { GuestEntry } from '../../model/vocabulary/index.js';
import { FULL, P } from '../entry-bits.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';
import type { HostileGuest } from './hostile-guest.js';

export interface Way {
  /** The root that the guest runs on, and its entry on the way. */
  readonly root: number;
  readonly topIndex: number;
  /** Where the entries lie in guest RAM, root first; the last one names the leaf table. */
  readonly uppers: readonly number[];
  /** The leaf table's page, and where in guest RAM the leaf lies. */
  readonly table: number;
  readonly leaf: number;
  /** First address of the page that the way leads to. */
  readonly page: number;
}

/** The root that the guest runs on. A guest without paging, or with a root outside RAM, first switches to one of the pool. */
const rootInUse = (guest: HostileGuest): number => {
  const { currentRoot, pool } = guest;
  if (currentRoot !== undefined && pool.roots.includes(currentRoot)) return currentRoot;
  const root = guest.root();
  guest.newPgtable(root);
  return root;
};

/** Stores all entries above the leaf, with every right. */
export const layWay = (guest: HostileGuest, region: number, slot: number): Way => {
  const { geometry, draw, pool } = guest;
  const root = rootInUse(guest);
  const table = draw.pick(pool.leaves);
  const topIndex = topOf(geometry, region);
  const uppers = [root + topIndex * geometry.entryBytes];
  if (geometry.paging === 'pae') {
    const middle = draw.pick(pool.middles);
    guest.store(uppers[0] ?? 0, guestEntry(middle * PAGE_BYTES + P));
    uppers.push(entryAddress(geometry, middle, middleOf(geometry, region)));
  }
  guest.store(uppers.at(-1) ?? 0, guestEntry(table * PAGE_BYTES + FULL));
  const leaf = entryAddress(geometry, table, slot);
  return { root, topIndex, uppers, table, leaf, page: addressOf(geometry, region, slot) };
};

/** A way to a page of the pool. */
export const layAnyWay = (guest: HostileGuest): Way => layWay(guest, guest.region(), guest.draw.pick(guest.pool.slots));

/** The shadow loses what it has on the way, so that the next access walks it. */
export const forgetWay = (guest: HostileGuest, { root, topIndex }: Way): void => {
  if (guest.draw.bits(2) === 0) guest.flush('all');
  else guest.setPgd(root, topIndex);
};

/** Touches the end of a way in the manner that asks for the fewest rights. */
export const readEnd = (guest: HostileGuest, { page }: Way): void => guest.access(page, 'read', 'kernel');

/** Lays a way to this leaf, and has it in the shadow too. */
export const mapEnd = (guest: HostileGuest, way: Way, leaf: GuestEntry): void => {
  guest.store(way.leaf, leaf);
  forgetWay(guest, way);
  readEnd(guest, way);
};
