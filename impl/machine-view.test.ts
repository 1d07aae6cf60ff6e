import { beforeEach, describe, expect, test } from 'vitest';
import type { ShadowLeaf, ShadowTable, Step } from '../model/vocabulary/index.js';
import { SLOTS, paddr, slot, vaddr } from '../model/vocabulary/index.js';
import { access, guestPa, init, migrate, newPgtable, setPte, store } from '../test-support/steps.js';
import { ShadowMachine } from './shadow-machine.js';

const machine = new ShadowMachine();
const { shadow } = machine;
const apply = (...steps: readonly Step[]): void => {
  for (const step of steps) machine.apply(step);
};

beforeEach(() => {
  machine.create({ paging: '2-level', guestPages: 16, devicePages: 1, hostCpus: 1, draw: 1, failAllocation: 0 });
  apply(init());
  apply(store(0x1000, 0x2065), store(0x1c00, 0x3067), store(0x2ffc, 0x5067), store(0x3000, 0x6063));
  apply(newPgtable(0x1000, 2));
});

const leaves = (index: number): readonly ShadowLeaf[] => {
  const found: ShadowLeaf[] = [];
  shadow.forEachLeaf(slot(index), (leaf) => found.push({ ...leaf }));
  return found;
};

describe('slots', () => {
  test('show which is current, which have a root page, and what they shadow', () => {
    expect(shadow.currentSlot).toBe(2);
    expect([0, 1, 2, 3].map((index) => shadow.hasRoot(slot(index)))).toEqual([false, true, true, false]);
    expect([1, 2].map((index) => shadow.guestRoot(slot(index)))).toEqual([undefined, 0x1000]);
  });
});

describe('leaves', () => {
  test('come by ascending address, with the rights of leaf and upper entry', () => {
    apply(access(0xc0000000), access(0x3ff123));
    expect(leaves(2)).toMatchObject([
      { vaddr: 0x3ff000, target: 'ram', page: 5, writable: true, user: true, upperWritable: false, upperUser: true },
      { vaddr: 0xc0000000, target: 'ram', page: 6, writable: true, user: false, upperWritable: true, upperUser: true },
      { vaddr: 0xffc00000, target: 'switcher-text' },
      { vaddr: 0xffc01000, target: 'switcher-registers' },
      { vaddr: 0xffc02000, target: 'switcher-state', page: 0 },
    ]);
    expect(shadow.leafCountIn(slot(2), 0, 2 ** 32)).toBe(5);
  });

  test.each([
    [0xc0000000, 4],
    [0xc0000001, 3],
    [0xffc01000, 2],
    [0xffc02001, 0],
  ])('from 0x%x on are %i', (from, count) => {
    apply(access(0xc0000000), access(0x3ff123));
    const found: number[] = [];
    shadow.forEachLeafFrom(slot(2), vaddr(from), (leaf) => found.push(leaf.vaddr));
    expect(found).toEqual(
      leaves(2)
        .map((leaf) => leaf.vaddr)
        .slice(5 - count),
    );
    expect(shadow.leafCountIn(slot(2), from, 2 ** 32)).toBe(count);
  });

  test('are found by any address of their page, and only where one is present', () => {
    apply(access(0x3ff123));
    expect(shadow.leafAt(slot(2), vaddr(0x3fffff))).toMatchObject({ vaddr: 0x3ff000, page: 5 });
    expect(shadow.leafAt(slot(2), vaddr(0x3fefff))).toBeUndefined();
    expect(shadow.leafAt(slot(2), vaddr(0x800000))).toBeUndefined();
    expect(shadow.leafAt(slot(0), vaddr(0x3ff000))).toBeUndefined();
  });

  test('written in a step are those of the last step that are still there', () => {
    const written = (): number[] => {
      const addresses: number[] = [];
      shadow.forEachWrittenLeaf((leaf) => addresses.push(leaf.vaddr));
      return addresses;
    };
    apply(access(0x3ff123));
    expect(written()).toEqual([0xffc01000, 0xffc02000, 0x3ff000]);
    expect(written(), 'asked again').toEqual([0xffc01000, 0xffc02000, 0x3ff000]);
    apply(access(0x3ff123));
    expect(written()).toEqual([]);
    apply(access(0xc0000000));
    expect(written()).toEqual([0xc0000000]);
    machine.tables.releaseTables(slot(2));
    expect(written()).toEqual([]);
  });

  test('of a page that no leaf may map are stray', () => {
    apply(access(0x3ff123));
    machine.tables.findTable(slot(2), vaddr(0x3ff000));
    machine.host.write(machine.tables.leafOffset, (17 << 12) | 1);
    expect(shadow.leafAt(slot(2), vaddr(0x3ff000))).toMatchObject({ target: 'stray', page: 17 });
  });
});

describe('tables', () => {
  const tables = (): ShadowTable[] => {
    const found: ShadowTable[] = [];
    shadow.forEachTable((table) => found.push({ ...table }));
    return found;
  };

  test('are walked from every root', () => {
    apply(access(0xc0000000));
    expect(tables()).toMatchObject([
      { slot: 1, depth: 0, vaddr: 0, allocated: true },
      { slot: 2, depth: 0, vaddr: 0, allocated: true },
      { slot: 2, depth: 1, vaddr: 0xc0000000, allocated: true },
      { slot: 2, depth: 1, vaddr: 0xffc00000, allocated: true },
    ]);
    expect(new Set(tables().map(({ frame }) => frame)).size).toBe(shadow.allocatedTables);
  });

  test('that were freed and stay linked are seen as such, and nothing is seen in them', () => {
    apply(access(0xc0000000));
    const freed = tables().find(({ vaddr: address }) => address === 0xc0000000)!;
    machine.host.free(freed.frame);
    expect(tables()).toContainEqual({ ...freed, allocated: false });
    expect(shadow.leafAt(slot(2), vaddr(0xc0000000))).toBeUndefined();
    expect(leaves(2)).not.toContainEqual(expect.objectContaining({ vaddr: 0xc0000000 }));
  });
});

describe('versions', () => {
  test('grow when something changes and only then', () => {
    apply(access(0x3ff000));
    const { shadowVersion, tableVersion } = shadow;
    apply(access(0x3ff004), store(0x8000, 1), migrate(0), guestPa(0x3ff000));
    expect([shadow.shadowVersion, shadow.tableVersion]).toEqual([shadowVersion, tableVersion]);
    apply(setPte(0x1000, 0x3ff000, 0));
    expect([shadow.shadowVersion > shadowVersion, shadow.tableVersion]).toEqual([true, tableVersion]);
    apply(access(0xc0000000));
    expect(shadow.tableVersion).toBeGreaterThan(tableVersion);
  });

  test('do not grow by looking', () => {
    apply(access(0x3ff000));
    const { shadowVersion, tableVersion } = shadow;
    for (let index = 0; index < SLOTS; index++) leaves(index);
    shadow.forEachTable(() => undefined);
    shadow.leafAt(slot(2), vaddr(0x3ff000));
    expect([shadow.shadowVersion, shadow.tableVersion]).toEqual([shadowVersion, tableVersion]);
  });
});

test('guest RAM can be read, and every word ever written is named', () => {
  expect(machine.ram.word(paddr(0x1000))).toEqual({ low: 0x2065, high: 0 });
  const addresses: number[] = [];
  machine.ram.forEachWritten((address) => addresses.push(address));
  expect(addresses).toEqual([0x1000, 0x1c00, 0x2ffc, 0x3000]);
});
