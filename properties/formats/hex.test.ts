import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guestEntry } from '../../model/vocabulary/index.js';
import { formatHex, formatHexEntry, isHex, parseHexAddress, parseHexEntry } from './hex.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });

test('an address survives writing and reading, with any number of leading zeros', () => {
  fc.assert(
    fc.property(u32, fc.nat(30), (address, zeros) => {
      expect(parseHexAddress(formatHex(address))).toBe(address);
      expect(parseHexAddress(`0x${'0'.repeat(zeros)}${address.toString(16)}`)).toBe(address);
    }),
  );
});

test('an entry survives writing and reading, with any number of leading zeros', () => {
  fc.assert(
    fc.property(u32, fc.oneof(fc.constant(0), u32), fc.nat(30), (low, high, zeros) => {
      const text = formatHexEntry(guestEntry(low, high));
      expect(BigInt(text)).toBe((BigInt(high) << 32n) | BigInt(low));
      expect(parseHexEntry(text)).toEqual(guestEntry(low, high));
      expect(parseHexEntry(text.replace('0x', `0x${'0'.repeat(zeros)}`))).toEqual(guestEntry(low, high));
    }),
  );
});

test('zero is 0x0', () => {
  expect(formatHex(0)).toBe('0x0');
  expect(formatHexEntry(guestEntry(0))).toBe('0x0');
});

test('what is wider than its place has no value', () => {
  expect(parseHexAddress('0xffffffff')).toBe(0xffffffff);
  expect(parseHexAddress('0x100000000')).toBeUndefined();
  expect(parseHexEntry('0xffffffffffffffff')).toEqual(guestEntry(0xffffffff, 0xffffffff));
  expect(parseHexEntry('0x10000000000000000')).toBeUndefined();
});

test.each(['', '0x', '5067', '0X1', '0xAB', '0x1g', ' 0x1', '0x1\n', '-0x1', '0x1.5'])('%j is not hex', (text) => {
  expect(isHex(text)).toBe(false);
});
