/** Bits of the entries that the generators make (machine.md 1), and how often each combination is drawn. */

export const PRESENT = 0x1;
export const WRITABLE = 0x2;
export const USER = 0x4;
export const WRITE_THROUGH = 0x8;
export const CACHE_DISABLED = 0x10;
export const ACCESSED = 0x20;
export const DIRTY = 0x40;
export const LARGE = 0x80;
export const GLOBAL = 0x100;

/** A page-table entry that grants everything and that nothing need be written back to. */
export const FULL = PRESENT | WRITABLE | USER | ACCESSED | DIRTY;
/** The same for the kernel alone: what a stack page needs. */
export const KERNEL_FULL = PRESENT | WRITABLE | ACCESSED | DIRTY;

/** Leaves of hostile guests: half of them grant all, one in sixteen is not present. */
export const LEAF_FLAGS: readonly number[] = [
  0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x27, 0x27, 0x27, 0x27, 0x07, 0x07, 0x07, 0x07, 0x07, 0x65, 0x65, 0x25,
  0x25, 0x05, 0x63, 0x63, 0x23, 0x61, 0x03, 0x167, 0x107, 0x7f, 0x47, 0x66, 0x00,
];

/** Upper entries of hostile guests that have rights: the PGD entry in 2-level, the PMD entry in PAE. */
export const UPPER_FLAGS: readonly number[] = [
  0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x27, 0x07, 0x63, 0x65, 0x00,
];

/** The same while a program builds its tables: a right that is missing there is missing everywhere. */
export const FIRST_FLAGS: readonly number[] = [0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x27, 0x07, 0x63];

/** The PAE top entry, which has no rights. */
export const TOP_FLAGS: readonly number[] = [...new Array<number>(31).fill(PRESENT), 0x00];
