/** What a hostile guest does in linear mode (machine.md 2): it touches a few of its pages again and again. */

import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import { topOf } from './geometry.js';
import type { HostileGuest } from './hostile-guest.js';

/**
 * An address that linear mode maps to a page of the pool, or now and then to any page of RAM, to a device or to nothing, or that is
 * the Switcher's.
 */
const linearAddress = (guest: HostileGuest): number => {
  const { draw, pool, geometry } = guest;
  const { guestPages, devicePages } = pool.machine;
  if (draw.bits(3) !== 0) return draw.pick(pool.data) * PAGE_BYTES + draw.below(PAGE_BYTES);
  if (draw.bits(4) === 0) return geometry.switcherAddress + draw.below(8 * PAGE_BYTES);
  const pages = draw.bits(3) === 0 ? guestPages + devicePages + 1 : guestPages;
  return draw.below(pages * PAGE_BYTES);
};

/** Nothing that is announced there matters, and hypercalls are left out before init. */
const linearStep = (guest: HostileGuest, initialized: boolean): void => {
  const { draw } = guest;
  const choice = draw.below(initialized ? 15 : 9);
  if (choice < 6) guest.access(linearAddress(guest), draw.bits(1) ? 'read' : 'write', draw.bits(3) ? 'kernel' : 'user');
  else if (choice === 6) guest.migrate();
  else if (choice === 7) guest.guestPa(guest.address());
  else if (choice === 8) guest.storeLeaf(guest.leaf());
  else if (choice <= 10) guest.setPte(guest.root(), linearAddress(guest), guest.leaf());
  else if (choice === 11) guest.setPgd(guest.root(), topOf(guest.geometry, guest.region()));
  else if (choice === 12) guest.flush(draw.bits(1) ? 'all' : 'user');
  else guest.setStack(draw.between(2, Math.max(2, guest.pool.machine.guestPages)) * PAGE_BYTES, draw.between(0, 1));
};

export const liveLinear = (guest: HostileGuest, initialized: boolean, steps: number): void => {
  for (let count = steps; count > 0; count--) linearStep(guest, initialized);
};
