/** Hostile programs (machine.md 5): any valid step in any order, arranged so that steps meet each other. */

import type { MachineConfig, Program } from '../../model/vocabulary/index.js';
import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import { topOf } from './geometry.js';
import { HostileGuest } from './hostile-guest.js';
import { drawPool } from './pool.js';
import type { Gesture } from './swarm.js';
import { drawSwarm } from './swarm.js';

/** Hypercalls that kill a guest that makes them too early. */
const CALLS: readonly Gesture[] = [
  (guest) => guest.newPgtable(guest.root()),
  (guest) => guest.flush('all'),
  (guest) => guest.setPoolStack(1),
  (guest) => guest.setPmd(guest.draw.pick(guest.pool.leaves), 0),
  (guest) => guest.setPte(guest.root(), guest.page(), guest.leaf()),
  (guest) => guest.setPgd(guest.root(), 0),
];

/** An address that linear mode maps to RAM, or now and then to a device or to nothing. */
const linearAddress = (guest: HostileGuest): number => {
  const { guestPages, devicePages } = guest.pool.machine;
  const pages = guest.draw.bits(5) === 0 ? guestPages + devicePages + 1 : guestPages;
  return guest.draw.below(pages * PAGE_BYTES);
};

/** One step before paging. Nothing that is announced there matters, and hypercalls are left out before init. */
const linearStep = (guest: HostileGuest, initialized: boolean): void => {
  const { draw } = guest;
  const choice = draw.below(initialized ? 14 : 9);
  if (choice < 6) guest.access(linearAddress(guest), draw.bits(1) ? 'read' : 'write', draw.bits(3) ? 'kernel' : 'user');
  else if (choice === 6) guest.migrate();
  else if (choice === 7) guest.guestPa(guest.address());
  else if (choice === 8) guest.storeLeaf(guest.leaf());
  else if (choice === 9) guest.setPte(guest.root(), guest.page(), guest.leaf());
  else if (choice === 10) guest.setPgd(guest.root(), topOf(guest.geometry, guest.region()));
  else if (choice === 11) guest.flush(draw.bits(1) ? 'all' : 'user');
  else guest.setStack(draw.between(2, Math.max(2, guest.pool.machine.guestPages)) * PAGE_BYTES, draw.between(0, 1));
};

const linearSteps = (guest: HostileGuest, initialized: boolean): void => {
  for (let count = guest.draw.between(1, 8); count > 0; count--) linearStep(guest, initialized);
};

/** Up to the first `new-pgtable`: most programs build their tables, some first live in linear mode for a while. */
const openingSteps = (guest: HostileGuest): void => {
  const { draw, pool } = guest;
  const bits = draw.word();
  if ((bits & 0x7f) === 0) draw.pick(CALLS)(guest);
  if ((bits & 0x780) === 0) linearSteps(guest, false);
  guest.init(pool.kernelAddress);
  if ((bits & 0x3800) === 0) linearSteps(guest, true);
  guest.buildTables((bits & 0xc000) === 0 ? pool.roots.slice(0, 2) : pool.roots);
  if ((bits & 0x1f0000) !== 0) guest.newPgtable(pool.roots[0] ?? 0);
};

/** A program of at most `mostSteps` steps. */
export const drawHostile = (draw: Draw, machine: MachineConfig, mostSteps: number): Program => {
  const guest = new HostileGuest(draw, drawPool(draw, machine));
  const { steps } = guest;
  openingSteps(guest);
  const swarm = drawSwarm(draw);
  const room = Math.max(mostSteps - steps.length, 0);
  const target = mostSteps - Math.floor(room * draw.bits(3) * 0.125);
  while (steps.length < target) draw.pick(swarm)(guest);
  if (steps.length > target) steps.length = target;
  return { machine, steps };
};
