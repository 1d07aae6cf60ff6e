/**
 * The machine and the layout of a hostile program: the few roots, table pages, data pages and addresses that it uses again and again, so
 * that its steps affect each other. Several addresses share a leaf table, and several tables share a root entry.
 */

import type { MachineConfig, Paging } from '../../model/vocabulary/index.js';
import { MACHINE_BOUNDS, PAGE_BYTES } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import { drawMuchRam } from './draw.js';
import type { Geometry } from './geometry.js';
import { addressOf, geometryOf, topOf } from './geometry.js';
import { STEP_FIELDS } from './fields.js';
import { makeNearMachine, neighbourOf } from './neighbours.js';

// The machine: mostly small, so that pages are reused; sometimes at an end of its bounds.

const drawGuestPages = (draw: Draw, most: number): number => {
  const rare = draw.below(64);
  if (rare === 0) return most;
  if (rare <= 2) return draw.between(MACHINE_BOUNDS.guestPages.least, 4);
  if (rare <= 4) return draw.between(5, 15);
  if (rare <= 8) return drawMuchRam(draw, most);
  return draw.between(16, 64);
};

const drawHostCpus = (draw: Draw): number => (draw.oneIn(64) ? MACHINE_BOUNDS.hostCpus.most : draw.between(1, 4));

/**
 * Which allocation of creation fails, of two in 2-level and three in PAE. A later one leaves more to undo, so it is drawn more often; the
 * highest number is one too many, and nothing fails.
 */
const FAILURES: Readonly<Record<Paging, readonly number[]>> = { '2-level': [1, 2, 2, 2, 3], pae: [1, 2, 2, 3, 3, 4] };

/** Rare, because a program whose machine was not created tests nothing else. */
const drawFailure = (draw: Draw, paging: Paging): number => (draw.oneIn(32) ? draw.pick(FAILURES[paging]) : 0);

/** One in sixteen is a near miss. `mostPages`: of guest RAM, at least 64. */
export const drawMachine = (
  draw: Draw,
  paging: Paging,
  mostPages: number = MACHINE_BOUNDS.guestPages.most,
): MachineConfig => {
  const machine = {
    paging,
    guestPages: drawGuestPages(draw, mostPages),
    devicePages: draw.below(9),
    hostCpus: drawHostCpus(draw),
    draw: draw.unsigned(),
    failAllocation: drawFailure(draw, paging),
  };
  if (draw.bits(4) !== 0) return machine;
  makeNearMachine(draw, machine);
  machine.guestPages = Math.min(machine.guestPages, mostPages);
  return machine;
};

// The layout.

export interface HostileLayout {
  readonly machine: MachineConfig;
  readonly geometry: Geometry;
  readonly kernelAddress: number;
  /** Steps in linear mode between init and paging. */
  readonly linearSteps: number;
  /** Addresses of roots in RAM. */
  readonly roots: readonly number[];
  /** The root entries in use. */
  readonly tops: readonly number[];
  /** Pages used as middle tables; none in 2-level. */
  readonly middles: readonly number[];
  /** Pages used as leaf tables. */
  readonly leaves: readonly number[];
  /** Pages that leaves map. */
  readonly data: readonly number[];
  /** Regions below and above `kernelAddress`. */
  readonly regions: readonly number[];
  /** The entries of leaf tables in use. */
  readonly pteIndexes: readonly number[];
  /** Where the stack is mapped. Stores to random leaves leave this entry alone. */
  readonly stackRegion: number;
  readonly stackPteIndex: number;
}

const kernelTops = (geometry: Geometry): readonly number[] =>
  geometry.paging === 'pae' ? [3, 3, 3, 2, 1] : [768, 768, 768, 512, 2, 1021];

/** Mostly the border between two root entries. */
const drawKernelAddress = (draw: Draw, geometry: Geometry, machine: MachineConfig): number => {
  const border = addressOf(geometry, draw.pick(kernelTops(geometry)) << geometry.topBits, 0);
  const rare = draw.below(128);
  if (rare >= 32) return border;
  if (rare >= 28) return neighbourOf(draw, border, STEP_FIELDS.init.kernelAddress, machine);
  if (rare >= 14) return border + draw.between(1, 3) * PAGE_BYTES;
  if (rare >= 10) return border + draw.below(2 ** geometry.regionBits);
  if (rare >= 7) return border + (draw.between(1, 3) << geometry.regionBits);
  if (rare >= 4) return geometry.switcherAddress - draw.pick([1, PAGE_BYTES, PAGE_BYTES + 1, 2 ** geometry.regionBits]);
  if (rare >= 1) return 0;
  return geometry.switcherAddress + draw.pick([0, 1, PAGE_BYTES, 2 ** geometry.regionBits - 1]);
};

/** Within RAM: linear mode maps nothing else, so only there does its guest meet the kernel half. */
const drawLowKernelAddress = (draw: Draw, guestPages: number): number =>
  draw.below(Math.min(guestPages, 6)) * PAGE_BYTES + (draw.bits(2) === 0 ? draw.below(PAGE_BYTES) : 0);

/** The first is a kernel region, and holds the stack. */
const drawRegions = (draw: Draw, geometry: Geometry, kernelAddress: number): number[] => {
  const last = geometry.switcherRegion - 1;
  const kernel = Math.min(kernelAddress >>> geometry.regionBits, last);
  const regions = [kernel, draw.pick([0, 1, Math.floor(kernel / 2)])];
  if (draw.bits(1) === 0) regions.push(Math.min(kernel + 1, last));
  if (draw.bits(1) === 0) regions.push((regions[1] ?? 0) + 1);
  if (draw.bits(2) === 0) regions.push(last);
  if (draw.bits(2) === 0) regions.push(Math.max(kernel - 1, 0));
  if (draw.bits(3) === 0) regions.push(draw.below(last));
  return regions;
};

const drawPteIndexes = (draw: Draw, geometry: Geometry): number[] => {
  const first = draw.bits(3) === 0 ? draw.below(geometry.tableEntries - 4) : draw.below(3);
  const pteIndexes = [first, first + 1];
  if (draw.bits(1) === 0) pteIndexes.push(first + 3);
  if (draw.bits(2) === 0) pteIndexes.push(geometry.tableEntries - 1);
  return pteIndexes;
};

/** Allocates pages in order, starting over if the machine has too few. */
class PageRow {
  private next: number;
  private readonly pages: number;

  constructor(draw: Draw, pages: number) {
    this.pages = pages;
    const rare = draw.bits(3);
    this.next = rare === 0 ? 0 : rare === 1 ? draw.below(pages) : 1;
  }

  take(count: number): number[] {
    const taken: number[] = [];
    for (let i = 0; i < count; i++) {
      if (this.next === this.pages) this.next = 0;
      taken.push(this.next++);
    }
    return taken;
  }
}

/** Each root has a page of its own, or (PAE) they lie side by side in one. */
const drawRoots = (draw: Draw, geometry: Geometry, row: PageRow): number[] => {
  const count = draw.pick([1, 2, 2, 3, 3, 4, 5, 6]);
  if (geometry.paging === '2-level' || draw.bits(1) === 0) return row.take(count).map((page) => page * PAGE_BYTES);
  const page = row.take(1)[0] ?? 0;
  const roots: number[] = [];
  for (let i = 0; i < count; i++) roots.push(page * PAGE_BYTES + i * geometry.rootAlignment);
  return roots;
};

const distinctTops = (geometry: Geometry, regions: readonly number[]): number[] => {
  const tops: number[] = [];
  for (const region of regions) {
    const top = topOf(geometry, region);
    if (!tops.includes(top)) tops.push(top);
  }
  return tops;
};

export const drawHostileLayout = (draw: Draw, machine: MachineConfig): HostileLayout => {
  const geometry = geometryOf(machine.paging);
  const linearSteps = draw.bits(3) === 0 ? draw.between(3, 24) : 0;
  const low = linearSteps > 0 && draw.bits(1) === 0;
  const kernelAddress = low
    ? drawLowKernelAddress(draw, machine.guestPages)
    : drawKernelAddress(draw, geometry, machine);
  const regions = drawRegions(draw, geometry, kernelAddress);
  const pteIndexes = drawPteIndexes(draw, geometry);
  const row = new PageRow(draw, machine.guestPages);
  const roots = drawRoots(draw, geometry, row);
  const middles = geometry.paging === 'pae' ? row.take(draw.between(1, 2)) : [];
  const leaves = row.take(draw.between(2, 4));
  const data = row.take(draw.between(3, 8));
  // Pages with two roles: RAM's last page as data, a table that is mapped, a root that is also a leaf table, a leaf table that is also
  // a middle table.
  if (draw.bits(2) === 0) data.push(machine.guestPages - 1);
  if (draw.bits(3) === 0) data.push(draw.pick(leaves));
  if (draw.bits(6) === 0) leaves.push(Math.floor(draw.pick(roots) / PAGE_BYTES));
  if (draw.bits(6) === 0) middles.push(draw.pick(leaves));
  return {
    machine,
    geometry,
    kernelAddress,
    linearSteps,
    roots,
    tops: distinctTops(geometry, regions),
    middles,
    leaves,
    data,
    regions,
    pteIndexes,
    stackRegion: regions[0] ?? 0,
    stackPteIndex: (pteIndexes[0] ?? 0) + 2,
  };
};
