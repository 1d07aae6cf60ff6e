import { describe, expect, test } from 'vitest';
import { randomFor } from '../seeds.js';
import { Draw } from './draw.js';

const drawFor = (seed: number): Draw => new Draw(randomFor(seed));

describe('Draw', () => {
  test('the same random numbers give the same draws', () => {
    const numbers = (draw: Draw): number[] => [
      draw.word(),
      draw.unsigned(),
      draw.bits(5),
      draw.below(10),
      draw.between(3, 9),
    ];
    expect(numbers(drawFor(1))).toEqual(numbers(drawFor(1)));
    expect(numbers(drawFor(1))).not.toEqual(numbers(drawFor(2)));
  });

  test('every value of a range is drawn, about as often as any other', () => {
    const draw = drawFor(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[draw.below(7)]++;
    for (const count of counts) expect(count / 10_000).toBeCloseTo(1, 1);
  });

  test('bounds hold at their ends', () => {
    const draw = drawFor(4);
    for (let i = 0; i < 1000; i++) {
      expect(draw.below(1)).toBe(0);
      expect(draw.below(2 ** 32)).toBeLessThan(2 ** 32);
      expect(draw.bits(1)).toBeLessThan(2);
      expect(draw.bits(31)).toBeGreaterThanOrEqual(0);
      expect([4, 5]).toContain(draw.between(4, 5));
    }
  });
});
