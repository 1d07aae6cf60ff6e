import { expect, test } from 'vitest';
import { wholeNumber } from './whole-number.js';

const upToTen = wholeNumber(1, 10);

test('both bounds are included', () => {
  expect(upToTen('1')).toBe(1);
  expect(upToTen('10')).toBe(10);
});

test.each(['', '0', '11', '-1', '1.5', '1e0', '0x1', ' 1', '1 ', 'ten', '9999999999999999'])(
  '%j is refused',
  (text) => {
    expect(() => upToTen(text)).toThrow('Give a whole number from 1 to 10.');
  },
);
