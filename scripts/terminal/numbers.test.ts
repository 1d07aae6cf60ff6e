import { expect, test } from 'vitest';
import { compactCount, counted, formatCount, formatShare, formatTime, oddsText } from './numbers.js';

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1_234_567, '1,234,567'],
])('%i in full is %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1.0k'],
  [999_949, '999.9k'],
  [999_950, '1.0M'],
  [1_234_567, '1.2M'],
  [3e9, '3.0G'],
])('%i in short is %s', (count, text) => {
  expect(compactCount(count)).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [9_940, '9.9 s'],
  [9_960, '10 s'],
  [59_600, '1 m 00 s'],
  [185_000, '3 m 05 s'],
  [3_725_000, '1 h 02 m'],
])('%i ms are %s', (milliseconds, text) => {
  expect(formatTime(milliseconds)).toBe(text);
});

test('of nothing there is no share', () => {
  expect(formatShare(0, 0)).toBe('-');
  expect(formatShare(1, 8)).toBe('12.5 %');
});

test('one is not many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'step'))).toEqual(['0 steps', '1 step', '2 steps']);
});

test.each([
  [0, '0'],
  [0.0365, '1 in 27'],
  [1 / 12_345, '1 in 12,345'],
  [3, '1 in 1'],
])('the probability %d', (probability, text) => {
  expect(oddsText(probability)).toBe(text);
});
