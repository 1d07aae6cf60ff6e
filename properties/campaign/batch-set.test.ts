import { expect, test } from 'vitest';
import { BatchSet } from './batch-set.js';

test('what was added in any order is there, in spans', () => {
  const batches = new BatchSet();
  for (const batch of [3, 0, 1, 7, 1, 8]) batches.add(batch);
  expect(batches.spans()).toEqual([
    [0, 1],
    [3, 3],
    [7, 8],
  ]);
  expect([0, 2, 3, 8, 9].map((batch) => batches.has(batch))).toEqual([true, false, true, true, false]);
  for (const batch of [6, 5, 4, 2]) batches.add(batch);
  expect(batches.spans()).toEqual([[0, 8]]);
});
