import { expect, test } from 'vitest';
import type { Batches, ProgramRange } from './batches.js';
import { BatchSet, programsOfShardWithin, rangeOf } from './batches.js';

const programsIn = ({ first, stride, count }: ProgramRange): readonly number[] =>
  Array.from({ length: count }, (_, place) => first + place * stride);

const allOf = (batches: Batches): readonly number[] => {
  const programs: number[] = [];
  for (let batch = 0; ; batch++) {
    const range = rangeOf(batch, batches);
    if (range === undefined) return programs;
    programs.push(...programsIn(range));
  }
};

test.each([1, 2, 7])('%i shards run each program once', (of) => {
  const shards = Array.from({ length: of }, (_, index) => allOf({ shard: { index, of }, programs: 1000, smallest: 3 }));
  const programs = shards.flat().toSorted((one, other) => one - other);
  expect(programs).toEqual(Array.from({ length: 1000 }, (_, program) => program));
  for (const [index, shard] of shards.entries()) expect(shard.every((program) => program % of === index)).toBe(true);
});

test('batches grow, and follow on each other without a gap', () => {
  const batches: Batches = { shard: { index: 1, of: 3 }, programs: Infinity, smallest: 2 };
  let next = 1;
  for (let batch = 0; batch < 1030; batch++) {
    const { first, stride, count } = rangeOf(batch, batches)!;
    expect([first, stride]).toEqual([next, 3]);
    next += count * stride;
  }
  expect([0, 63, 64, 1023, 1024].map((batch) => rangeOf(batch, batches)!.count)).toEqual([2, 2, 16, 16, 128]);
});

test('a campaign may have fewer programs than shards', () => {
  expect(rangeOf(0, { shard: { index: 4, of: 5 }, programs: 4, smallest: 16 })).toBeUndefined();
  expect(programsOfShardWithin({ index: 4, of: 5 }, 4)).toBe(0);
});

test('a set of batches holds what was added in any order, in spans', () => {
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

test('a span of any length is added at once', () => {
  const batches = new BatchSet();
  batches.add(4);
  batches.addSpan([6, 9]);
  batches.addSpan([1, 2]);
  batches.addSpan([10, 10 ** 12]);
  expect(batches.spans()).toEqual([
    [1, 2],
    [4, 4],
    [6, 10 ** 12],
  ]);
  expect([0, 1, 4, 6].map((batch) => batches.firstMissing(batch))).toEqual([0, 3, 5, 10 ** 12 + 1]);
  batches.addSpan([0, 5]);
  expect(batches.spans()).toEqual([[0, 10 ** 12]]);
});
