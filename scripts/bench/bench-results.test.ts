import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import type { Results } from './bench-results.js';
import { changesBetween, readResults, resultsOf, verdictsOn, writeResults } from './bench-results.js';
import { figureOf } from './measurement.js';

const results = (values: readonly number[], id = 'speed'): Results =>
  resultsOf('a machine', [{ group: 'g', title: 'G', figures: [figureOf({ id, title: 'S', unit: 'ns' }, values)] }]);

const at = directoryForEachTest();

test('a baseline comes back as it was', async () => {
  const path = at('baseline.json');
  await writeResults(path, results([1, 2, 3]));
  expect(readResults(path)).toEqual(results([1, 2, 3]));
});

test.each([
  ['{}', /not written by "npm run bench/],
  ['null', /not written by "npm run bench/],
  ['{', /cannot be read/],
])('%s is no baseline', async (text, message) => {
  const path = at('baseline.json');
  await writeFile(path, text);
  expect(() => readResults(path)).toThrow(message);
});

test.each([
  ['twice as slow', [20, 22, 24], 2, true],
  ['slower within the spread', [11, 12, 13], 12 / 11, false],
  ['twice as fast', [5, 5.5, 6], 0.5, true],
])('%s than the baseline', (_, values, ratio, clear) => {
  const [change] = changesBetween(results([10, 11, 12]), results(values));
  expect(change).toMatchObject({ ratio, clear });
});

test('what only one of two runs measured is not compared', () => {
  expect(changesBetween(results([1], 'old'), results([1], 'new'))).toEqual([]);
});

const TARGET = { title: 'T', group: 'g', figure: 'speed', most: 2 } as const;

test('a target is met up to its bound, and says nothing of groups that were not measured', () => {
  expect(verdictsOn([TARGET], results([2]).groups).map(({ met }) => met)).toEqual([true]);
  expect(verdictsOn([TARGET], results([2.1]).groups).map(({ met }) => met)).toEqual([false]);
  expect(verdictsOn([{ ...TARGET, least: 2, most: Infinity }], results([1.9]).groups).map(({ met }) => met)).toEqual([
    false,
  ]);
  expect(verdictsOn([TARGET], [])).toEqual([]);
});

test('a target whose figure is gone is an error', () => {
  expect(() => verdictsOn([TARGET], results([1], 'other').groups)).toThrow('group g has no figure speed');
});
