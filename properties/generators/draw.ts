/** Random numbers for the generators, without allocation: a program draws about five for each step. */

import type fc from 'fast-check';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const TWO_TO_MINUS_32 = 2 ** -32;

export class Draw {
  private readonly generator: RandomGenerator;

  /** Seeds a generator of its own with four numbers from `random`, because drawing from that directly costs five times as much. */
  constructor(random: fc.Random) {
    // Without `| 0` it is a whole double, and V8 would keep the generator's state in doubles.
    const word = (): number => random.nextInt(-0x80000000, 0x7fffffff) | 0;
    this.generator = xoroshiro128plusFromState([word(), word(), word(), word()]);
  }

  /** 32 random bits, signed. */
  word(): number {
    return this.generator.next();
  }

  /** 0 … 2³²−1. */
  unsigned(): number {
    return this.generator.next() >>> 0;
  }

  /** `count` random bits, 1 … 31: the upper bits of a word, which are the more random ones in xoroshiro128+. */
  bits(count: number): number {
    return this.generator.next() >>> (32 - count);
  }

  /** 0 … bound−1; bound at most 2³². */
  below(bound: number): number {
    // Truncating to an integer is cheaper than `Math.floor`, whose result is a double.
    return ((this.generator.next() >>> 0) * TWO_TO_MINUS_32 * bound) >>> 0;
  }

  /** least … most, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True with probability 1/`often`. */
  oneIn(often: number): boolean {
    return this.below(often) === 0;
  }

  /** One of the values, all equally likely. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}

/** 2⁶ … 2¹² pages of RAM, but at most `most`: numbers of pages then need up to twelve bits. */
export const drawMuchRam = (draw: Draw, most: number): number => Math.min(1 << draw.between(6, 12), most);

/** A lottery: each value as many times as its weight. */
export const lottery = <T>(weights: readonly (readonly [weight: number, value: T])[]): readonly T[] => {
  const tickets: T[] = [];
  for (const [weight, value] of weights) for (let left = weight; left > 0; left--) tickets.push(value);
  return tickets;
};
