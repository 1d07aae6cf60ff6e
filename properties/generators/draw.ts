/** Numbers for the generators, drawn without allocating: a program takes about five for each step. */

import type fc from 'fast-check';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const TWO_TO_MINUS_32 = 2 ** -32;

export class Draw {
  private readonly generator: RandomGenerator;

  /** Takes four numbers from `random` and draws everything else from a generator of its own, which costs a fifth as much. */
  constructor(random: fc.Random) {
    const word = (): number => random.nextInt(-0x80000000, 0x7fffffff);
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

  /** `count` random bits, 1 … 31. The upper ones of a word, which are the better ones. */
  bits(count: number): number {
    return this.generator.next() >>> (32 - count);
  }

  /** 0 … bound−1; bound at most 2³². */
  below(bound: number): number {
    return Math.floor((this.generator.next() >>> 0) * TWO_TO_MINUS_32 * bound);
  }

  /** least … most, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in `often` draws on average. */
  oneIn(often: number): boolean {
    return this.below(often) === 0;
  }

  /** One of the values, each as likely. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}
