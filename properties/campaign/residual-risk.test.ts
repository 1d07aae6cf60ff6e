/** The estimators, by the literature's own properties and by draws whose truth is known. */

import { describe, expect, test } from 'vitest';
import { INVARIANTS } from '../invariants/invariants.js';
import { whyUnreachable } from '../invariants/situations/grid.js';
import { programSeed, randomFor } from '../seeds.js';
import { Tally } from '../tally.js';
import type { Estimate, Rarity } from './residual-risk.js';
import { discoveries, newPerProgram, rarityOf, ruleOfThree, unseen } from './residual-risk.js';

const MANY = 1e6;
const rarity = (reached: number, once: number, twice: number, left = MANY): Rarity => ({ reached, once, twice, left });

test('the probability of something new is the share of programs that alone reached a cell', () => {
  const { value, low, high } = newPerProgram(rarity(100, 20, 10), 1000);
  expect(value).toBe(0.02);
  expect(low).toBeCloseTo(0.02 - (1.96 * Math.sqrt(40)) / 1000);
  expect(high).toBeCloseTo(0.02 + (1.96 * Math.sqrt(40)) / 1000);
});

test('what is unseen follows from how rare is what was seen', () => {
  // The cottontail rabbits of Edwards and Eberhardt (1967): 76 seen on 18 nights, 43 of them once and 16 twice.
  const { value, low, high } = unseen(rarity(76, 43, 16), 18);
  expect(value).toBeCloseTo((17 / 18) * (43 ** 2 / 32));
  expect([low, high].map((count) => Math.round(76 + count))).toEqual([101, 196]);
});

test('where no cell was reached by a single program, what is left is bounded by the rule of three', () => {
  expect(newPerProgram(rarity(100, 0, 0), 3000)).toEqual({ value: 0, low: 0, high: 0.001 });
  expect(discoveries(rarity(100, 0, 5), 3000, 1000)).toEqual({ value: 0, low: 0, high: 1 });
  expect([0, 2, 300].map(ruleOfThree)).toEqual([1, 1, 0.01]);
});

test('situations that most runs have no machine for are not left to find, until a program comes to one', () => {
  const grids = new Tally(INVARIANTS).situations.flat();
  const rare = grids.find(({ grid }) => grid.isRare === true)!;
  const { left } = rarityOf(grids);
  expect(left).toBe(rarityOf(grids.filter(({ grid }) => grid.isRare !== true)).left);
  rare.counts[0] = rare.incidence[0] = 1;
  const cells = [...rare.counts.keys()].filter((cell) => whyUnreachable(rare.grid, cell) === undefined);
  expect(rarityOf(grids)).toEqual({ reached: 1, once: 1, twice: 0, left: left + cells.length - 1 });
});

test('nothing is expected where nothing is left, and never more than is left', () => {
  const none = { value: 0, low: 0, high: 0 };
  const exhausted = rarity(100, 7, 3, 0);
  expect([newPerProgram(exhausted, 50), unseen(exhausted, 50), discoveries(exhausted, 50, 50)]).toEqual([
    none,
    none,
    none,
  ]);
  expect(unseen(rarity(100, 70, 3, 20), 50)).toMatchObject({ value: 20, high: 20 });
});

test.each([0, 1, 2, 50])('every estimate is a number within its interval, after %i programs', (judged) => {
  for (const once of [0, 1, 2, 30]) {
    for (const twice of [0, 1, 20]) {
      const some = rarity(60, once, twice);
      for (const { value, low, high } of [
        newPerProgram(some, judged),
        unseen(some, judged),
        discoveries(some, judged, 10),
      ]) {
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(value);
        expect(value).toBeLessThanOrEqual(high);
        expect(high).toBeLessThan(Infinity);
      }
    }
  }
});

// Calibration: the second half of a run is predicted from its first half.

const SEEDS = 50;
const CELLS = 300;

/** With which probability a program reaches cell `cell`: few cells are common, many are rare. */
const ABUNDANCES = {
  'falling by a factor': (cell: number) => 0.5 * 0.97 ** cell,
  'falling with the rank': (cell: number) => 0.5 / (cell + 1),
  'falling with the square of the rank': (cell: number) => 0.5 / (cell + 1) ** 2,
  'of two kinds': (cell: number) => (cell < 200 ? 0.2 : 0.001),
} as const;

interface Drawn {
  readonly predicted: Estimate;
  readonly found: number;
}

/** Programs until the next one that reaches a cell: the geometric distribution, by inversion. */
const halves = (seed: number, half: number, probability: (cell: number) => number): Drawn => {
  const random = randomFor(programSeed('calibration', seed));
  let [reached, once, twice, found] = [0, 0, 0, 0];
  for (let cell = 0; cell < CELLS; cell++) {
    const step = Math.log1p(-probability(cell));
    const hits: number[] = [];
    for (let program = 0; hits.length < 3;) {
      program += 1 + Math.floor(Math.log(1 - random.nextDouble()) / step);
      hits.push(program);
    }
    const before = hits.filter((program) => program <= half).length;
    if (before > 0) reached++;
    if (before === 1) once++;
    if (before === 2) twice++;
    if (before === 0 && hits[0] <= 2 * half) found++;
  }
  return { predicted: discoveries({ reached, once, twice, left: CELLS - reached }, half, half), found };
};

describe.each(Object.entries(ABUNDANCES))('with probabilities %s', (_, probability) => {
  test.each([100, 1000])('the interval holds what %i further programs find, for at least 90 % of seeds', (half) => {
    const draws = Array.from({ length: SEEDS }, (__, seed) => halves(seed, half, probability));
    const held = draws.filter(
      ({ predicted: { low, high }, found }) => Math.floor(low) <= found && found <= Math.ceil(high),
    );
    expect(held.length).toBeGreaterThanOrEqual(0.9 * SEEDS);
    // An interval that holds everything would prove nothing.
    const sum = (of: (draw: Drawn) => number): number => draws.reduce((total, draw) => total + of(draw), 0);
    expect(sum(({ predicted }) => predicted.value) / sum(({ found }) => found)).toBeGreaterThan(0.7);
    expect(sum(({ predicted }) => predicted.value) / sum(({ found }) => found)).toBeLessThan(1.3);
  });
});
