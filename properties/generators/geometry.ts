/**
 * How the generators split an address (machine.md 1). A `region` is the reach of one leaf table.
 *
 *            31        22 21        12 11       0
 *   2-level | region     | pteIndex   | offset   |      region = entry of the root
 *
 *            31 30 29  21 20        12 11       0
 *   pae     | region     | pteIndex   | offset   |      region = top · 512 + entry of the middle table
 */

import type { Paging } from '../../model/vocabulary/index.js';
import { PAGE_BITS, PAGE_BYTES, pagingSizes } from '../../model/vocabulary/index.js';

export interface Geometry {
  readonly paging: Paging;
  readonly entryBytes: number;
  readonly rootEntries: number;
  readonly tableEntries: number;
  readonly rootAlignment: number;
  /** Leaf tables that cover the address space. */
  readonly regions: number;
  /** A region's first address is its number shifted left by this. */
  readonly regionBits: number;
  /** A region's root entry is its number shifted right by this. */
  readonly topBits: number;
  /** The region that the Switcher fills. */
  readonly switcherRegion: number;
  readonly switcherAddress: number;
}

const geometryFor = (paging: Paging): Geometry => {
  const sizes = pagingSizes(paging);
  const regionBits = Math.log2(sizes.leafTableReach);
  const regions = 1 << (32 - regionBits);
  return {
    paging,
    entryBytes: sizes.entryBytes,
    rootEntries: sizes.rootEntries,
    tableEntries: sizes.tableEntries,
    rootAlignment: sizes.rootAlignment,
    regions,
    regionBits,
    topBits: Math.log2(regions / sizes.rootEntries),
    switcherRegion: regions - 1,
    switcherAddress: sizes.switcherAddress,
  };
};

const GEOMETRIES: Readonly<Record<Paging, Geometry>> = { '2-level': geometryFor('2-level'), pae: geometryFor('pae') };

export const geometryOf = (paging: Paging): Geometry => GEOMETRIES[paging];

/** The first address that an entry of a region's leaf table maps. */
export const addressOf = (geometry: Geometry, region: number, pteIndex: number): number =>
  ((region << geometry.regionBits) | (pteIndex << PAGE_BITS)) >>> 0;

/** The index of the root entry that covers a region. */
export const topOf = (geometry: Geometry, region: number): number => region >>> geometry.topBits;

/** PAE: the index of the middle table's entry that covers a region. */
export const middleOf = (geometry: Geometry, region: number): number => region & (geometry.tableEntries - 1);

/** The address in guest RAM of entry `index` of the table in page `page`. */
export const entryAddress = (geometry: Geometry, page: number, index: number): number =>
  page * PAGE_BYTES + index * geometry.entryBytes;
