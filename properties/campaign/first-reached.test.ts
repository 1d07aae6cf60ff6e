/** What a campaign was the first to reach does not depend on how its programs were divided. */

import { describe, expect, test } from 'vitest';
import { DEFAULT_PROGRAM_OPTIONS } from '../generators/index.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { IMPL, MODEL } from '../subjects/subject-names.js';
import type { BatchOptions, BatchResult, Reach } from './batch.js';
import { runBatch } from './batch.js';
import { CellNumbers } from './cells.js';
import { FirstReached } from './ledger.js';

const OPTIONS: BatchOptions = {
  ...DEFAULT_PROGRAM_OPTIONS,
  campaign: 'reached',
  date: '',
  version: '',
  model: MODEL,
  subject: IMPL,
  invariants: INVARIANTS,
};

const run = async (first: number, stride: number, count: number, settled?: readonly number[]): Promise<BatchResult> =>
  await runBatch(OPTIONS, { range: { first, stride, count }, skip: [], enough: {}, settled }, () => undefined);

const sumOf = (...results: readonly BatchResult[]): FirstReached => {
  const sum = new FirstReached(new CellNumbers(INVARIANTS, 0));
  for (const each of results.flatMap(({ reached }) => reached)) sum.add(each);
  return sum;
};

describe('what was reached first', () => {
  test('is the same of one batch and of several, in any order', async () => {
    const whole = sumOf(await run(0, 1, 90, [])).list();
    const parts = await Promise.all([run(0, 3, 30, []), run(1, 3, 30, []), run(2, 3, 30, [])]);
    expect(sumOf(...parts.toReversed(), ...parts).list()).toEqual(whole);
    expect(whole.length).toBeGreaterThan(5);
  });

  test('is not told again where a smaller number is known', async () => {
    const before = sumOf(await run(0, 1, 45, []));
    const whole = sumOf(await run(0, 1, 90, []));
    const after = await run(45, 1, 45, before.settledBefore(45));
    expect(after.reached.flatMap(({ cells }) => cells).length).toBeLessThan(200);
    for (const each of after.reached) before.add(each);
    expect(before.list()).toEqual(whole.list());
  });

  test('is known of a cell only from the smallest number on', () => {
    const reached = new FirstReached(new CellNumbers(INVARIANTS, 0));
    for (const each of [reach(7, 1, 2), reach(5, 2, 3)]) reached.add(each);
    expect(reached.list()).toEqual([reach(5, 2, 3), reach(7, 1)]);
    expect(reached.settledBefore(5)).toEqual([]);
    expect(reached.settledBefore(7)).toEqual([2, 3]);
  });

  test('is known of an edge by the three smallest numbers', () => {
    const numbers = new CellNumbers(INVARIANTS, 2);
    const [first, second] = [numbers.rowStart(0), numbers.rowStart(0) + 1];
    const parts = [reach(9, first), reach(4, first, second), reach(7, first), reach(4, first), reach(5, first, second)];
    for (const order of [parts, parts.toReversed()]) {
      const reached = new FirstReached(numbers);
      for (const each of order) reached.add(each);
      expect(reached.list()).toEqual([reach(4, first, second), reach(5, first, second), reach(7, first)]);
      expect(reached.settledBefore(7)).toEqual([]);
      expect(reached.settledBefore(8)).toEqual([first]);
    }
  });

  test('leaves out cells that are settled, and is nothing if nobody asks', async () => {
    const covered = sumOf(await run(0, 1, 5, [])).settledBefore(5);
    expect(covered.length).toBeGreaterThan(100);
    const { reached } = await run(0, 1, 30, covered);
    expect(reached.flatMap(({ cells }) => cells).filter((cell) => covered.includes(cell))).toEqual([]);
    expect((await run(0, 1, 30)).reached).toEqual([]);
  });
});

const reach = (program: number, ...cells: readonly number[]): Reach => ({ program, cells });
