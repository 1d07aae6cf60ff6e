import { describe, expect, test } from 'vitest';
import type { Paging, Vaddr } from '../model/vocabulary/index.js';
import { PAGINGS, slot, vaddr } from '../model/vocabulary/index.js';
import { GuestState } from './guest-state.js';
import { HostMemory } from './host-memory.js';
import { PageReferences } from './page-references.js';
import { FULL_RIGHTS, GUEST_FRAME, PRESENT, packed } from './shadow-entry.js';
import { ShadowTables } from './shadow-tables.js';

const S = slot(0);

/** Tables of slot 0, with leaves put in directly. */
class Slots {
  readonly guest = new GuestState();
  readonly host = new HostMemory();
  readonly references = new PageReferences();
  readonly tables = new ShadowTables(this);

  constructor(paging: Paging) {
    this.guest.reset({ paging, guestPages: 64, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 });
    this.host.reset(this.guest.sizes.tableEntries);
    this.references.reset(1);
    this.tables.reset();
    this.tables.roots[S] = this.host.allocate();
  }

  map(address: number, page = 1): void {
    this.tables.makeTable(S, vaddr(address), FULL_RIGHTS);
    this.references.take(GUEST_FRAME + page);
    this.tables.install(S, vaddr(address), this.tables.leafOffset, packed(GUEST_FRAME + page, PRESENT));
  }

  maps(address: number): boolean {
    return this.tables.findTable(S, vaddr(address)) && (this.host.words[this.tables.leafOffset] & PRESENT) !== 0;
  }

  get held(): number {
    return this.references.held(64).reduce((sum, { count }) => sum + count, 0);
  }
}

describe.each(PAGINGS)('%s', (paging) => {
  const levels = paging === 'pae' ? 2 : 1;

  test('tables are made once, and found by every address that they reach', () => {
    const slots = new Slots(paging);
    slots.map(0x1000);
    expect(slots.host.tableCount).toBe(1 + levels);
    slots.map(0x1ff000);
    expect(slots.host.tableCount).toBe(1 + levels);
    expect([slots.maps(0x1000), slots.maps(0x1fff), slots.maps(0x2000), slots.maps(0x40000000)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('a table that cannot be allocated kills, and tables made before it stay linked', () => {
    for (let succeeding = 0; succeeding < levels; succeeding++) {
      const slots = new Slots(paging);
      slots.host.failAfter(succeeding, 1);
      expect(slots.tables.makeTable(S, vaddr(0), 0)).toBe(false);
      expect(slots.guest.killedFor?.reason).toBe(`out of memory allocating ${succeeding === 0 ? 'pte' : 'pmd'} page`);
      slots.tables.releaseTables(S);
      expect(slots.host.tableCount).toBe(1);
    }
  });

  test('a refresh of equal rights writes nothing', () => {
    const slots = new Slots(paging);
    slots.tables.makeTable(S, vaddr(0), FULL_RIGHTS);
    const { entryVersion } = slots.host;
    slots.tables.refreshUpper(FULL_RIGHTS);
    expect(slots.host.entryVersion).toBe(entryVersion);
    slots.tables.refreshUpper(0);
    expect(slots.host.words[slots.tables.upperOffset] & FULL_RIGHTS).toBe(0);
  });

  test('releasing all gives back references and tables, at entries 0 and last of every table', () => {
    const slots = new Slots(paging);
    for (const address of [0, 0x1ff000, 0x3ff000, 0x3ffff000, 0x40000000, 0xffbff000]) slots.map(address);
    slots.tables.releaseTables(S);
    expect([slots.held, slots.host.tableCount, slots.maps(0)]).toEqual([0, 1, false]);
    slots.tables.freeRoot(S);
    slots.tables.freeRoot(S);
    expect(slots.host.tableCount).toBe(0);
  });

  test('releasing a root entry spares its neighbours', () => {
    const slots = new Slots(paging);
    const reach = slots.guest.sizes.rootEntryReach;
    for (const index of [0, 1, 2]) slots.map(index * reach);
    slots.tables.releaseRootEntry(S, 1);
    expect([slots.maps(0), slots.maps(reach), slots.maps(2 * reach), slots.held]).toEqual([true, false, true, 2]);
    slots.tables.releaseRootEntry(S, 1);
    expect(slots.held).toBe(2);
  });

  test('what a release costs follows what is populated', () => {
    const slots = new Slots(paging);
    for (const address of [0, 0x1ff000, 0xbffff000]) slots.map(address);
    const { entryVersion } = slots.host;
    slots.tables.releaseTables(S);
    // Three leaves, and every table but the root is unlinked once.
    expect(slots.host.entryVersion - entryVersion).toBe(3 + 2 * levels);
    slots.tables.releaseTables(S);
    expect(slots.host.entryVersion - entryVersion).toBe(3 + 2 * levels);
  });

  test.each([0, 0x1000, 0x1fffff, 0x200000, 0x200001, 0x400000, 0x40000000, 0xc0000000, 0xc0001800, 0xc0200000])(
    'below %i every mapping goes, and no other',
    (limit) => {
      const slots = new Slots(paging);
      const places = [0, 0x1000, 0x1ff000, 0x200000, 0x3ff000, 0x400000, 0x40000000, 0xbffff000, 0xc0000000]
        .concat([0xc0001000, 0xc0002000, 0xc01ff000, 0xc0200000, 0xff800000])
        .map((address): Vaddr => vaddr(address));
      for (const place of places) slots.map(place);
      slots.tables.releaseBelow(S, vaddr(limit));
      expect(places.filter((place) => slots.maps(place))).toEqual(places.filter((place) => place >= limit));
    },
  );

  test('a table goes if its whole reach lies below, and stays if it straddles, even empty', () => {
    const slots = new Slots(paging);
    const reach = slots.guest.sizes.leafTableReach;
    slots.map(0);
    slots.map(reach);
    const before = slots.host.tableCount;
    slots.tables.releaseBelow(S, vaddr(reach + 4096));
    expect([slots.host.tableCount, slots.held]).toEqual([before - 1, 0]);
  });
});

test('leaves written in a step are noted up to the last thousand', () => {
  const slots = new Slots('2-level');
  for (let page = 0; page < 1030; page++) slots.map(page * 4096);
  expect(slots.tables.writtenCount).toBe(1030);
  expect(slots.tables.writtenAddresses[0]).toBe(1024 * 4096);
});
