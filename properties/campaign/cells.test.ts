/** Cells of a subject whose lists of edges are long, or wrong. */

import { describe, expect, test } from 'vitest';
import { INVARIANTS } from '../invariants/invariants.js';
import { Tally } from '../tally.js';
import { CellNumbers, NewCells } from './cells.js';

describe('edges', () => {
  const EDGES = 300_000;
  const start = new CellNumbers(INVARIANTS, EDGES).rowStart(0);

  test('that a subject lists twice count once', () => {
    const cells = new NewCells(new Tally(INVARIANTS), [], EDGES);
    for (let program = 0; program < 3; program++)
      expect(cells.take([7, 5, 7, 7, 7]), `program ${program}`).toEqual([start + 5, start + 7]);
    expect(cells.take([7, 5])).toEqual([]);
  });

  test('may be very many', () => {
    const all = Array.from({ length: EDGES }, (_, edge) => EDGES - 1 - edge);
    const cells = new NewCells(new Tally(INVARIANTS), [], EDGES).take(all);
    expect([cells.length, cells[0], cells.at(-1)]).toEqual([EDGES, start, start + EDGES - 1]);
  });
});
