/**
 * The layout of a coherent guest: which pages are roots, middle tables, leaf tables and data for good (rule 3 of machine.md 5), which
 * addresses it uses, and where the entries for them lie. The kernel half begins at a root entry's border.
 */

import type { Feature, GuestEntry, MachineConfig, Paging } from '../../model/vocabulary/index.js';
import { MACHINE_BOUNDS, PAGE_BITS, PAGE_BYTES, guestEntry, hasFeature } from '../../model/vocabulary/index.js';
import { A, D, FULL, P, PSE, RIGHTS, RW, US, G, PCD, PWT, XD } from '../entry-bits.js';
import type { Profile } from '../profile.js';
import type { Draw } from './draw.js';
import { drawMuchRam, lottery } from './draw.js';
import type { Geometry } from './geometry.js';
import { addressOf, entryAddress, geometryOf, middleOf, topOf } from './geometry.js';
import * as fields from './macro-fields.js';
import { makeNearMachine } from './neighbours.js';

export interface CoherentLayout {
  readonly profile: Profile;
  readonly machine: MachineConfig;
  readonly geometry: Geometry;
  readonly kernelAddress: number;
  readonly userRegions: readonly number[];
  /** The first holds the stack. */
  readonly kernelRegions: readonly number[];
  /** The root entries that cover the user regions, and the kernel's. */
  readonly userTops: readonly number[];
  readonly kernelTops: readonly number[];
  /** The entries of a leaf table that the guest uses. */
  readonly pteIndexes: readonly number[];
  /** The entry of the lower of the two stack pages, in the first kernel region only. */
  readonly stackPteIndex: number;
  /** Addresses of roots. */
  readonly roots: readonly number[];
  /** PAE: the kernel's middle tables begin here, one for each kernel top, then those of each root, one for each user top. */
  readonly firstMiddle: number;
  /** Leaf tables fill the pages from here. */
  readonly firstLeaf: number;
  readonly leafTables: number;
  /** Data pages run from here to the end of RAM. */
  readonly firstData: number;
  /** Steps in linear mode before paging. */
  readonly linearSteps: number;
  /** Random bits for the accesses of linear mode and for the first tables. */
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

const topsOf = (geometry: Geometry, regions: readonly number[]): number[] => {
  const tops: number[] = [];
  for (const region of regions) {
    const top = topOf(geometry, region);
    if (!tops.includes(top)) tops.push(top);
  }
  return tops;
};

const drawPteIndexes = (draw: Draw, geometry: Geometry, stackPteIndex: number): number[] => {
  const indexes = [draw.pick([0, 0, 1, stackPteIndex - 1])];
  if (draw.bits(2) !== 0) indexes.push(stackPteIndex + 2);
  if (draw.bits(1) === 0) indexes.push(stackPteIndex + 3);
  if (draw.bits(2) === 0) indexes.push(geometry.tableEntries - 1);
  return indexes;
};

/** Roots fill a page each, or (PAE) lie side by side in one. */
const rootsFrom = (geometry: Geometry, firstPage: number, count: number, packed: boolean): number[] => {
  const stride = packed ? geometry.rootAlignment : PAGE_BYTES;
  const roots: number[] = [];
  for (let index = 0; index < count; index++) roots.push(firstPage * PAGE_BYTES + index * stride);
  return roots;
};

const LEAST_DATA_PAGES = 3;

/** One in sixteen has much more RAM than it needs, so that tables may lie high in it. */
const drawGuestPages = (draw: Draw, needed: number, most: number): number => {
  const rare = draw.bits(6);
  if (rare === 0) return most;
  return needed + (rare <= 4 ? drawMuchRam(draw, most - needed) : draw.between(LEAST_DATA_PAGES, 16));
};

/** How far from the start of RAM the tables lie: mostly not at all, else anywhere, or so high that hardly any data page is left. */
const drawTablesBase = (draw: Draw, room: number): number => {
  if (draw.bits(2) !== 0 || room <= 0) return 0;
  return draw.bits(1) === 0 ? room : draw.below(room + 1);
};

const drawHostCpus = (draw: Draw): number => (draw.oneIn(64) ? MACHINE_BOUNDS.hostCpus.most : draw.between(1, 4));

export interface LayoutLimits {
  /** `lguest` by default. */
  readonly profile?: Profile | undefined;
  /** The most pages of guest RAM, 64 … 4096; 4096 by default. No layout needs more than 64. */
  readonly guestPages?: number | undefined;
  /** What the CPU may have, in the profile `architecture`; nothing by default. */
  readonly features?: readonly Feature[] | undefined;
}

/** Each of those that there may be, in every second program. */
const drawFeatures = (draw: Draw, paging: Paging, possible: readonly Feature[]): Pick<MachineConfig, 'features'> => {
  const features = possible.filter((each) => draw.bits(1) === 0 && (paging === 'pae' || each !== 'no-execute'));
  return features.length === 0 ? {} : { features };
};

/**
 * Its RAM holds `needed` pages of tables. One in sixteen is a near miss, except in the profile `architecture`, where a machine has
 * nothing but RAM.
 */
const drawMachine = (
  draw: Draw,
  paging: Paging,
  needed: number,
  {
    profile,
    guestPages,
    features,
  }: Required<{ readonly [Name in keyof LayoutLimits]: NonNullable<LayoutLimits[Name]> }>,
): MachineConfig => {
  const isCpu = profile === 'architecture';
  const machine = {
    paging,
    guestPages: drawGuestPages(draw, needed, guestPages),
    devicePages: isCpu ? 0 : draw.below(9),
    hostCpus: isCpu ? 1 : drawHostCpus(draw),
    draw: draw.unsigned(),
    failAllocation: 0,
    ...drawFeatures(draw, paging, features),
  };
  if (isCpu || draw.bits(4) !== 0) return machine;
  makeNearMachine(draw, machine);
  machine.guestPages = Math.min(Math.max(machine.guestPages, needed + 1), guestPages);
  machine.failAllocation = 0;
  return machine;
};

export const drawLayout = (
  draw: Draw,
  paging: Paging,
  { profile = 'lguest', guestPages = MACHINE_BOUNDS.guestPages.most, features = [] }: LayoutLimits = {},
): CoherentLayout => {
  const geometry = geometryOf(paging);
  const kernelRegion = drawKernelTop(draw, paging) << geometry.topBits;
  const userRegions = drawUserRegions(draw, kernelRegion);
  const kernelRegions = drawKernelRegions(draw, geometry, kernelRegion);
  const userTops = topsOf(geometry, userRegions);
  const kernelTops = topsOf(geometry, kernelRegions);
  const stackPteIndex = draw.pick([4, 8, geometry.tableEntries - 8]);
  const rootCount = draw.pick([1, 2, 3, 4, 5, 6]);
  const packed = paging === 'pae' && draw.bits(1) === 0;
  const firstRoot = draw.bits(3) === 0 ? 0 : 1;
  const firstMiddle = firstRoot + (packed ? 1 : rootCount);
  const middles = paging === 'pae' ? kernelTops.length + rootCount * userTops.length : 0;
  const leafTables = kernelRegions.length + 2 + Math.ceil(rootCount * userRegions.length * 0.75);
  const needed = firstMiddle + middles + leafTables;
  const machine = drawMachine(draw, paging, needed, { profile, guestPages, features });
  const base = drawTablesBase(draw, machine.guestPages - needed - LEAST_DATA_PAGES);
  return {
    profile,
    machine,
    geometry,
    kernelAddress: addressOf(geometry, kernelRegion, 0),
    userRegions,
    kernelRegions,
    userTops,
    kernelTops,
    pteIndexes: drawPteIndexes(draw, geometry, stackPteIndex),
    stackPteIndex,
    roots: rootsFrom(geometry, base + firstRoot, rootCount, packed),
    firstMiddle: base + firstMiddle,
    firstLeaf: base + firstMiddle + middles,
    leafTables,
    firstData: base + needed,
    linearSteps: draw.bits(2) === 0 ? draw.between(1, 6) : 0,
    bits: draw.word(),
  };
};

/** Where a coherent guest's roots, tables and entries lie. Roots, regions, tops and leaves are numbers in the layout's lists. */
export class CoherentPlaces {
  private readonly layout: CoherentLayout;
  private readonly pae: boolean;
  /** The number of the user top that covers each user region. */
  private readonly userTopOf: readonly number[];

  constructor(layout: CoherentLayout) {
    const { geometry, userRegions, userTops } = layout;
    this.layout = layout;
    this.pae = geometry.paging === 'pae';
    this.userTopOf = userRegions.map((region) => userTops.indexOf(topOf(geometry, region)));
  }

  root(root: number): number {
    return this.layout.roots[root] ?? 0;
  }

  /** Where a root's entry `index` lies. */
  rootEntry(root: number, index: number): number {
    return this.root(root) + index * this.layout.geometry.entryBytes;
  }

  userTop(region: number): number {
    return this.userTopOf[region] ?? 0;
  }

  /** PAE: the page of a root's middle table under a user top. */
  middlePage(root: number, top: number): number {
    const { firstMiddle, kernelTops, userTops } = this.layout;
    return firstMiddle + kernelTops.length + root * userTops.length + top;
  }

  /** Where the entry lies that links the leaf table of a root's region: a PGD entry in 2-level, a PMD entry in PAE. */
  upper(root: number, region: number): number {
    const { geometry, userRegions } = this.layout;
    const number = userRegions[region] ?? 0;
    if (!this.pae) return this.rootEntry(root, number);
    return entryAddress(geometry, this.middlePage(root, this.userTop(region)), middleOf(geometry, number));
  }

  /** PAE: the same for a kernel region of all roots. */
  kernelMiddle(region: number): number {
    const { geometry, firstMiddle, kernelRegions, kernelTops } = this.layout;
    const number = kernelRegions[region] ?? 0;
    return entryAddress(
      geometry,
      firstMiddle + kernelTops.indexOf(topOf(geometry, number)),
      middleOf(geometry, number),
    );
  }

  leafTablePage(table: number): number {
    return this.layout.firstLeaf + table;
  }

  /** The leaf table that an upper entry points at. */
  leafTableAt(upper: number): number {
    return (upper >>> PAGE_BITS) - this.layout.firstLeaf;
  }

  leaf(table: number, leaf: number): number {
    return entryAddress(this.layout.geometry, this.leafTablePage(table), this.pteIndex(leaf));
  }

  /** The first address that a leaf of a region maps; `region` is the region's own number, as in geometry.ts. */
  page(region: number, leaf: number): number {
    return addressOf(this.layout.geometry, region, this.pteIndex(leaf));
  }

  /** The entry of a leaf table for leaf number `leaf`: one of the layout's, or behind them one of the two stack pages. */
  private pteIndex(leaf: number): number {
    const { pteIndexes, stackPteIndex } = this.layout;
    return leaf < pteIndexes.length ? (pteIndexes[leaf] ?? 0) : stackPteIndex + leaf - pteIndexes.length;
  }

  /** The address at which the stack pages end. */
  get stackTop(): number {
    return this.page(this.layout.kernelRegions[0] ?? 0, this.layout.pteIndexes.length + 1) + PAGE_BYTES;
  }
}

// What leaves hold.

/** A user leaf: one in sixteen is for the kernel alone, one is not present, three are read-only; half have A or D clear. */
const USER_FLAGS = lottery([
  [4, FULL],
  [2, RIGHTS | A],
  [3, RIGHTS],
  [1, FULL & ~RW],
  [1, P | US | A],
  [1, P | US],
  [1, FULL & ~US],
  [1, FULL | PWT | PCD],
  [1, RIGHTS | D],
  [1, FULL & ~P],
]);

/** A kernel leaf: a quarter are open to users, as no real kernel's would be. */
const KERNEL_FLAGS = lottery([
  [2, FULL & ~US],
  [2, G | (FULL & ~US)],
  [1, P | RW | A],
  [1, P | RW],
  [1, P | A | D],
  [1, P | G],
  [2, FULL],
  [1, RIGHTS],
  [1, 0],
]);

/** With more of them, leaves would hardly ever map the same page. */
const MOST_DATA_PAGES = 12;

export const dataPage = ({ firstData, machine }: CoherentLayout, choice: number): number =>
  firstData + fields.page(choice, Math.min(machine.guestPages - firstData, MOST_DATA_PAGES));

/** A data page, or sometimes a device's. */
const mappedPage = (layout: CoherentLayout, choice: number): number => {
  const { guestPages, devicePages } = layout.machine;
  const device = devicePages > 0 && fields.isDevice(choice);
  return device ? guestPages + fields.page(choice, devicePages) : dataPage(layout, choice);
};

export const userLeaf = (layout: CoherentLayout, choice: number): number =>
  mappedPage(layout, choice) * PAGE_BYTES +
  withoutGlobal(layout, fields.flags(choice, USER_FLAGS) ^ fields.hints(choice)) +
  featureBits(layout, choice);

export const kernelLeaf = (layout: CoherentLayout, choice: number): number =>
  mappedPage(layout, choice) * PAGE_BYTES +
  (fields.flags(choice, KERNEL_FLAGS) ^ fields.hints(choice)) +
  featureBits(layout, choice);

/** The user half differs from root to root, so nothing in it is global where that counts. */
const withoutGlobal = ({ machine }: CoherentLayout, flags: number): number =>
  hasFeature(machine, 'global-pages') ? flags & ~G : flags;

// Words are kept as numbers: the low half of an entry, and above it its bits 52 to 63.

const HIGH_SHIFT = 20;

export const entryOf = (word: number): GuestEntry => guestEntry(word, Math.floor(word / 2 ** 32) << HIGH_SHIFT);

/** The low half of a word. */
export const lowOf = (word: number): number => word % 2 ** 32;

/** Reserved bits, or XD, as the choice has it. Bit 52 is the lowest that is reserved on every CPU, and bit 62 the highest. */
export const featureBits = ({ machine }: CoherentLayout, choice: number): number => {
  if (machine.features === undefined || machine.paging !== 'pae') return 0;
  if (hasFeature(machine, 'reserved-bits') && fields.isReserved(choice))
    return (fields.isRemoval(choice) ? 2 ** 10 : 1) * 2 ** 32;
  return hasFeature(machine, 'no-execute') && fields.isNoExecute(choice) ? (XD >>> HIGH_SHIFT) * 2 ** 32 : 0;
};

/** A large page, which begins at physical address 0: in the user half every fourth is for the kernel alone. */
export const largePage = (layout: CoherentLayout, choice: number, isKernel: boolean): number => {
  const { machine } = layout;
  // Each 2-level root has a copy of the kernel's entry. A global page that was cached by way of one sets no A and D in the others.
  const isCopied = isKernel && machine.paging === '2-level' && hasFeature(machine, 'global-pages');
  const flags = fields.flags(choice, isKernel ? KERNEL_FLAGS : USER_FLAGS) | P | PSE | (isCopied ? A | D : 0);
  const reserved = hasFeature(machine, 'reserved-bits') && fields.isReserved(choice);
  const bit = reserved ? RESERVED_IN_LARGE[machine.paging] : 0;
  return (isKernel ? flags : withoutGlobal(layout, flags)) + bit + (bit === 0 ? featureBits(layout, choice) : 0);
};

/** The lowest bit between flags and address that no CPU has a use for (SDM, tables 4-4 and 4-9). */
const RESERVED_IN_LARGE: Readonly<Record<Paging, number>> = { '2-level': 1 << 21, pae: 1 << 13 };

/** A stack page is writable; the guest may have left A and D clear. */
export const stackLeaf = (layout: CoherentLayout, choice: number): number =>
  dataPage(layout, choice) * PAGE_BYTES + (FULL & ~US & ~fields.accessedDirty(choice));
