import { expect, test } from 'vitest';
import type { DefectRow, GuidedFigures } from './guided-figures.js';
import { bestShare, geometricMean, median, ratioOf, SHARES } from './guided-figures.js';

const figures = (defects: readonly DefectRow[], reached: readonly number[] = [7, 7, 7]): GuidedFigures => ({
  seeds: 1,
  mostSteps: 1000,
  reachable: 9,
  epoch: { steps: 1, seeds: 1, cells: 1, seconds: [0, 0] },
  reach: [{ steps: 1, reached, beyond: [0, 0, 0] }],
  seconds: [0, 0, 0],
  defects,
});

const row = (...medians: readonly number[]): DefectRow => ({ defect: 'x', medians });

test('a seed that was given up counts as the steps it was given', () => {
  expect(geometricMean([row(Infinity), row(10)], 0, 1000)).toBeCloseTo(100);
  expect(median([3, Infinity, 1])).toBe(3);
});

test('a ratio is the mean over defects, each beside itself', () => {
  const { ratio, least, most } = ratioOf(figures([row(10, 20, 10), row(1000, 500, 1000)]), 1);
  expect(ratio).toBeCloseTo(1);
  expect(least).toBeLessThan(0.5);
  expect(most).toBeGreaterThan(2);
});

test.each([
  ['both pay, one more', [row(10, 8, 5), row(100, 81, 49)], [7, 7, 7], 0.5],
  ['one pays', [row(10, 8, 15), row(100, 81, 99)], [7, 7, 7], 0.25],
  ['by chance', [row(10, 1, 9), row(100, 150, 110)], [7, 7, 7], 0],
  ['none pays', [row(10, 20, 30), row(100, 201, 301)], [7, 8, 9], 0],
  ['sooner, but it reaches less', [row(10, 8, 5), row(100, 81, 49)], [7, 6, 6], 0],
])('the best share: %s', (_, defects, reached, share) => {
  expect(SHARES).toContain(share);
  expect(bestShare(figures(defects, reached))).toBe(share);
});
