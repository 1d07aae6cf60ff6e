/**
 * The walk path to an address: the entries that a walk from the current root reads, down to the leaf. A hostile guest does not track its
 * tables, so a sequence that depends on a walk stores its path first.
 */

import { PAGE_BYTES, guestEntry } from '../../model/vocabulary/index.js';
import type { GuestEntry } from '../../model/vocabulary/index.js';
import { FULL, P } from '../entry-bits.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';
import type { HostileGuest } from './hostile-guest.js';

export interface WalkPath {
  /** The root that the guest runs on, and the index of its entry on the path. */
  readonly root: number;
  readonly topIndex: number;
  /** Addresses of the upper entries in guest RAM, root first; the last one names the leaf table. */
  readonly uppers: readonly number[];
  /** The leaf table's page, and the leaf's address in guest RAM. */
  readonly table: number;
  readonly leaf: number;
  /** The first virtual address of the page that the path translates. */
  readonly page: number;
}

/** The root that the guest runs on. If it has none, or one outside RAM, the guest first switches to a root of the layout. */
const rootInUse = (guest: HostileGuest): number => {
  const { currentRoot, layout } = guest;
  if (currentRoot !== undefined && layout.roots.includes(currentRoot)) return currentRoot;
  const root = guest.root();
  guest.newPgtable(root);
  return root;
};

/** Stores all entries above the leaf, with all rights. */
export const layPath = (guest: HostileGuest, region: number, pteIndex: number): WalkPath => {
  const { geometry, draw, layout } = guest;
  const root = rootInUse(guest);
  const table = draw.pick(layout.leaves);
  const topIndex = topOf(geometry, region);
  const uppers = [root + topIndex * geometry.entryBytes];
  if (geometry.paging === 'pae') {
    const middle = draw.pick(layout.middles);
    guest.store(uppers[0] ?? 0, guestEntry(middle * PAGE_BYTES + P));
    uppers.push(entryAddress(geometry, middle, middleOf(geometry, region)));
  }
  guest.store(uppers.at(-1) ?? 0, guestEntry(table * PAGE_BYTES + FULL));
  const leaf = entryAddress(geometry, table, pteIndex);
  return { root, topIndex, uppers, table, leaf, page: addressOf(geometry, region, pteIndex) };
};

/** Stores a path to a page of the layout. */
export const layAnyPath = (guest: HostileGuest): WalkPath =>
  layPath(guest, guest.region(), guest.draw.pick(guest.layout.pteIndexes));

/** Makes the shadow drop what it has of the path, so that the next access walks it. */
export const forgetPath = (guest: HostileGuest, { root, topIndex }: WalkPath): void => {
  if (guest.draw.bits(2) === 0) guest.flush('all');
  else guest.setPgd(root, topIndex);
};

/** Touches the page at the end of a path with the access that needs the fewest rights. */
export const readEnd = (guest: HostileGuest, { page }: WalkPath): void => guest.access(page, 'read', 'kernel');

/** Stores a leaf at the end of a path, and makes the shadow map it. */
export const mapEnd = (guest: HostileGuest, path: WalkPath, leaf: GuestEntry): void => {
  guest.store(path.leaf, leaf);
  forgetPath(guest, path);
  readEnd(guest, path);
};
