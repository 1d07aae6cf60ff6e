import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../generators/index.js';
import { programsOf } from '../campaign/programs.js';
import { allCells, cellsOf, distil } from './distil.js';
import type { Reaching } from './distil.js';

const programs = Array.from(
  { length: 12 },
  (_, index) => programsOf({ campaign: 'distil', ...DEFAULT_PROGRAM_OPTIONS })(index).value.program,
);

/** Programs by length, so that a test says which is the shorter one. */
const [SHORT, MIDDLE, LONG] = programs
  .toSorted((one, other) => one.steps.length - other.steps.length)
  .filter((_, index) => index % 4 === 0) as [Program, Program, Program];

const reaching = (program: Program, ...cells: readonly number[]): Reaching => ({ program, cells });

const distilled = (given: readonly Reaching[], settled: readonly number[] = [], most = 100): readonly Reaching[] =>
  distil(given, { settled, most });

describe('distilling', () => {
  test('leaves out what adds nothing, and keeps what alone reaches a cell', () => {
    const wide = reaching(LONG, 1, 2, 3);
    const within = reaching(SHORT, 1, 2);
    const alone = reaching(MIDDLE, 4);
    expect(distilled([within, alone, wide])).toEqual([wide, alone]);
  });

  test('leaves out one that was chosen first, if the others reach all that it does', () => {
    const first = reaching(SHORT, 1, 2, 3, 4);
    const [left, right] = [reaching(MIDDLE, 1, 2, 5), reaching(LONG, 3, 4, 6)];
    expect(distilled([first, left, right])).toEqual([left, right]);
  });

  test('takes the shorter of equals', () => {
    expect(distilled([reaching(LONG, 1, 2), reaching(SHORT, 1, 2)])).toEqual([reaching(SHORT, 1, 2)]);
  });

  test('asks only for what is not settled', () => {
    expect(distilled([reaching(SHORT, 1, 2), reaching(LONG, 3)], [1, 2])).toEqual([reaching(LONG, 3)]);
  });

  test('keeps, of too many, those that reach most', () => {
    const [most, more, few] = [reaching(LONG, 1, 2, 3), reaching(MIDDLE, 4, 5), reaching(SHORT, 6)];
    expect(distilled([few, more, most], [], 2)).toEqual([most, more]);
    expect(distilled([few, more, most], [], 0)).toEqual([]);
  });

  test('reaches the same cells by programs that are all needed, in whatever order they are given', () => {
    const anyReaching = fc
      .uniqueArray(fc.nat(programs.length - 1))
      .chain((places) =>
        fc.tuple(
          ...places.map((place) => fc.uniqueArray(fc.nat(12)).map((cells) => reaching(programs[place], ...cells))),
        ),
      );
    fc.assert(
      fc.property(anyReaching, fc.array(fc.nat(12)), (given, settled) => {
        const kept = distilled(given, settled);
        expect(distilled(given.toReversed(), settled)).toEqual(kept);
        const cells = (some: readonly Reaching[]) => new Set([...allCells(some), ...settled]);
        expect(cells(kept)).toEqual(cells(given));
        for (const each of kept) expect(cells(kept.filter((other) => other !== each))).not.toEqual(cells(kept));
      }),
      { seed: 3 },
    );
  });
});

test('the cells of a program are its own, whatever ran before it', async () => {
  const once = await cellsOf(LONG);
  await cellsOf(SHORT);
  expect(await cellsOf(LONG)).toEqual(once);
  expect(once.length).toBeGreaterThan(20);
});
