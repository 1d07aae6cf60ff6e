/**
 * Where a coherent guest keeps what: which pages are roots, middle tables, leaf tables and data for good (rule 3 of
 * machine.md 5), and which addresses it uses. The kernel half begins at a root entry's border.
 */

import type { MachineConfig, Paging } from '../../model/vocabulary/index.js';
import { MACHINE_BOUNDS, PAGE_BYTES } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import type { Geometry } from './geometry.js';
import { addressOf, geometryOf, topOf } from './geometry.js';

export interface CoherentLayout {
  readonly machine: MachineConfig;
  readonly geometry: Geometry;
  readonly kernelAddress: number;
  readonly userRegions: readonly number[];
  /** The first holds the stack. */
  readonly kernelRegions: readonly number[];
  /** Root entries that cover the user regions, and the kernel's. */
  readonly userTops: readonly number[];
  readonly kernelTops: readonly number[];
  /** Entries of a leaf table that the guest uses. */
  readonly slots: readonly number[];
  /** The lower one of the two stack pages, in the first kernel region only. */
  readonly stackSlot: number;
  /** Addresses that may become roots. */
  readonly roots: readonly number[];
  /** PAE: the middle tables of the kernel, one a kernel top, then those of each root, one a user top. */
  readonly firstMiddle: number;
  /** Leaf tables fill the pages from here on. */
  readonly firstLeaf: number;
  readonly leafTables: number;
  /** Data pages run from here to the end of RAM. */
  readonly firstData: number;
  /** Steps in linear mode before paging. */
  readonly linearSteps: number;
  /** What linear mode touches, and what the first tables hold. */
  readonly bits: number;
}

const drawKernelTop = (draw: Draw, paging: Paging): number =>
  draw.pick(paging === 'pae' ? [3, 3, 3, 2, 1] : [768, 768, 768, 512, 1021, 2]);

const drawUserRegions = (draw: Draw, kernelRegion: number): number[] => {
  const regions = [draw.pick([0, 0, 1])];
  if (draw.bits(2) !== 0) regions.push((regions[0] ?? 0) + 1);
  if (draw.bits(1) === 0 && kernelRegion > 4) regions.push(draw.pick([kernelRegion - 1, kernelRegion >>> 1]));
  return regions.filter((region) => region < kernelRegion);
};

const drawKernelRegions = (draw: Draw, geometry: Geometry, kernelRegion: number): number[] => {
  const last = geometry.switcherRegion - 1;
  const regions = [kernelRegion];
  if (draw.bits(1) === 0 && kernelRegion + 1 < last) regions.push(kernelRegion + 1);
  if (draw.bits(1) === 0 && last > kernelRegion) regions.push(last);
  return regions;
};

const topsOf = (geometry: Geometry, regions: readonly number[]): number[] => [
  ...new Set(regions.map((region) => topOf(geometry, region))),
];

const drawSlots = (draw: Draw, geometry: Geometry, stackSlot: number): number[] => {
  const slots = [draw.pick([0, 0, 1, stackSlot - 1])];
  if (draw.bits(2) !== 0) slots.push(stackSlot + 2);
  if (draw.bits(1) === 0) slots.push(stackSlot + 3);
  if (draw.bits(2) === 0) slots.push(geometry.tableEntries - 1);
  return slots;
};

/** Roots fill a page each, or (PAE) lie side by side in one. */
const rootsFrom = (geometry: Geometry, firstPage: number, count: number, packed: boolean): number[] => {
  const stride = packed ? geometry.rootAlignment : PAGE_BYTES;
  return Array.from({ length: count }, (_, index) => firstPage * PAGE_BYTES + index * stride);
};

const drawGuestPages = (draw: Draw, needed: number): number =>
  draw.oneIn(64) ? MACHINE_BOUNDS.guestPages.most : needed + draw.between(3, 16);

export const drawLayout = (draw: Draw, paging: Paging): CoherentLayout => {
  const geometry = geometryOf(paging);
  const kernelRegion = drawKernelTop(draw, paging) << geometry.topBits;
  const userRegions = drawUserRegions(draw, kernelRegion);
  const kernelRegions = drawKernelRegions(draw, geometry, kernelRegion);
  const userTops = topsOf(geometry, userRegions);
  const kernelTops = topsOf(geometry, kernelRegions);
  const stackSlot = draw.pick([4, 8, geometry.tableEntries - 8]);
  const rootCount = draw.pick([1, 2, 3, 4, 5, 6]);
  const packed = paging === 'pae' && draw.bits(1) === 0;
  const firstRoot = draw.bits(3) === 0 ? 0 : 1;
  const firstMiddle = firstRoot + (packed ? 1 : rootCount);
  const middles = paging === 'pae' ? kernelTops.length + rootCount * userTops.length : 0;
  const leafTables = kernelRegions.length + 2 + Math.ceil(rootCount * userRegions.length * 0.75);
  const firstData = firstMiddle + middles + leafTables;
  return {
    machine: {
      paging,
      guestPages: drawGuestPages(draw, firstData),
      devicePages: draw.below(9),
      hostCpus: draw.oneIn(64) ? MACHINE_BOUNDS.hostCpus.most : draw.between(1, 4),
      draw: draw.unsigned(),
      failAllocation: 0,
    },
    geometry,
    kernelAddress: addressOf(geometry, kernelRegion, 0),
    userRegions,
    kernelRegions,
    userTops,
    kernelTops,
    slots: drawSlots(draw, geometry, stackSlot),
    stackSlot,
    roots: rootsFrom(geometry, firstRoot, rootCount, packed),
    firstMiddle,
    firstLeaf: firstMiddle + middles,
    leafTables,
    firstData,
    linearSteps: draw.bits(2) === 0 ? draw.between(1, 6) : 0,
    bits: draw.word(),
  };
};
