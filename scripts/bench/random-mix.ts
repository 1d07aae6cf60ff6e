/**
 * The mix of steps that the C of lguest was timed on: of 100 steps 6 are new-pgtable, 25 set-pte, 12 flushes and set-pgd, and
 * the rest are accesses.
 */

import type { Paging, Program, Step } from '../../model/vocabulary/index.js';
import { pagingSizes, vaddr } from '../../model/vocabulary/index.js';
import { Draw } from '../../properties/generators/draw.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import type { GuestSize } from './guest-tables.js';
import {
  KERNEL_BASE,
  MOST_ROOTS,
  USER_BASE,
  leafOf,
  machineFor,
  openingOf,
  pageOf,
  rootNumber,
} from './guest-tables.js';

export const STEPS_A_PROGRAM = 100;
const MAPPED = 16;

/** Programs whose first steps build the guest's tables; those are run, and not counted. */
export const mixedPrograms = (paging: Paging, count: number): readonly Program[] => {
  const size: GuestSize = { paging, guestPages: 64, mapped: MAPPED };
  const opening: readonly Step[] = [...openingOf(size), { op: 'new-pgtable', root: rootNumber(0), draw: 0 }];
  return Array.from({ length: count }, (_, index) => {
    const draw = new Draw(randomFor(programSeed('random-mix', index)));
    const drawn = Array.from({ length: STEPS_A_PROGRAM }, () => drawStep(draw, size));
    return { machine: machineFor(size), steps: [...opening, ...drawn] };
  });
};

const drawStep = (draw: Draw, size: GuestSize): Step => {
  const chance = draw.below(100);
  const root = rootNumber(draw.below(MOST_ROOTS));
  const region = draw.bits(1) === 0 ? 'user' : 'kernel';
  const address = pageOf(region, draw.below(MAPPED));
  if (chance < 6) return { op: 'new-pgtable', root, draw: draw.unsigned() };
  if (chance < 31) return { op: 'set-pte', root, vaddr: address, pte: leafOf(draw.below(64), size) };
  if (chance < 35) return { op: 'flush-tlb', scope: 'user' };
  if (chance < 39) return { op: 'flush-tlb', scope: 'all' };
  if (chance < 43) return { op: 'set-pgd', root, index: topIndex(size.paging, region) };
  const kind = draw.bits(1) === 0 ? 'read' : 'write';
  return { op: 'access', vaddr: vaddr(address + draw.below(4096)), kind, mode: region };
};

const topIndex = (paging: Paging, region: 'user' | 'kernel'): number =>
  Math.floor((region === 'user' ? USER_BASE : KERNEL_BASE) / pagingSizes(paging).rootEntryReach);
