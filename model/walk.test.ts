import { describe, expect, it } from 'vitest';
import { ALL_RIGHTS, RW, US } from './entry.js';
import { GuestRam } from './guest-ram.js';
import type { Paging } from './vocabulary/index.js';
import { guestEntry, KILL, killedFor, paddr, PAGE_BITS, PAGINGS, pagingSizes, vaddr } from './vocabulary/index.js';
import type { Level, Strictness } from './walk.js';
import { indexAt, linearTranslation, TOP_LEVEL, walkGuest } from './walk.js';

const GUEST_PAGES = 64;
const ROOT = paddr(0x1000);
/** Translated by entry 3 of each table on the way. */
const ADDRESS = { '2-level': vaddr(0x00c03abc), pae: vaddr(0xc0603abc) };

/** The leaf table is page 2, the middle table page 4; their entries sit at index 3. */
const ramWith = (paging: Paging, words: Record<number, readonly [low: number, high?: number]>): GuestRam => {
  const ram = new GuestRam(GUEST_PAGES, pagingSizes(paging).entryBytes);
  for (const [address, [low, high]] of Object.entries(words)) {
    ram.store(paddr(Number(address)), guestEntry(low, high));
  }
  return ram;
};

const walk = (paging: Paging, ram: GuestRam, root = ROOT, strictness: Strictness = 'checked') =>
  walkGuest(ram, TOP_LEVEL[paging], root, ADDRESS[paging], strictness);

const levelsOf = (level: Level): Level[] => (level.kind === 'leaf' ? [level] : [level, ...levelsOf(level.below)]);

describe.each(PAGINGS)('the address split in %s', (paging) => {
  const levels = levelsOf(TOP_LEVEL[paging]);
  const sizes = pagingSizes(paging);

  it('fills 32 bits without gap or overlap', () => {
    let end = 32;
    for (const level of levels) {
      end -= Math.log2(level.entries);
      expect(level.lowestBit).toBe(end);
    }
    expect(end).toBe(PAGE_BITS);
  });

  it('agrees with the sizes that both machines share', () => {
    expect(levels.length - 1).toBe(sizes.tableLevels);
    expect(levels[0]?.entries).toBe(sizes.rootEntries);
    expect(2 ** (levels[0]?.lowestBit ?? 0)).toBe(sizes.rootEntryReach);
    expect(2 ** (levels.at(-2)?.lowestBit ?? 0)).toBe(sizes.leafTableReach);
    for (const level of levels.slice(1)) expect(level.entries).toBe(sizes.tableEntries);
  });

  it('finds the last entry of every table for the last address', () => {
    for (const level of levels) expect(indexAt(level, vaddr(0xffffffff))).toBe(level.entries - 1);
  });
});

describe('a 2-level walk', () => {
  it('reads PGD and PTE, and answers the PGD entry’s rights', () => {
    const ram = ramWith('2-level', { 0x100c: [0x2005], 0x200c: [0x5067] });
    expect(walk('2-level', ram)).toEqual({
      kind: 'translated',
      leaf: guestEntry(0x5067),
      home: 0x200c,
      upperRights: US,
    });
  });

  it.each([
    ['PGD', { 0x200c: [0x5067] }],
    ['PTE', { 0x100c: [0x2067], 0x200c: [0x5066] }],
  ] as const)('is absent where the %s entry is not present', (_, words) => {
    expect(walk('2-level', ramWith('2-level', words))).toEqual({ kind: 'absent' });
  });

  it.each([0x8, 0x10, 0x80, 0x100, 0x200, 0x400, 0x800])('kills for bit %i in a PGD entry', (bit) => {
    const ram = ramWith('2-level', { 0x100c: [0x2067 | bit], 0x200c: [0x5067] });
    expect(walk('2-level', ram)).toEqual(killedFor('bad page directory entry'));
    expect(walk('2-level', ram, ROOT, 'unchecked').kind).toBe('translated');
  });

  it('kills for a PGD entry whose page is not RAM, a device page too', () => {
    expect(walk('2-level', ramWith('2-level', { 0x100c: [0x40067] }))).toEqual(killedFor('bad page directory entry'));
    expect(walk('2-level', ramWith('2-level', { 0x100c: [0x3f067] })).kind).toBe('absent');
  });

  it('does not look at a PGD entry’s other bits while it is not present', () => {
    expect(walk('2-level', ramWith('2-level', { 0x100c: [0xffffffe] }))).toEqual({ kind: 'absent' });
  });

  it('kills for a root outside RAM', () => {
    expect(walk('2-level', ramWith('2-level', {}), paddr(0x40000))).toEqual(
      killedFor('bad read address 0x4000c len 4'),
    );
  });

  it('unchecked kills for a table outside RAM', () => {
    const ram = ramWith('2-level', { 0x100c: [0xfffff001] });
    expect(walk('2-level', ram, ROOT, 'unchecked')).toEqual(killedFor('bad read address 0xfffff00c len 4'));
  });
});

describe('a PAE walk', () => {
  it('reads PGD, PMD and PTE, and answers the PMD entry’s rights', () => {
    const ram = ramWith('pae', { 0x1018: [0x4001], 0x4018: [0x2003], 0x2018: [0x5067, 0xff] });
    expect(walk('pae', ram)).toEqual({
      kind: 'translated',
      leaf: guestEntry(0x5067, 0xff),
      home: 0x2018,
      upperRights: RW,
    });
  });

  it.each([
    ['PGD', { 0x4018: [0x2067], 0x2018: [0x5067] }],
    ['PMD', { 0x1018: [0x4001], 0x4018: [0xfff066, ~0], 0x2018: [0x5067] }],
    ['PTE', { 0x1018: [0x4001], 0x4018: [0x2067], 0x2018: [0x5066] }],
  ] as const)('is absent where the %s entry is not present', (_, words) => {
    expect(walk('pae', ramWith('pae', words))).toEqual({ kind: 'absent' });
  });

  it.each([0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200])('kills for bit %i in a PGD entry', (bit) => {
    const ram = ramWith('pae', { 0x1018: [0x4001 | bit] });
    expect(walk('pae', ram)).toEqual(KILL.badDirectoryEntry);
  });

  it.each([0x8, 0x10, 0x80, 0x100, 0x200, 0x400, 0x800])('kills for bit %i in a PMD entry', (bit) => {
    const ram = ramWith('pae', { 0x1018: [0x4001], 0x4018: [0x2067 | bit] });
    expect(walk('pae', ram)).toEqual(killedFor('bad page middle directory entry'));
  });

  it.each([
    ['above RAM', [0x40001, 0]],
    ['above 2³² bytes', [0x4001, 1]],
    ['reserved', [0x4001, 0x80000000]],
  ] as const)('kills for a page number %s in a PGD or PMD entry', (_, [low, high]) => {
    expect(walk('pae', ramWith('pae', { 0x1018: [low, high] }))).toEqual(killedFor('bad page directory entry'));
    expect(walk('pae', ramWith('pae', { 0x1018: [0x4001], 0x4018: [low, high] }))).toEqual(
      killedFor('bad page middle directory entry'),
    );
  });

  it('kills for a root outside RAM', () => {
    expect(walk('pae', ramWith('pae', {}), paddr(0xffffffe0))).toEqual(killedFor('bad read address 0xfffffff8 len 8'));
  });

  it('unchecked takes a table’s address modulo 2³²', () => {
    const ram = ramWith('pae', { 0x1018: [0x4fff, ~0], 0x4018: [0x2fff, 0x1234], 0x2018: [0x5001] });
    expect(walk('pae', ram, ROOT, 'unchecked')).toMatchObject({ kind: 'translated', leaf: guestEntry(0x5001) });
  });
});

it('linear mode translates an address to itself, and no table holds the leaf', () => {
  expect(linearTranslation(vaddr(0x5abc))).toEqual({
    kind: 'translated',
    leaf: guestEntry(0x5003),
    home: undefined,
    upperRights: ALL_RIGHTS,
  });
});
