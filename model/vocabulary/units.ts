/**
 * The units of the machine. Each is a branded number: a page number in place of an address does not compile. Brands are made
 * in this file only.
 */

declare const unit: unique symbol;
type Branded<Name extends string> = number & { readonly [unit]: Name };

/** A guest-virtual address, 0 … 2³²−1. */
export type Vaddr = Branded<'Vaddr'>;
/** A guest-physical address, 0 … 2³²−1. */
export type Paddr = Branded<'Paddr'>;
/** A guest-physical page number; an entry's page number may take up to 52 bits in PAE. */
export type Pfn = Branded<'Pfn'>;
/** A guest-virtual page number, 0 … 2²⁰−1. */
export type Vpn = Branded<'Vpn'>;
/** A slot of the pgdir cache, 0 … 3. */
export type Slot = Branded<'Slot'>;
/** A host CPU, 0 … hostCpus−1. */
export type Cpu = Branded<'Cpu'>;

export const PAGE_BYTES = 4096;
export const PAGE_BITS = 12;
/** Virtual and physical addresses are 32 bits wide and wrap. */
export const ADDRESS_SPACE_BYTES = 2 ** 32;

/** Any number modulo 2³², as a virtual address. */
export const vaddr = (address: number): Vaddr => (address >>> 0) as Vaddr;
/** Any number below 2⁵³ modulo 2³², as a guest-physical address. */
export const paddr = (address: number): Paddr => (address >>> 0) as Paddr;
/** Any number as a page number, with no bit cut off. */
export const pfn = (page: number): Pfn => page as Pfn;
/** The virtual page that holds an address. */
export const vpnOf = (address: Vaddr): Vpn => (address >>> PAGE_BITS) as Vpn;
/** The first address of a virtual page. */
export const vaddrOf = (page: Vpn): Vaddr => ((page << PAGE_BITS) >>> 0) as Vaddr;
export const slot = (index: number): Slot => index as Slot;
export const cpu = (index: number): Cpu => index as Cpu;

/**
 * One word of a guest page table, as the guest stored it: 32 bits in 2-level paging (`high` is 0), 64 in PAE. It has two
 * halves because a number is exact up to 53 bits, and a bigint allocates for every mask.
 */
export interface GuestEntry {
  /** Bits 0–31, unsigned. */
  readonly low: number;
  /** Bits 32–63, unsigned. */
  readonly high: number;
}

/** An entry from two halves, each taken modulo 2³². */
export const guestEntry = (low: number, high = 0): GuestEntry => ({ low: low >>> 0, high: high >>> 0 });

/** What a word of guest RAM holds before the first store. */
export const ZERO_ENTRY: GuestEntry = Object.freeze(guestEntry(0));

/** The two entries are equal in every bit. */
export const sameEntry = (one: GuestEntry, other: GuestEntry): boolean =>
  one.low === other.low && one.high === other.high;
