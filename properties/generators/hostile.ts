/** Hostile programs (machine.md 5): any valid step in any order, arranged so that steps meet each other. */

import type { MachineConfig, Program } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import { ENDING_STEPS, dieOfBlankSlot, endProgram } from './endings.js';
import { HostileGuest } from './hostile-guest.js';
import { liveLinear } from './linear-life.js';
import { drawPool } from './pool.js';
import type { Mixture } from './mixture.js';
import type { Gesture } from './swarm.js';
import { drawGestures } from './swarm.js';

/** Hypercalls that kill a guest that makes them too early. */
const CALLS: readonly Gesture[] = [
  (guest) => guest.newPgtable(guest.root()),
  (guest) => guest.flush('all'),
  (guest) => guest.setPoolStack(1),
  (guest) => guest.setPmd(guest.draw.pick(guest.pool.leaves), 0),
  (guest) => guest.setPte(guest.root(), guest.page(), guest.leaf()),
  (guest) => guest.setPgd(guest.root(), 0),
];

/** Deadly, so that the guest first has a life to lose; whatever it calls afterwards is not heard. */
const callTooEarly: Gesture = (guest) => {
  liveLinear(guest, false, guest.draw.between(10, 16));
  for (let calls = 0; calls < 3; calls++) guest.draw.pick(CALLS)(guest);
};

/** Up to the first `new-pgtable`: most programs build their tables, some first live in linear mode for a while. */
const openingSteps = (guest: HostileGuest): void => {
  const { draw, pool } = guest;
  const bits = draw.word();
  if ((bits & 0x3f) === 0) callTooEarly(guest);
  if ((bits & 0x780) === 0) liveLinear(guest, false, draw.between(1, 8));
  // The Switcher must be mapped anew.
  if ((bits & 0xfe00000) === 0) guest.failAlloc(1);
  guest.init(pool.kernelAddress);
  liveLinear(guest, true, pool.linearSteps);
  guest.buildTables((bits & 0xc000) === 0 ? pool.roots.slice(0, 2) : pool.roots);
  if ((bits & 0x1f0000) !== 0) guest.newPgtable(pool.roots[0] ?? 0);
  if ((bits & 0x3800000) === 0x800000 && draw.bits(2) === 0) dieOfBlankSlot(guest);
};

/** A guest that never leaves linear mode. */
const linearProgram = (guest: HostileGuest, mostSteps: number): Program => {
  const { draw, pool, steps } = guest;
  guest.init(pool.kernelAddress);
  liveLinear(guest, true, draw.between(1, Math.min(mostSteps, 64) - 1));
  return { machine: pool.machine, steps };
};

/** A program of at most `mostSteps` steps, the last few of which are its ending. */
export const drawHostile = (draw: Draw, machine: MachineConfig, mostSteps: number, mixture: Mixture): Program => {
  const guest = new HostileGuest(draw, drawPool(draw, machine));
  const { steps } = guest;
  if (draw.bits(7) === 0) return linearProgram(guest, mostSteps);
  openingSteps(guest);
  const gestures = drawGestures(draw, mixture);
  const room = Math.max(mostSteps - steps.length, 0);
  const target = mostSteps - Math.floor(room * draw.bits(3) * 0.125);
  while (steps.length < target - ENDING_STEPS) draw.pick(gestures)(guest);
  endProgram(guest);
  if (steps.length > mostSteps) steps.length = mostSteps;
  return { machine, steps };
};
