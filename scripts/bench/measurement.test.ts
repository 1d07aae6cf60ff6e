import { expect, test } from 'vitest';
import { figureOf, fittedLine, ratioOf } from './measurement.js';

const NAMED = { id: 'x', title: 'X', unit: 'ns' } as const;

test('a figure is the median and the spread, in whatever order the values came', () => {
  expect(figureOf(NAMED, [9, 1, 5])).toEqual({ ...NAMED, median: 5, least: 1, most: 9 });
});

test('a ratio is taken round by round: a round in which everything was slow changes nothing', () => {
  const rounds = [
    { one: 2, other: 1 },
    { one: 200, other: 100 },
  ];
  const { median, least, most } = ratioOf({ id: 'x', title: 'X' }, rounds, (round) => round['one'] / round['other']);
  expect({ median, least, most }).toEqual({ median: 2, least: 2, most: 2 });
});

test('the line through points', () => {
  const { slope, base } = fittedLine([
    [16, 580],
    [64, 2020],
    [4096, 122_980],
  ]);
  expect(slope).toBeCloseTo(30);
  expect(base).toBeCloseTo(100);
});
