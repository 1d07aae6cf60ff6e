/** Simpler values for an entry: no bits at all, then sets of flags that a reader knows, then one bit less. */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, guestEntry } from '../../model/vocabulary/index.js';
import { A, FLAGS, FULL, P, RIGHTS, RW, US, entryOnPage } from '../entry-bits.js';

/** Flags that a reader recognizes, fewest bits first. */
const USUAL_FLAGS = [0, P, P | RW, P | US, P | A, RIGHTS, P | RW | A, P | US | A, RIGHTS | A, FULL & ~US, FULL];

/** `pages`: those that the program names anyway. The caller keeps only what is smaller than `entry`. */
export const simplerEntries = (entry: GuestEntry, pages: readonly number[]): GuestEntry[] => [
  ZERO_ENTRY,
  ...highHalves(entry).map((high) => guestEntry(entry.low, high)),
  ...lowFlags(entry).map((flags) => guestEntry((entry.low & ~FLAGS) | flags, entry.high)),
  ...pages.map((page) => entryOnPage(entry, page)),
];

const lowFlags = ({ low }: GuestEntry): number[] => {
  const flags = low & FLAGS;
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
