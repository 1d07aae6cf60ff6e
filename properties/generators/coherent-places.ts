/** Where a coherent guest's roots, tables and entries lie. Roots, regions, tops and slots are indexes of the layout's lists. */

import { PAGE_BITS, PAGE_BYTES } from '../../model/vocabulary/index.js';
import type { CoherentLayout } from './coherent-layout.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';

export class CoherentPlaces {
  private readonly layout: CoherentLayout;
  private readonly pae: boolean;
  /** Which user top covers each user region. */
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

  /** An entry of a root, by its number there. */
  rootEntry(root: number, number: number): number {
    return this.root(root) + number * this.layout.geometry.entryBytes;
  }

  userTop(region: number): number {
    return this.userTopOf[region] ?? 0;
  }

  /** PAE: the page of a root's middle table under a user top. */
  middlePage(root: number, top: number): number {
    const { firstMiddle, kernelTops, userTops } = this.layout;
    return firstMiddle + kernelTops.length + root * userTops.length + top;
  }

  /** The entry that links the leaf table of a root's region: PGD in 2-level, PMD in PAE. */
  upper(root: number, region: number): number {
    const { geometry, userRegions } = this.layout;
    const number = userRegions[region] ?? 0;
    if (!this.pae) return this.rootEntry(root, number);
    return entryAddress(geometry, this.middlePage(root, this.userTop(region)), middleOf(geometry, number));
  }

  /** PAE: the same of a kernel region, for all roots. */
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

  leaf(table: number, slot: number): number {
    return entryAddress(this.layout.geometry, this.leafTablePage(table), this.slotNumber(slot));
  }

  /** The first address that a slot of a region maps; `region` is the region's own number. */
  page(region: number, slot: number): number {
    return addressOf(this.layout.geometry, region, this.slotNumber(slot));
  }

  /** Which entry of a leaf table a slot is: one of the layout's, or behind them the two stack pages. */
  private slotNumber(slot: number): number {
    const { slots, stackSlot } = this.layout;
    return slot < slots.length ? (slots[slot] ?? 0) : stackSlot + slot - slots.length;
  }

  /** Where both stack pages end. */
  get stackTop(): number {
    return this.page(this.layout.kernelRegions[0] ?? 0, this.layout.slots.length + 1) + PAGE_BYTES;
  }
}
