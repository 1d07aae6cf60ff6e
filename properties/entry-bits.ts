/**
 * Page-table entries as the harness reads and makes them (machine.md 1). The model and impl decode entries on their own and never
 * import this: a wrong mask must not agree with itself. Nor does the uncached walk, their arbiter.
 *
 *    63        44 43          12 11   9  8   7   6   5   4   3   2   1   0
 *   | reserved   | page number  | AVL  | G |PSE| D | A |PCD|PWT|US |RW | P |
 *
 * A 2-level entry ends with bit 31, so it has no reserved bits. AVL is the guest's own.
 */

import type { GuestEntry } from '../model/vocabulary/index.js';
import { guestEntry, PAGE_BYTES } from '../model/vocabulary/index.js';

/** Present. */
export const P = 0x1;
/** Writable. */
export const RW = 0x2;
/** Open to user mode. */
export const US = 0x4;
/** Write-through, and cache disabled: caching hints. */
export const PWT = 0x8;
export const PCD = 0x10;
/** Accessed, and dirty (written to). */
export const A = 0x20;
export const D = 0x40;
/** A large page. */
export const PSE = 0x80;
/** Global. */
export const G = 0x100;
export const AVL = 0xe00;
/** Bits that change nothing in a leaf, and that no upper entry may have. */
export const HINTS = PWT | PCD | G | AVL;

/** Bits 0–11: everything but the page number. */
export const FLAGS = 0xfff;

/** Present, with all rights. */
export const RIGHTS = P | RW | US;
/** An entry that grants everything and that the hypervisor need not write back to. */
export const FULL = RIGHTS | A | D;

/** No instruction may be fetched (PAE): bit 63, in the high half of an entry. */
export const XD = 0x80000000;
/** Bits 52–62 of a PAE entry, in its high half: reserved on every CPU. */
export const BEYOND_ADDRESS = 0x7ff00000;

export const isPresent = ({ low }: GuestEntry): boolean => (low & P) !== 0;

/** The page number: all bits from 12 up, reserved ones included (machine.md 3, demand). */
export const pageOf = ({ low, high }: GuestEntry): number => high * PAGES_BELOW_HIGH_HALF + (low >>> 12);

/** The same flags on another page, 0 … 2⁵²−1. */
export const entryOnPage = ({ low }: GuestEntry, page: number): GuestEntry =>
  guestEntry((page % PAGES_BELOW_HIGH_HALF) * PAGE_BYTES + (low & FLAGS), Math.floor(page / PAGES_BELOW_HIGH_HALF));

/** Pages that the low half of an entry can name: bits 12–31. */
const PAGES_BELOW_HIGH_HALF = 2 ** 20;
