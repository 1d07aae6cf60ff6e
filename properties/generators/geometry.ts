/**
 * How the guests of the generators cut up an address. Below a root lie `regions`: the reach of one leaf table each.
 *
 *            31        22 21        12 11       0
 *   2-level | region     | slot       | offset   |      region = entry of the root
 *
 *            31 30 29  21 20        12 11       0
 *   pae     | region     | slot       | offset   |      region = top · 512 + entry of the middle table
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
  /** A region's number times 2^this is its first address. */
  readonly regionBits: number;
  /** A region's number over 2^this is its root entry. */
  readonly topBits: number;
  /** The region that the Switcher fills. */
  readonly switcherRegion: number;
  readonly switcherAddress: number;
}

const geometryFor = (paging: Paging): Geometry => {
  const sizes = pagingSizes(paging);
  const regions = 2 ** 32 / sizes.leafTableReach;
  return {
    paging,
    entryBytes: sizes.entryBytes,
    rootEntries: sizes.rootEntries,
    tableEntries: sizes.tableEntries,
    rootAlignment: sizes.rootAlignment,
    regions,
    regionBits: Math.log2(sizes.leafTableReach),
    topBits: Math.log2(regions / sizes.rootEntries),
    switcherRegion: regions - 1,
    switcherAddress: sizes.switcherAddress,
  };
};

const GEOMETRIES: Readonly<Record<Paging, Geometry>> = { '2-level': geometryFor('2-level'), pae: geometryFor('pae') };

export const geometryOf = (paging: Paging): Geometry => GEOMETRIES[paging];

/** The address of a slot of a region. */
export const addressOf = (geometry: Geometry, region: number, slot: number): number =>
  ((region << geometry.regionBits) | (slot << PAGE_BITS)) >>> 0;

/** Which root entry covers a region. */
export const topOf = (geometry: Geometry, region: number): number => region >>> geometry.topBits;

/** Which entry of the middle table covers a region; PAE only. */
export const middleOf = (geometry: Geometry, region: number): number => region & (geometry.tableEntries - 1);

/** Where entry `index` of a table that fills page `page` lies in guest RAM. */
export const entryAddress = (geometry: Geometry, page: number, index: number): number =>
  page * PAGE_BYTES + index * geometry.entryBytes;
