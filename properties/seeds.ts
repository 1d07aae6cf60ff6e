/**
 * Where seeds come from. Everything that a campaign draws is a pure function of its name and of a program's number: how many
 * shards share the work, and which of them runs a program, changes nothing.
 */

import fc from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import seedrandom from 'seedrandom';

/** A 32-bit signed integer that depends on every character of the key. */
const seedOf = (key: string): number => seedrandom.tychei(key).int32();

/** The seed of program `index` (0, 1, …) of a campaign; −2³¹ … 2³¹−1. */
export const programSeed = (campaign: string, index: number): number => seedOf(`${campaign}/program/${index}`);

/** A seed for what shard `shard` (0 … shards−1) draws beside its programs; −2³¹ … 2³¹−1. */
export const shardSeed = (campaign: string, shard: number, shards: number): number =>
  seedOf(`${campaign}/shard/${shard}/${shards}`);

/** The numbers of a shard's programs, without end: program k belongs to shard k mod `shards`. */
export function* programsOfShard(shard: number, shards: number): Generator<number, never> {
  for (let index = shard; ; index += shards) yield index;
}

/** A source of random numbers for fast-check's arbitraries, the same one for the same seed. */
export const randomFor = (seed: number): fc.Random => {
  const generator = xoroshiro128plus(seed);
  // The first numbers after seeding resemble the seed; far down the sequence they no longer do.
  generator.jump();
  return new fc.Random(generator);
};
