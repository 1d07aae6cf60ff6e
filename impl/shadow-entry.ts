/**
 * A packed shadow entry: one 32-bit word in either paging mode, because host page numbers ("frames") need at most 20 bits.
 * An entry of 0 is empty.
 *
 *      31                          12 11  10   9   8   7   6   5   4   3   2   1   0
 *     ┌──────────────────────────────┬───────┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┐
 *     │ frame                        │   0   │ 0 │ 0 │ 0 │ D │ A │PCD│PWT│ US│ RW│ P │
 *     └──────────────────────────────┴───────┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┘
 *
 * Host physical memory has a fixed layout, so the frame alone identifies what an entry points to:
 *
 *        0        nothing: a link to it is a stray pointer
 *        1 … 4096 guest RAM, guest page p at frame p + 1
 *     4097        Switcher: text
 *     4098        Switcher: the guest's registers
 *     4099 … 4162 Switcher: state page of host CPU 0 … 63
 *     4163 …      shadow tables
 */

import { FAULT_USER, FAULT_WRITE, MACHINE_BOUNDS } from '../model/vocabulary/index.js';

export const EMPTY = 0;

export const PRESENT = 0x1;
export const WRITABLE = 0x2;
export const USER = 0x4;
export const ACCESSED = 0x20;
export const DIRTY = 0x40;
export const LARGE = 0x80;

/** Rights of an upper entry that denies nothing. */
export const FULL_RIGHTS = WRITABLE | USER;

/** Flags that a leaf copies from the guest's entry: all but G, which has no effect here (machine.md 3, demand 6). */
export const LEAF_FLAGS = 0x7f;

/** The bits below the frame. */
export const flagsOf = (word: number): number => word & 0xfff;
export const frameOf = (word: number): number => word >>> 12;
export const packed = (frame: number, flags: number): number => ((frame << 12) | flags) >>> 0;

/** The rights that an access with this fault code needs: WRITE and USER lie at the bits of RW and US. */
export const rightsFor = (code: number): number => code & FULL_RIGHTS;
FAULT_WRITE satisfies typeof WRITABLE;
FAULT_USER satisfies typeof USER;

export const NO_FRAME = 0;
export const GUEST_FRAME = 1;
export const SWITCHER_TEXT_FRAME = GUEST_FRAME + MACHINE_BOUNDS.guestPages.most;
export const SWITCHER_REGISTERS_FRAME = SWITCHER_TEXT_FRAME + 1;
export const SWITCHER_STATE_FRAME = SWITCHER_REGISTERS_FRAME + 1;
export const TABLE_FRAME = SWITCHER_STATE_FRAME + MACHINE_BOUNDS.hostCpus.most;
