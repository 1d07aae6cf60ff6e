/**
 * A packed shadow entry: one 32-bit word in either paging mode, because host frames need no more than 20 bits.
 *
 *      31                          12 11  10   9   8   7   6   5   4   3   2   1   0
 *     ┌──────────────────────────────┬───────┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┐
 *     │ frame                        │   0   │ 0 │ 0 │ 0 │ D │ A │PCD│PWT│ US│ RW│ P │
 *     └──────────────────────────────┴───────┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┘
 */

import { FAULT_USER, FAULT_WRITE } from '../model/vocabulary/index.js';

export const PRESENT = 0x1;
export const WRITABLE = 0x2;
export const USER = 0x4;
export const ACCESSED = 0x20;
export const DIRTY = 0x40;
export const LARGE = 0x80;

/** Rights of an upper entry that denies nothing. */
export const FULL_RIGHTS = WRITABLE | USER;

/** Flags that a leaf takes over from the guest's entry: all but G, which nobody uses here (machine.md 3, demand 6). */
export const LEAF_FLAGS = 0x7f;

/** The bits below the frame. */
export const flagsOf = (word: number): number => word & 0xfff;
export const frameOf = (word: number): number => word >>> 12;
export const packed = (frame: number, flags: number): number => ((frame << 12) | flags) >>> 0;

/** The rights that an access with this fault code needs: the code has a bit for each where an entry has it. */
export const rightsFor = (code: number): number => code & FULL_RIGHTS;
FAULT_WRITE satisfies typeof WRITABLE;
FAULT_USER satisfies typeof USER;
