import { describe, expect, test } from 'vitest';
import { duration, wholeNumber } from './option-values.js';

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['60s', 60_000],
    ['1.5m', 90_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['24h', 86_400_000],
    ['0.001s', 1],
  ])('%s is %i ms', (text, milliseconds) => {
    expect(duration(text)).toBe(milliseconds);
  });

  test.each(['', '60', 's', '-1s', '1 s', '1e3s', '0s', '0.0001s', '25h', '1d', '1s1s', '９s', 'NaNs', '99999999999s'])(
    '%j is refused',
    (text) => {
      expect(() => duration(text)).toThrow(/such as 500ms|from 1ms to 24h/);
    },
  );
});

describe('a whole number', () => {
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
});
