import { describe, expect, test } from 'vitest';
import { programArbitrary } from '../../generators/index.js';
import { INVARIANTS } from '../invariants.js';
import { Pair } from '../../pair.js';
import { programSeed, randomFor } from '../../seeds.js';
import { IMPL, MODEL } from '../../subjects/subject-names.js';
import type { Tally } from '../../tally.js';
import { axesOf, cellCount, valuesAt, whyUnreachable } from './grid.js';

/** Counts the situations that a number of programs of mixed traffic reach. */
const met = async (programs: number): Promise<Tally> => {
  const pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS });
  const arbitrary = programArbitrary();
  for (let index = 0; index < programs; index++) {
    const { traffic, program } = arbitrary.generate(randomFor(programSeed('situations', index)), undefined).value;
    await pair.run(program, { contractKept: traffic === 'coherent', twice: index % 64 === 0 });
  }
  await pair.close();
  return pair.tally;
};

const tally = await met(12_000);
const GRIDS = INVARIANTS.flatMap(({ id }, index) => tally.situations[index].map((count) => ({ id, ...count })));

test('every invariant declares its situations, each grid once, at stages that it looks at', () => {
  for (const { id, situations = [], stages } of INVARIANTS) {
    expect.soft(situations.length, id).toBeGreaterThan(0);
    expect.soft(new Set(situations.map(({ name }) => name)).size, id).toBe(situations.length);
    // What runs a program twice has no stage, and counts at its end.
    for (const grid of situations)
      for (const stage of grid.stages) expect.soft([...stages, 'destroy'], id).toContain(stage);
  }
});

describe.each(GRIDS.map((each) => [`${each.id}: ${each.grid.name}`, each] as const))('%s', (_, { grid, counts }) => {
  test('is counted cell by cell, and never outside', () => {
    expect(counts).toHaveLength(cellCount(grid));
    const axes = axesOf(grid);
    for (let index = 0; index < counts.length; index++) {
      valuesAt(grid, index).forEach((value, axis) => expect(axes[axis].values).toContain(value));
    }
    const names = Array.from(counts, (__, index) => valuesAt(grid, index).join());
    expect(new Set(names).size).toBe(counts.length);
  });

  test('meets nothing that is said to be unreachable', () => {
    const wrong = [...counts.keys()].filter((index) => counts[index] > 0 && whyUnreachable(grid, index) !== undefined);
    expect(wrong.map((index) => valuesAt(grid, index).join(' × '))).toEqual([]);
  });

  // Those of CPUs with features: features.test.ts.
  test.skipIf(grid.isRare)('can be reached, most of it soon', () => {
    const reachable = [...counts.keys()].filter((index) => whyUnreachable(grid, index) === undefined);
    const reached = reachable.filter((index) => counts[index] > 0);
    expect(reachable.length).toBeGreaterThan(0);
    expect(reached.length / reachable.length).toBeGreaterThan(0.6);
  });
});

test('what came last is remembered for each invariant', () => {
  for (let index = 0; index < INVARIANTS.length; index++) {
    expect(tally.lastNew[index]).toBeGreaterThan(0);
    expect(tally.lastNew[index]).toBeLessThanOrEqual(tally.programs);
  }
});

test('the checks that were exercised are all in a situation, where a grid covers its stage without conditions', () => {
  const index = INVARIANTS.findIndex(({ id }) => id === 'host-intact');
  const sum = tally.situations[index][0].counts.reduce((total, count) => total + count, 0);
  expect(sum).toBe(tally.exercised[index]);
});
