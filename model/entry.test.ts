import { describe, expect, it } from 'vitest';
import {
  A,
  ALL_RIGHTS,
  allowsWriting,
  bothRights,
  D,
  hasFlagsBeside,
  hasReservedBits,
  includesRights,
  isAccessed,
  isDirty,
  isLarge,
  isPresent,
  linearLeaf,
  neededRights,
  P,
  pageNumber,
  PSE,
  rightsOf,
  RW,
  shadowRights,
  touched,
  US,
} from './entry.js';
import { guestEntry, vaddr } from './vocabulary/index.js';

describe('flags', () => {
  it.each([
    [isPresent, P, 0x1],
    [isAccessed, A, 0x20],
    [isDirty, D, 0x40],
    [isLarge, PSE, 0x80],
  ])('%o reads its own bit and no other', (reads, bit, value) => {
    expect(bit).toBe(value);
    expect(reads(guestEntry(bit))).toBe(true);
    expect(reads(guestEntry(~bit, ~0))).toBe(false);
  });

  it('below bit 12 are told from the page number above', () => {
    expect(hasFlagsBeside(guestEntry(0xfffff001, ~0), P)).toBe(false);
    expect(hasFlagsBeside(guestEntry(0x801), P)).toBe(true);
    expect(hasFlagsBeside(guestEntry(P | RW | US | A | D), P | RW | US | A | D)).toBe(false);
  });
});

describe('the page number', () => {
  it('is bits 12–31 in 2-level', () => {
    expect(pageNumber(guestEntry(0xfffff000))).toBe(0xfffff);
    expect(pageNumber(guestEntry(0xfff))).toBe(0);
  });

  it('is all bits from 12 up in PAE, exact to the last of 52', () => {
    expect(pageNumber(guestEntry(0, 1))).toBe(2 ** 20);
    expect(pageNumber(guestEntry(~0, ~0))).toBe(2 ** 52 - 1);
    expect(pageNumber(guestEntry(0xffffe000, ~0))).toBe(2 ** 52 - 2);
  });
});

describe('reserved bits', () => {
  it('are 44–63', () => {
    expect(hasReservedBits(guestEntry(~0, 0x00000fff))).toBe(false);
    expect(hasReservedBits(guestEntry(0, 0x00001000))).toBe(true);
    expect(hasReservedBits(guestEntry(0, 0x80000000))).toBe(true);
  });
});

describe('rights', () => {
  it('are RW and US, and nothing else of the entry', () => {
    expect(rightsOf(guestEntry(~0, ~0))).toBe(RW | US);
    expect(rightsOf(guestEntry(~(RW | US), ~0))).toBe(0);
  });

  it('of several levels are their AND', () => {
    expect(bothRights(rightsOf(guestEntry(RW)), rightsOf(guestEntry(US)))).toBe(0);
    expect(bothRights(ALL_RIGHTS, rightsOf(guestEntry(US)))).toBe(US);
  });

  it.each([
    ['read', 'kernel', 0],
    ['write', 'kernel', RW],
    ['read', 'user', US],
    ['write', 'user', RW | US],
  ] as const)('needed by a %s for the %s', (kind, mode, bits) => {
    const needed = neededRights(kind, mode);
    expect(needed).toBe(bits);
    expect(includesRights(ALL_RIGHTS, needed)).toBe(true);
    expect(includesRights(rightsOf(guestEntry(0)), needed)).toBe(bits === 0);
  });

  it.each([
    ['clean, read-only', 0, 0],
    ['clean, writable', RW, 0],
    ['dirty, read-only', D, 0],
    ['dirty, writable', D | RW, RW],
    ['dirty, writable, user', D | RW | US, RW | US],
    ['clean, writable, user', RW | US, US],
  ])('of a shadow leaf: %s', (_, flags, rights) => {
    expect(shadowRights(guestEntry(flags))).toBe(rights);
    expect(allowsWriting(shadowRights(guestEntry(flags)))).toBe((rights & RW) !== 0);
  });
});

describe('a touched leaf', () => {
  it('gets A by a read, A and D by a write, and keeps the rest', () => {
    expect(touched(guestEntry(0x5007, 3), 'read')).toEqual(guestEntry(0x5027, 3));
    expect(touched(guestEntry(0xfffff007, 3), 'write')).toEqual(guestEntry(0xfffff067, 3));
  });
});

describe('linear mode', () => {
  it('maps an address to its own page, P|RW, supervisor', () => {
    expect(linearLeaf(vaddr(0x5abc))).toEqual(guestEntry(0x5003));
    expect(linearLeaf(vaddr(0xffbfffff))).toEqual(guestEntry(0xffbff003));
  });
});
