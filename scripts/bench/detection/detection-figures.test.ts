import { expect, test } from 'vitest';
import { DEFECTS } from '../../../impl/defects/catalogue.js';
import type { DetectionRow } from './detection-figures.js';
import { geometricMean, groupsOf, halfOf, HALVES, targetsOf } from './detection-figures.js';

const row = (defect: string, swarm: number, uniform: number): DetectionRow => ({
  defect,
  half: halfOf(defect),
  medians: { swarm, weighted: swarm, uniform },
});

test('both halves hold a good part of the catalogue', () => {
  for (const half of HALVES) {
    const members = DEFECTS.filter(({ id }) => halfOf(id) === half);
    expect(members.length).toBeGreaterThan(DEFECTS.length / 3);
  }
});

test('a seed that was given up counts as the steps it was given', () => {
  expect(geometricMean([row('a', 10, Infinity), row('b', 10, 10)], 'uniform', 1000)).toBeCloseTo(100);
});

test('every group has its own mean, and an empty half none', () => {
  expect(groupsOf([row('a', 1, 1), row('c', 1, 1)]).map(([name]) => name)).toEqual(['all', 'held-out']);
});

const TIMES = [
  { defect: 'a', judged: 8, screened: 2 },
  { defect: 'b', judged: 1, screened: 1 },
];

test.each([
  ['all is well', [row('a', 1000, 3001)], [true, true, true]],
  ['slow', [row('a', 3001, 30_000)], [false, true, true]],
  ['never', [row('a', Infinity, Infinity), row('b', 1, 3)], [true, false, false]],
  ['no better than uniform', [row('a', 1000, 2999)], [true, true, false]],
])('targets: %s', (_, rows, met) => {
  const targets = targetsOf({ seeds: 1, mostSteps: 200_000, rows, times: TIMES });
  expect(targets.map((target) => target.met)).toEqual([...met, true]);
  expect(targets.at(-1)!.measured).toBeCloseTo(2);
});
