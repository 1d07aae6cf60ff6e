/**
 * What a hostile program keeps coming back to: a few roots, table pages, data pages and addresses, so that its steps meet
 * each other. Several addresses share a leaf table, and several tables share a root entry.
 */

import type { MachineConfig } from '../../model/vocabulary/index.js';
import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import type { Geometry } from './geometry.js';
import { addressOf, geometryOf, topOf } from './geometry.js';

export interface Pool {
  readonly machine: MachineConfig;
  readonly geometry: Geometry;
  readonly kernelAddress: number;
  /** Steps in linear mode between init and paging. */
  readonly linearSteps: number;
  /** Addresses of roots in RAM. */
  readonly roots: readonly number[];
  /** Root entries that are in use. */
  readonly tops: readonly number[];
  /** Pages used as middle tables; none in 2-level. */
  readonly middles: readonly number[];
  /** Pages used as leaf tables. */
  readonly leaves: readonly number[];
  /** Pages that leaves map. */
  readonly data: readonly number[];
  /** Regions below and above kernelAddress. */
  readonly regions: readonly number[];
  /** Entries of leaf tables that are in use. */
  readonly slots: readonly number[];
  /** The region and the slot that hold the stack; stores leave that slot alone. */
  readonly stackRegion: number;
  readonly stackSlot: number;
}

const kernelTops = (geometry: Geometry): readonly number[] =>
  geometry.paging === 'pae' ? [3, 3, 3, 2, 1] : [768, 768, 768, 512, 2, 1021];

/** Mostly a border between two root entries. */
const drawKernelAddress = (draw: Draw, geometry: Geometry): number => {
  const border = addressOf(geometry, draw.pick(kernelTops(geometry)) << geometry.topBits, 0);
  const rare = draw.below(128);
  if (rare >= 28) return border;
  if (rare >= 14) return border + draw.between(1, 3) * PAGE_BYTES;
  if (rare >= 10) return border + draw.below(2 ** geometry.regionBits);
  if (rare >= 7) return border + (draw.between(1, 3) << geometry.regionBits);
  if (rare >= 4) return geometry.switcherAddress - draw.pick([1, PAGE_BYTES, PAGE_BYTES + 1, 2 ** geometry.regionBits]);
  if (rare >= 1) return 0;
  return geometry.switcherAddress + draw.pick([0, 1, PAGE_BYTES, 2 ** geometry.regionBits - 1]);
};

/** Linear mode reaches nothing but RAM: only there would its guest meet a kernel half. */
const drawLowKernelAddress = (draw: Draw, guestPages: number): number =>
  draw.below(Math.min(guestPages, 6)) * PAGE_BYTES + (draw.bits(2) === 0 ? draw.below(PAGE_BYTES) : 0);

/** The first is a kernel region; the stack lives there. */
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

const drawSlots = (draw: Draw, geometry: Geometry): number[] => {
  const first = draw.bits(3) === 0 ? draw.below(geometry.tableEntries - 4) : draw.below(3);
  const slots = [first, first + 1];
  if (draw.bits(1) === 0) slots.push(first + 3);
  if (draw.bits(2) === 0) slots.push(geometry.tableEntries - 1);
  return slots;
};

/** Hands out pages one after the other, round and round in a machine that has too few. */
class PageRow {
  private next: number;
  private readonly pages: number;

  constructor(draw: Draw, pages: number) {
    this.pages = pages;
    this.next = draw.bits(3) === 0 ? 0 : 1;
  }

  take(count: number): number[] {
    const taken: number[] = [];
    for (let i = 0; i < count; i++) taken.push(this.next++ % this.pages);
    return taken;
  }
}

/** Roots fill pages of their own, or (PAE) lie side by side in one. */
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

export const drawPool = (draw: Draw, machine: MachineConfig): Pool => {
  const geometry = geometryOf(machine.paging);
  const linearSteps = draw.bits(3) === 0 ? draw.between(3, 24) : 0;
  const low = linearSteps > 0 && draw.bits(1) === 0;
  const kernelAddress = low ? drawLowKernelAddress(draw, machine.guestPages) : drawKernelAddress(draw, geometry);
  const regions = drawRegions(draw, geometry, kernelAddress);
  const slots = drawSlots(draw, geometry);
  const row = new PageRow(draw, machine.guestPages);
  const roots = drawRoots(draw, geometry, row);
  const middles = geometry.paging === 'pae' ? row.take(draw.between(1, 2)) : [];
  const leaves = row.take(draw.between(2, 4));
  const data = row.take(draw.between(3, 8));
  // Pages with two lives: data that is the last page of RAM, a table that is mapped, a table that contains itself, a root
  // that is a leaf table too.
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
    slots,
    stackRegion: regions[0] ?? 0,
    stackSlot: (slots[0] ?? 0) + 2,
  };
};
