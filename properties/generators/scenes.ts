/** Several steps that only together come to an edge, and that a guest mostly survives. */

import { PAGE_BYTES, guestEntry } from '../../model/vocabulary/index.js';
import { A, D, FULL, RW, US } from '../entry-bits.js';
import type { HostileGuest } from './hostile-guest.js';
import { layAnyWay, layWay, mapEnd } from './ways.js';

const NARROW_FLAGS: readonly number[] = [FULL & ~RW, FULL & ~RW, FULL & ~(RW | US), FULL & ~US];
const READ_ONLY_FLAGS: readonly number[] = [
  FULL & ~RW,
  FULL & ~RW,
  FULL & ~(RW | US),
  FULL & ~(RW | A),
  FULL & ~(RW | D),
];

/** The host's memory runs out, mostly for the one step that can do without. */
export const runOutOfMemory = (guest: HostileGuest): void => {
  guest.failAlloc(guest.draw.pick([0, 1, 1, 1, 2, 3]));
  if (guest.draw.bits(3) === 0) return;
  guest.newPgtable(guest.root());
  guest.failAlloc(0);
};

/** The Launcher shares a page read-only for a while, and the guest maps it so. */
export const shareReadOnly = (guest: HostileGuest): void => {
  const page = guest.draw.pick(guest.pool.data);
  const way = layAnyWay(guest);
  guest.protect(page, 'read');
  const leaf = guestEntry(page * PAGE_BYTES + guest.draw.pick(READ_ONLY_FLAGS));
  guest.setPte(way.root, way.page, leaf);
  mapEnd(guest, way, leaf);
  if (guest.draw.bits(3) !== 0) guest.protect(page, 'write');
};

/**
 * The entry above pages in use, those of the stack among them, loses a right for as long as it takes the hypervisor to see it,
 * and has it back unannounced; the page itself may be another by then. Then the stack must be found again.
 */
export const narrowUpper = (guest: HostileGuest): void => {
  const { draw, pool } = guest;
  const stack = draw.bits(2) !== 0;
  const way = layWay(guest, stack ? pool.stackRegion : guest.region(), draw.pick(pool.slots));
  const upper = way.uppers.at(-1) ?? 0;
  if (stack) guest.setPoolStack(1);
  guest.store(upper, guestEntry(way.table * PAGE_BYTES + draw.pick(NARROW_FLAGS)));
  guest.store(way.leaf, guest.leaf());
  // Gone from the shadow, by itself or with its table: the read must look at the guest's tables.
  if (draw.bits(1) === 0) guest.setPte(way.root, way.page, guestEntry(0));
  else guest.setPgd(way.root, way.topIndex);
  guest.access(way.page, 'read', 'kernel');
  if (draw.bits(3) !== 0) guest.store(upper, guestEntry(way.table * PAGE_BYTES + FULL));
  if (draw.bits(1) === 0) guest.store(way.leaf, guest.leaf());
  if (stack) guest.setPoolStack(1);
  if (draw.bits(1) === 0) guest.setPoolStack(0);
};
