/** What the two random words of a macro choose. Imported as `fields`: `fields.root(target, 3)` is the number of one of three roots. */

import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import { A, D, HINTS, RW, US } from '../entry-bits.js';

/*
 * Where a macro acts: the fields of `target`. The current root is meant unless the lowest two bits of `root` are clear.
 *
 *    31  29 28    26 25    24 23        16 15         8 7          0
 *   | inside | empty | kernel | root      | leaf       | region     |
 *
 * What it does there: the fields of `choice`, by what the macro changes.
 *
 *   a leaf           page 0–15, device or features 16–19, flags 20–27, hinted 28–30, hints where an entry has them; in the kernel half also stack
 *                    24–26 and stack page 30
 *   an upper entry   removal 0, RW, US, A, D where an entry has them, whole 8–9, features 16–19, announcement 24–28
 *   an access        kind 0, user 1, odd mode 2–4, place 5–11, Switcher offset 12–27 or execute 12–13, offset 20–31
 *   a stack          pages 0–7, aligned 8, last byte 9–10, offset 20–31
 */

/** Which of `count` things eight random bits choose. */
const choose = (bits: number, count: number): number => ((bits & 0xff) * count) >> 8;

/** `width` bits of a word, from bit `from` on. */
const field = (word: number, from: number, width: number): number => (word >>> from) & ((1 << width) - 1);

// Of `target`.

/** The number of a region, or of a top. */
export const region = (target: number, regions: number): number => choose(target, regions);
/** The number of a leaf in its table. */
export const leaf = (target: number, leaves: number): number => choose(target >>> 8, leaves);
export const root = (target: number, roots: number): number => choose(target >>> 16, roots);
/** Three times in four: the root that the guest runs on, not the one drawn. */
export const isCurrentRoot = (target: number): boolean => field(target, 16, 2) !== 0;
/** Once in four times: the kernel half. */
export const isKernel = (target: number): boolean => field(target, 24, 2) === 0;
/** Once in eight times: a region without a table. */
export const mayBeEmpty = (target: number): boolean => field(target, 26, 3) === 0;
export const address = (target: number): number => target >>> 0;
/** Once in eight times, an announced address lies this far inside its page. */
export const announcedOffset = (target: number): number => (field(target, 29, 3) === 0 ? field(target, 0, 12) : 0);

// Of `choice`.

export const oneOf = (choice: number, count: number): number => choose(choice, count);
export const draw = (choice: number): number => choice >>> 0;
export const offset = (choice: number): number => choice >>> 20;

export const page = (choice: number, pages: number): number => field(choice, 0, 16) % pages;
/** Once in sixteen times: an entry has bits set that are reserved. */
export const isReserved = (choice: number): boolean => field(choice, 16, 4) === 1;
/** Once in four times: nothing may be executed. */
export const isNoExecute = (choice: number): boolean => field(choice, 16, 4) >= 12;
/** Once in sixteen times. */
export const isDevice = (choice: number): boolean => field(choice, 16, 4) === 0;
export const flags = (choice: number, flags: readonly number[]): number =>
  flags[choose(choice >>> 20, flags.length)] ?? 0;
/** Once in eight times: some of a leaf's bits that change nothing. */
export const hints = (choice: number): number => (field(choice, 28, 3) === 0 ? choice & HINTS : 0);
/** Once in eight times, for a kernel leaf: one of the two stack pages. */
export const isStack = (choice: number): boolean => field(choice, 24, 3) === 0;
export const stackPage = (choice: number): number => field(choice, 30, 1);

export const rights = (choice: number): number => choice & (RW | US);
export const accessedDirty = (choice: number): number => choice & (A | D);
/** Three times in four: the whole entry is cleared, or has all rights again. */
export const isWhole = (choice: number): boolean => field(choice, 8, 2) !== 0;
/** Remove the table rather than exchange it; clear A as well as D. */
export const isRemoval = (choice: number): boolean => field(choice, 0, 1) === 1;
/** 0 … 31: how an upper entry is announced. */
export const announcement = (choice: number): number => field(choice, 24, 5);

/** The kind of an access. */
export const isRead = (choice: number): boolean => field(choice, 0, 1) === 1;
/** Once in four times: an instruction is fetched. */
export const isFetch = (choice: number): boolean => field(choice, 12, 2) === 0;
/** The mode of a blunder. */
export const isUser = (choice: number): boolean => field(choice, 1, 1) === 1;
/** Once in eight times: the mode of the other half. */
export const isOddMode = (choice: number): boolean => field(choice, 2, 3) === 0;
/** 0 … 127: whether the address is one of the guest's own. */
export const place = (choice: number): number => field(choice, 5, 7);
export const switcherOffset = (choice: number): number => field(choice, 12, 16);

/** How far below the end of the stack pages the stack begins: mostly not at all, or all but one byte of a page. */
export const unusedStack = (choice: number): number => {
  if (field(choice, 8, 1) === 1) return 0;
  return field(choice, 9, 2) === 0 ? PAGE_BYTES - 1 : offset(choice);
};
