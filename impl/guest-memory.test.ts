import { describe, expect, test } from 'vitest';
import { guestEntry, paddr } from '../model/vocabulary/index.js';
import { GuestMemory } from './guest-memory.js';

const memory = (wide: boolean): GuestMemory => {
  const ram = new GuestMemory();
  ram.reset(64, wide);
  return ram;
};

const written = (ram: GuestMemory): readonly number[] => {
  const addresses: number[] = [];
  ram.forEachWritten((address) => addresses.push(address));
  return addresses;
};

describe('a store', () => {
  test('of a 2-level entry touches four bytes', () => {
    const ram = memory(false);
    ram.store(paddr(0x1004), guestEntry(0xffffffff));
    expect([ram.low(paddr(0x1000)), ram.low(paddr(0x1004)), ram.low(paddr(0x1008))]).toEqual([0, 0xffffffff, 0]);
  });

  test('of a PAE entry touches eight, also with zeroes', () => {
    const ram = memory(true);
    ram.store(paddr(0x1008), guestEntry(0x80000001, 0x80000002));
    expect([ram.low(paddr(0x1008)), ram.high(paddr(0x1008))]).toEqual([0x80000001, 0x80000002]);
    ram.store(paddr(0x1008), guestEntry(1));
    expect([ram.low(paddr(0x1008)), ram.high(paddr(0x1008))]).toEqual([1, 0]);
  });

  test('is the guest’s own, and no change of the hypervisor', () => {
    const ram = memory(false);
    ram.store(paddr(0), guestEntry(5));
    expect(ram.takeChanges()).toEqual([]);
  });
});

describe('a write-back', () => {
  test('is listed in order, with the whole entry', () => {
    const ram = memory(true);
    ram.store(paddr(0x10), guestEntry(1, 7));
    ram.writeBack(paddr(0x10), 0x21, 7);
    ram.writeBack(paddr(8), 0x61, 0);
    expect(ram.takeChanges()).toEqual([
      { paddr: 0x10, value: { low: 0x21, high: 7 } },
      { paddr: 8, value: { low: 0x61, high: 0 } },
    ]);
    expect(ram.takeChanges()).toEqual([]);
  });

  test('of what is there already is no change', () => {
    const ram = memory(false);
    ram.store(paddr(4), guestEntry(0x21));
    ram.writeBack(paddr(4), 0x21, 0);
    expect(ram.takeChanges()).toEqual([]);
  });
});

test('every word that was ever other than zero is remembered, as the address of its entry', () => {
  const ram = memory(true);
  ram.store(paddr(0x18), guestEntry(0, 1));
  ram.store(paddr(0x20), guestEntry(1));
  ram.store(paddr(0x20), guestEntry(0));
  expect(written(ram)).toEqual([0x18, 0x20]);
});

test('a reset zeroes all words, however many there were, and makes room', () => {
  const ram = memory(false);
  for (let word = 0; word < 3000; word++) ram.store(paddr(word * 4), guestEntry(word + 1));
  ram.writeBack(paddr(0), 0x99, 0);
  ram.reset(4096, false);
  expect(written(ram)).toEqual([]);
  expect(ram.takeChanges()).toEqual([]);
  expect(Array.from({ length: 3000 }, (_, word) => ram.low(paddr(word * 4))).every((word) => word === 0)).toBe(true);
  ram.store(paddr(4096 * 4096 - 4), guestEntry(3));
  expect(ram.low(paddr(4096 * 4096 - 4))).toBe(3);
});
