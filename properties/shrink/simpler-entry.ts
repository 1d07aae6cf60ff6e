/** Simpler values for an entry: no bits at all, then sets of flags that a reader knows, then one bit less. */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, guestEntry } from '../../model/vocabulary/index.js';
import { entryOnPage } from './rewrite.js';

/** P; with RW; with US; with both; the same accessed, and dirty. Fewest bits first. */
const USUAL_FLAGS = [0x0, 0x1, 0x3, 0x5, 0x21, 0x7, 0x23, 0x25, 0x27, 0x63, 0x67];

/** `pages`: those that the program names anyway. The caller keeps only what is smaller than `entry`. */
export const simplerEntries = (entry: GuestEntry, pages: readonly number[]): GuestEntry[] => [
  ZERO_ENTRY,
  ...highHalves(entry).map((high) => guestEntry(entry.low, high)),
  ...lowFlags(entry).map((flags) => guestEntry((entry.low & ~0xfff) | flags, entry.high)),
  ...pages.map((page) => entryOnPage(entry, page)),
];

const lowFlags = ({ low }: GuestEntry): number[] => {
  const flags = low & 0xfff;
  return [...USUAL_FLAGS, ...bitsOf(flags).map((bit) => flags & ~bit)];
};

/** None of the high bits, one of them, or all but one. */
const highHalves = ({ high }: GuestEntry): number[] => {
  if (high === 0) return [];
  const bits = bitsOf(high);
  return [0, ...bits, ...bits.map((bit) => (high & ~bit) >>> 0)];
};

const bitsOf = (word: number): number[] => {
  const bits: number[] = [];
  for (let bit = 0; bit < 32; bit++) if ((word & (1 << bit)) !== 0) bits.push((1 << bit) >>> 0);
  return bits;
};
