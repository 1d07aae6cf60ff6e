import { describe, expect, test } from 'vitest';
import type { Paging } from '../model/vocabulary/index.js';
import { guestEntry, paddr, vaddr } from '../model/vocabulary/index.js';
import { GuestMemory } from './guest-memory.js';
import { GuestState } from './guest-state.js';
import type { WalkEnd } from './guest-walk.js';
import { GuestWalk } from './guest-walk.js';

const ROOT = 0x1000;

class Tables {
  readonly guest = new GuestState();
  readonly ram = new GuestMemory();
  readonly walk = new GuestWalk(this);

  constructor(paging: Paging) {
    this.guest.reset({ paging, guestPages: 16, devicePages: 2, hostCpus: 1, draw: 0, failAllocation: 0 });
    this.ram.reset(16, paging === 'pae');
  }

  put(address: number, low: number, high = 0): this {
    this.ram.store(paddr(address), guestEntry(low, high));
    return this;
  }

  checked(address: number, root = ROOT): WalkEnd {
    return this.walk.checked(paddr(root), vaddr(address));
  }

  unchecked(address: number, root = ROOT): WalkEnd {
    return this.walk.unchecked(paddr(root), vaddr(address));
  }
}

/** Root at page 1, leaf table at page 3 (in PAE below a middle table at page 2). */
const flat = (): Tables => new Tables('2-level').put(0x1ffc - 4, 0x3067).put(0x3ffc, 0x5063);
const pae = (): Tables => new Tables('pae').put(0x1018, 0x2001).put(0x2000, 0x3065).put(0x3ff8, 0x5063);

describe('each level is found by its part of the address', () => {
  test('2-level: 10, 10 and 12 bits', () => {
    const tables = flat();
    expect(tables.checked(0xffbff123)).toBe('leaf');
    expect([tables.walk.leafAddress, tables.walk.leafLow, tables.walk.upperRights]).toEqual([0x3ffc, 0x5063, 6]);
    expect(tables.checked(0xffbfe000)).toBe('absent');
    expect(tables.checked(0)).toBe('absent');
  });

  test('pae: 2, 9, 9 and 12 bits, and the rights of the middle entry', () => {
    const tables = pae();
    expect(tables.checked(0xc01ff123)).toBe('leaf');
    expect([tables.walk.leafAddress, tables.walk.leafLow, tables.walk.upperRights]).toEqual([0x3ff8, 0x5063, 4]);
    expect(tables.checked(0xc03ff000)).toBe('absent');
    expect(tables.checked(0x801ff000)).toBe('absent');
  });
});

/** A top or a middle entry, and what a checked walk makes of it. */
const DIRECTORY = 'bad page directory entry';
const MIDDLE = 'bad page middle directory entry';
const FLAGS = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800] as const;

describe('entries above the leaf', () => {
  test.each(FLAGS)('2-level top with flag %i', (flag) => {
    const tables = flat().put(0x1000, 0x3001 | flag);
    expect(tables.checked(0)).toBe((flag & 0x67) === 0 ? 'killed' : 'absent');
    expect(tables.guest.killedFor?.reason).toBe((flag & 0x67) === 0 ? DIRECTORY : undefined);
  });

  test.each(FLAGS)('pae top and middle with flag %i', (flag) => {
    const top = pae().put(0x1000, 0x2001 | flag);
    expect(top.checked(0x400000)).toBe(flag === 1 ? 'absent' : 'killed');
    expect(top.guest.killedFor?.reason).toBe(flag === 1 ? undefined : DIRECTORY);
    const middle = pae().put(0x2008, 0x3001 | flag);
    expect(middle.checked(0xc0200000)).toBe((flag & 0x67) === 0 ? 'killed' : 'absent');
    expect(middle.guest.killedFor?.reason).toBe((flag & 0x67) === 0 ? MIDDLE : undefined);
  });

  test.each([
    ['the last page of RAM', 0xf001, 0, undefined],
    ['the page behind RAM, also if a device is there', 0x10001, 0, DIRECTORY],
    ['a page number with bit 32', 0x2001, 1, DIRECTORY],
    ['a reserved bit', 0x2001, 0x80000000, DIRECTORY],
  ] as const)('pae top that names %s', (_name, low, high, reason) => {
    const tables = pae().put(0x1000, low, high);
    tables.checked(0);
    expect(tables.guest.killedFor?.reason).toBe(reason);
  });

  test('an entry that is not present may hold anything', () => {
    const tables = pae().put(0x1000, 0xfffffffe, 0xffffffff).put(0x2008, 0xfffffffe, 0xffffffff);
    expect(tables.checked(0)).toBe('absent');
    expect(tables.checked(0xc0200000)).toBe('absent');
    expect(tables.guest.killedFor).toBeUndefined();
  });
});

describe('a word outside RAM kills', () => {
  test.each([
    ['2-level', 0x10000, 0, 'bad read address 0x10000 len 4'],
    ['2-level', 0xfffff000, 0xffffffff, 'bad read address 0xfffffffc len 4'],
    ['pae', 0xffffffe0, 0xc0000000, 'bad read address 0xfffffff8 len 8'],
  ] as const)('%s root %i', (paging, root, address, reason) => {
    const tables = new Tables(paging);
    expect(tables.checked(address, root)).toBe('killed');
    expect(tables.guest.killedFor?.reason).toBe(reason);
  });

  test('the last root that lies in RAM does not', () => {
    expect(new Tables('pae').checked(0xffffffff, 0xffe0)).toBe('absent');
  });
});

describe('the unchecked walk', () => {
  test('follows entries of any flags', () => {
    const tables = pae().put(0x1000, 0x2fff).put(0x2000, 0x3fff).put(0x3000, 0x5fff);
    expect(tables.unchecked(0)).toBe('leaf');
    expect(tables.guest.killedFor).toBeUndefined();
  });

  test('takes a table’s address modulo 2³²', () => {
    const tables = pae().put(0x1000, 0x2001, 0xff).put(0x2000, 0x3001, 0xffffffff).put(0x3000, 0x5001);
    expect(tables.unchecked(0)).toBe('leaf');
    expect(tables.walk.leafAddress).toBe(0x3000);
  });

  test('kills for a word outside RAM at every level', () => {
    const middle = pae().put(0x1000, 0x80000001);
    expect([middle.unchecked(0), middle.guest.killedFor?.reason]).toEqual([
      'killed',
      'bad read address 0x80000000 len 8',
    ]);
    const leaf = pae().put(0x2000, 0x80000001);
    expect([leaf.unchecked(0xc0001000), leaf.guest.killedFor?.reason]).toEqual([
      'killed',
      'bad read address 0x80000008 len 8',
    ]);
  });
});

test.each([
  [0xf001, 0, 'ram'],
  [0x10001, 0, 'device'],
  [0x11001, 0, 'device'],
  [0x12001, 0, 'bad'],
  [0xf081, 0, 'bad'],
  [0x10081, 0, 'bad'],
  [0xf001, 1, 'bad'],
  [0xf001, 0x1000, 'bad'],
  [0x10001, 0x80000000, 'bad'],
] as const)('a leaf %i with upper half %i names: %s', (low, high, place) => {
  expect(new Tables('pae').walk.placeOf(low, high)).toBe(place);
});

test('in linear mode an address has an entry of its own', () => {
  const { walk } = new Tables('2-level');
  expect(walk.linear(vaddr(0x80003fff))).toBe('leaf');
  expect([walk.leafLow, walk.upperRights]).toEqual([0x80003003, 6]);
});
