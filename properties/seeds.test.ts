import { describe, expect, test } from 'vitest';
import { programSeed, programsOfShard, randomFor, shardSeed } from './seeds.js';

const firstOf = (shard: number, shards: number, count: number): number[] => {
  const indexes: number[] = [];
  for (const index of programsOfShard(shard, shards)) {
    if (indexes.length === count) break;
    indexes.push(index);
  }
  return indexes;
};

describe('seeds', () => {
  test('a program’s seed depends on campaign and number, and on nothing else', () => {
    expect(programSeed('nightly', 17)).toBe(programSeed('nightly', 17));
    expect(programSeed('nightly', 17)).not.toBe(programSeed('nightly', 18));
    expect(programSeed('nightly', 17)).not.toBe(programSeed('weekly', 17));
  });

  test('the derivation is fixed: a report’s campaign and number replay everywhere', () => {
    expect([0, 1, 2].map((index) => programSeed('nightly', index))).toMatchInlineSnapshot(`
      [
        249410385,
        2010109223,
        1262941273,
      ]
    `);
    expect(shardSeed('nightly', 0, 2)).toMatchInlineSnapshot(`-551340662`);
  });

  test('seeds are 32-bit integers, and hardly any two are equal', () => {
    const seeds = Array.from({ length: 20_000 }, (_, index) => programSeed('spread', index));
    expect(seeds.every((seed) => seed === (seed | 0))).toBe(true);
    expect(new Set(seeds).size).toBeGreaterThan(19_990);
    expect(seeds.filter((seed) => seed < 0).length / seeds.length).toBeCloseTo(0.5, 1);
  });

  test.each([1, 2, 3, 8])('%i shards share the programs out, each to one shard', (shards) => {
    const shared = Array.from({ length: shards }, (_, shard) => firstOf(shard, shards, 10)).flat();
    expect(shared.sort((one, other) => one - other)).toEqual(Array.from({ length: shards * 10 }, (_, index) => index));
  });

  test('shards of different sizes have different seeds', () => {
    const seeds = [shardSeed('nightly', 0, 1), shardSeed('nightly', 0, 2), shardSeed('nightly', 1, 2)];
    expect(new Set(seeds).size).toBe(3);
  });

  test('the same seed gives the same numbers, and neighbouring seeds give different ones from the first on', () => {
    const first = (seed: number): number => randomFor(seed).nextInt(0, 0x3fffffff);
    expect(first(5)).toBe(first(5));
    expect(new Set(Array.from({ length: 1000 }, (_, seed) => first(seed))).size).toBe(1000);
  });
});
