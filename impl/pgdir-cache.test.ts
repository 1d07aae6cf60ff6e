import { beforeEach, describe, expect, test } from 'vitest';
import { paddr, slot, vaddr } from '../model/vocabulary/index.js';
import { GuestState } from './guest-state.js';
import { HostMemory } from './host-memory.js';
import { PageReferences } from './page-references.js';
import { PgdirCache } from './pgdir-cache.js';
import { GUEST_FRAME, PRESENT, packed } from './shadow-entry.js';
import { ShadowTables } from './shadow-tables.js';

const guest = new GuestState();
const host = new HostMemory();
const references = new PageReferences();
const tables = new ShadowTables({ guest, host, references });
const cache = new PgdirCache({ guest, host, tables });

beforeEach(() => {
  guest.reset({ paging: 'pae', guestPages: 16, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 });
  host.reset(512);
  references.reset(1);
  tables.reset();
  cache.reset();
  guest.kernelAddress = vaddr(0xc0000000);
});

const map = (index: number, address: number): void => {
  tables.makeTable(slot(index), vaddr(address), 0);
  references.take(GUEST_FRAME);
  tables.install(slot(index), vaddr(address), tables.leafOffset, packed(GUEST_FRAME, PRESENT));
};
const maps = (index: number, address: number): boolean =>
  tables.findTable(slot(index), vaddr(address)) && (host.words[tables.leafOffset] & PRESENT) !== 0;

describe('lookup', () => {
  test('is by the exact root', () => {
    cache.choose(paddr(0x1020), 2);
    expect([cache.find(paddr(0x1020)), cache.find(paddr(0x1000)), cache.find(paddr(0x1040))]).toEqual([
      2,
      undefined,
      undefined,
    ]);
  });

  test('answers the lowest slot', () => {
    cache.choose(paddr(0x2000), 3);
    cache.choose(paddr(0x2000), 1);
    expect(cache.find(paddr(0x2000))).toBe(1);
  });

  test('root 0 is found only once a slot was given it', () => {
    tables.roots[0] = host.allocate();
    expect(cache.find(paddr(0))).toBeUndefined();
    cache.choose(paddr(0), 3);
    expect(cache.find(paddr(0))).toBe(3);
  });
});

describe('choice', () => {
  test.each([
    [0, 0],
    [3, 3],
    [4, 0],
    [7, 3],
    [0xffffffff, 3],
  ])('draw %i takes slot %i', (draw, chosen) => {
    expect(cache.choose(paddr(0x1000), draw)).toBe(chosen);
  });

  test('a slot without a root page gets one and is blank; a slot with one is not', () => {
    cache.choose(paddr(0x1000), 1);
    expect([cache.blank, host.tableCount]).toEqual([true, 1]);
    cache.choose(paddr(0x2000), 1);
    expect([cache.blank, host.tableCount, cache.guestRoot(slot(1))]).toEqual([false, 1, 0x2000]);
  });

  test('without memory the current slot is taken, and is not blank', () => {
    guest.current = cache.choose(paddr(0x1000), 1);
    map(1, 0x1000);
    host.failAfter(0, 1);
    expect(cache.choose(paddr(0x2000), 2)).toBe(1);
    expect([cache.blank, cache.find(paddr(0x1000)), cache.find(paddr(0x2000)), maps(1, 0x1000)]).toEqual([
      false,
      undefined,
      1,
      false,
    ]);
    expect(cache.hasRoot(slot(2))).toBe(false);
  });

  test('flushes the user half of the slot taken, and of no other', () => {
    for (const index of [0, 1]) {
      cache.choose(paddr(0x1000 * (index + 1)), index);
      map(index, 0x1000);
      map(index, 0xc0000000);
    }
    cache.choose(paddr(0x5000), 1);
    expect([maps(0, 0x1000), maps(1, 0x1000), maps(1, 0xc0000000)]).toEqual([true, false, true]);
  });
});
