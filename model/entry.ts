/**
 * The bits of a guest's page-table entry (machine.md 1, Entry bits).
 *
 * 2-level, 32 bits:
 *
 *      31                                  12 11   9  8   7   6   5   4   3   2   1   0
 *     +--------------------------------------+------+---+---+---+---+---+---+---+---+---+
 *     |             page number              | free | G |PSE| D | A |PCD|PWT|US |RW | P |
 *     +--------------------------------------+------+---+---+---+---+---+---+---+---+---+
 *
 * PAE, 64 bits; the guest is told of no NX, so bit 63 is as reserved as the others:
 *
 *      63               44 43              32 31              12 11   9  8   7          0
 *     +-------------------+------------------------------------+------+---+---+---     ---+
 *     |     reserved      |            page number             | free | G |PSE|  as above |
 *     +-------------------+------------------------------------+------+---+---+---     ---+
 *     |<--------------- high ---------------->|<--------------- low --------------------->|
 *
 * In 2-level paging `high` is zero, so one set of functions reads both.
 */

import type { AccessKind, AccessMode, GuestEntry, Pfn, Vaddr } from './vocabulary/index.js';
import { guestEntry, PAGE_BITS, PAGE_BYTES, pfn } from './vocabulary/index.js';

export const P = 0x1;
export const RW = 0x2;
export const US = 0x4;
export const A = 0x20;
export const D = 0x40;
export const PSE = 0x80;

const FLAGS = PAGE_BYTES - 1;
/** Bits 44–63, as bits of the high half. */
const RESERVED_IN_HIGH = 0xfffff000;

export const isPresent = (entry: GuestEntry): boolean => (entry.low & P) !== 0;
export const isAccessed = (entry: GuestEntry): boolean => (entry.low & A) !== 0;
export const isDirty = (entry: GuestEntry): boolean => (entry.low & D) !== 0;
export const isLarge = (entry: GuestEntry): boolean => (entry.low & PSE) !== 0;
export const hasReservedBits = (entry: GuestEntry): boolean => (entry.high & RESERVED_IN_HIGH) !== 0;

/** All bits from 12 up, the reserved ones of PAE included: 20 bits in 2-level, 52 in PAE. */
export const pageNumber = (entry: GuestEntry): Pfn => pfn(entry.high * 2 ** 20 + (entry.low >>> PAGE_BITS));

/** Whether a bit below 12 is set that is not in `allowed`. */
export const hasFlagsBeside = (entry: GuestEntry, allowed: number): boolean => (entry.low & FLAGS & ~allowed) !== 0;

/** A leaf after an access through it: A set, and D for a write (machine.md 3, demand, 6). */
export const touched = (entry: GuestEntry, kind: AccessKind): GuestEntry =>
  guestEntry(entry.low | A | (kind === 'write' ? D : 0), entry.high);

/** In linear mode every address has this leaf: its own page, for the kernel (machine.md 3, demand, 1). */
export const linearLeaf = (address: Vaddr): GuestEntry => guestEntry((address - (address % PAGE_BYTES)) | P | RW);

declare const rights: unique symbol;
/** What an entry allows: its bits RW and US, so that the AND over several levels is `&`. */
export type Rights = number & { readonly [rights]: true };

export const ALL_RIGHTS = (RW | US) as Rights;

export const rightsOf = (entry: GuestEntry): Rights => (entry.low & (RW | US)) as Rights;

export const bothRights = (one: Rights, other: Rights): Rights => (one & other) as Rights;

/** A shadow leaf is writable only once the guest's leaf is dirty, so that the first write faults and sets D. */
export const shadowRights = (leaf: GuestEntry): Rights =>
  isDirty(leaf) ? rightsOf(leaf) : bothRights(rightsOf(leaf), US as Rights);

/** The rights that an access needs. */
export const neededRights = (kind: AccessKind, mode: AccessMode): Rights =>
  ((kind === 'write' ? RW : 0) | (mode === 'user' ? US : 0)) as Rights;

export const includesRights = (held: Rights, needed: Rights): boolean => (held & needed) === needed;

export const allowsWriting = (held: Rights): boolean => (held & RW) !== 0;
