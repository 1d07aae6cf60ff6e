import { describe, expect, test } from 'vitest';
import { isRunTwice } from './programs.js';

const PROGRAMS = 2 ** 18;
const SHARE = PROGRAMS / 256;

describe('of the programs of a campaign', () => {
  test('the first one is run twice, and one in 256', () => {
    expect(isRunTwice(0)).toBe(true);
    const count = Array.from({ length: PROGRAMS }, (_, index) => isRunTwice(index)).filter(Boolean).length;
    expect(Math.abs(count - SHARE)).toBeLessThan(0.1 * SHARE);
  });

  // Shards are often a power of two, as 256 is.
  test.each([2, 3, 4, 7, 8, 16, 64])('each of %i shards has its part', (shards) => {
    const counts = Array.from({ length: shards }, () => 0);
    for (let index = 0; index < PROGRAMS; index++) if (isRunTwice(index)) counts[index % shards]++;
    expect(Math.min(...counts)).toBeGreaterThan((0.25 * SHARE) / shards);
  });
});
