import { afterEach, expect, test, vi } from 'vitest';
import { StateTable } from './state-table.js';

afterEach(() => vi.unstubAllGlobals());

test('keeps how each state was first reached, however many there are', () => {
  const table = new StateTable();
  table.addCreated(1, 2, 3);
  for (let state = 0; state < 10_000; state++) {
    expect(table.makeRoomFor(1)).toBe(true);
    expect(table.add(state, state, state, state % 256)).toBe(true);
  }
  expect(table.add(5, 5, 0, 0)).toBe(false);
  expect(table.count).toBe(10_001);
  expect(table.pathOf(2)).toEqual({ creation: 3, steps: [0, 1] });
});

test('says when there is no memory for more, and is as it was', () => {
  const table = new StateTable();
  table.addCreated(1, 2, 0);
  vi.stubGlobal(
    'Int32Array',
    class extends Int32Array {
      constructor() {
        super(0);
        throw new RangeError('Array buffer allocation failed');
      }
    },
  );
  expect(table.makeRoomFor(100)).toBe(true);
  expect(table.makeRoomFor(100_000)).toBe(false);
  expect(table.add(3, 4, 0, 7)).toBe(true);
  expect(table.pathOf(1)).toEqual({ creation: 0, steps: [7] });
});
