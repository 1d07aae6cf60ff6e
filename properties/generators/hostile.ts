/** Hostile programs (machine.md 5): any valid steps in any order, arranged so that they affect each other. */

import type { MachineConfig, Program } from '../../model/vocabulary/index.js';
import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import { MOST_FATAL_STEPS, spoiltStackInBlankSlot, tryToDie } from './fatal-sequences.js';
import { topOf } from './geometry.js';
import { HostileGuest } from './hostile-guest.js';
import { drawHostileLayout } from './hostile-layout.js';
import type { Mixture } from './case.js';
import { makeNearMisses } from './neighbours.js';
import { repeatOneThing } from './sequences.js';
import type { Action } from './swarm.js';
import { drawActions } from './swarm.js';

// Linear mode (machine.md 2): the guest touches a few of its pages again and again.

/** Mostly in a page of the layout; sometimes anywhere in RAM, in or past the devices, or in the Switcher's window. */
const linearAddress = (guest: HostileGuest): number => {
  const { draw, layout, geometry } = guest;
  const { guestPages, devicePages } = layout.machine;
  if (draw.bits(3) !== 0) return draw.pick(layout.data) * PAGE_BYTES + draw.below(PAGE_BYTES);
  if (draw.bits(4) === 0) return geometry.switcherAddress + draw.below(8 * PAGE_BYTES);
  const pages = draw.bits(3) === 0 ? guestPages + devicePages + 1 : guestPages;
  return draw.below(pages * PAGE_BYTES);
};

/** A step in linear mode. Announcements have no effect there, and before `init` hypercalls are left out because they kill. */
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
  else guest.setStack(draw.between(2, Math.max(2, guest.layout.machine.guestPages)) * PAGE_BYTES, draw.between(0, 1));
};

const liveLinear = (guest: HostileGuest, initialized: boolean, steps: number): void => {
  for (let count = steps; count > 0; count--) linearStep(guest, initialized);
};

// Whole programs.

/** Hypercalls that kill a guest before `init`. */
const CALLS: readonly Action[] = [
  (guest) => guest.newPgtable(guest.root()),
  (guest) => guest.flush('all'),
  (guest) => guest.setUsualStack(1),
  (guest) => guest.setPmd(guest.draw.pick(guest.layout.leaves), 0),
  (guest) => guest.setPte(guest.root(), guest.announcedAddress(), guest.leaf()),
  (guest) => guest.setPgd(guest.root(), 0),
];

/** Deadly, so the guest runs for a while first. All calls but the first find it dead. */
const callTooEarly: Action = (guest) => {
  liveLinear(guest, false, guest.draw.between(10, 16));
  for (let calls = 0; calls < 3; calls++) guest.draw.pick(CALLS)(guest);
};

/** The steps up to the first `new-pgtable`: most programs build their tables at once, some run in linear mode for a while. */
const openingSteps = (guest: HostileGuest): void => {
  const { draw, layout } = guest;
  const bits = draw.word();
  if ((bits & 0x3f) === 0) callTooEarly(guest);
  if ((bits & 0x780) === 0) liveLinear(guest, false, draw.between(1, 8));
  // `init` clears everything, so the hypervisor has to allocate tables for the Switcher again.
  if ((bits & 0xfe00000) === 0) guest.failAlloc(1);
  guest.init(layout.kernelAddress);
  liveLinear(guest, true, layout.linearSteps);
  guest.buildTables((bits & 0xc000) === 0 ? layout.roots.slice(0, 2) : layout.roots);
  if ((bits & 0x1f0000) !== 0) guest.newPgtable(layout.roots[0] ?? 0);
  if ((bits & 0x3800000) === 0x800000 && draw.bits(2) === 0) spoiltStackInBlankSlot(guest);
};

/** A guest that never leaves linear mode. */
const linearProgram = (guest: HostileGuest, mostSteps: number): Program => {
  const { draw, layout, steps } = guest;
  guest.init(layout.kernelAddress);
  liveLinear(guest, true, draw.between(1, Math.min(mostSteps, 64) - 1));
  return { machine: layout.machine, steps };
};

interface HostileOptions {
  readonly mostSteps: number;
  readonly mixture: Mixture;
  /** All guests stay in linear mode. */
  readonly isLinear: boolean;
}

/** A program of at most `mostSteps` steps, the last few of which mostly try to kill it. */
export const drawHostile = (
  draw: Draw,
  machine: MachineConfig,
  { mostSteps, mixture, isLinear }: HostileOptions,
): Program => {
  const guest = new HostileGuest(draw, drawHostileLayout(draw, machine));
  const { steps } = guest;
  if (isLinear || draw.bits(7) === 0) return linearProgram(guest, mostSteps);
  openingSteps(guest);
  if (draw.bits(3) === 0) repeatOneThing(guest, mostSteps);
  const actions = drawActions(draw, mixture, mostSteps);
  const room = Math.max(mostSteps - steps.length, 0);
  const target = mostSteps - Math.floor(room * draw.bits(3) * 0.125);
  while (steps.length < target - MOST_FATAL_STEPS) draw.pick(actions)(guest);
  tryToDie(guest);
  if (steps.length > mostSteps) steps.length = mostSteps;
  if (draw.bits(3) === 0) makeNearMisses(draw, steps, machine);
  return { machine, steps };
};
