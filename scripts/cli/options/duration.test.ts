import { expect, test } from 'vitest';
import { duration } from './duration.js';

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
