import { describe, expect, test } from 'vitest';
import { ReferenceMachine } from '../../model/machine.js';
import type { Outcome, Paging, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, PAGINGS, guestEntry } from '../../model/vocabulary/index.js';
import { FULL } from '../entry-bits.js';
import { randomFor } from '../seeds.js';
import { Draw } from './draw.js';
import { ENDING_STEPS, endProgram } from './endings.js';
import { HostileGuest } from './hostile-guest.js';
import { drawMachine } from './machine-size.js';
import { drawPool } from './pool.js';
import { layAnyWay, mapEnd } from './ways.js';

/** A guest that has called init, on a machine with room for all the tables of its pool. */
const guestFor = (paging: Paging, seed: number): HostileGuest => {
  const draw = new Draw(randomFor(seed));
  const machine = { ...drawMachine(draw, paging), guestPages: 64, failAllocation: 0 };
  const guest = new HostileGuest(draw, drawPool(draw, machine));
  guest.init(0xc0000000 - (seed % 2) * PAGE_BYTES);
  return guest;
};

const outcomesOf = ({ pool, steps }: HostileGuest): Outcome[] => {
  const machine = new ReferenceMachine();
  machine.create(pool.machine);
  return steps.map((step: Step) => machine.apply(step).outcome);
};

describe.each(PAGINGS)('%s', (paging) => {
  test('a way leads to the leaf that ends it', () => {
    for (let seed = 0; seed < 100; seed++) {
      const guest = guestFor(paging, seed);
      // A page of its own: laying the way does not overwrite it.
      mapEnd(guest, layAnyWay(guest), guestEntry(63 * PAGE_BYTES + FULL));
      expect(outcomesOf(guest).at(-1), `seed ${seed}`).toEqual({ kind: 'mapped', paddr: 63 * PAGE_BYTES });
    }
  });

  test('endings are short, and nearly always deadly where there is one', () => {
    let ended = 0;
    let died = 0;
    for (let seed = 0; seed < 300; seed++) {
      const guest = guestFor(paging, seed);
      guest.buildTables(guest.pool.roots);
      guest.newPgtable(guest.root());
      const before = guest.steps.length;
      endProgram(guest);
      const length = guest.steps.length - before;
      expect(length).toBeLessThanOrEqual(ENDING_STEPS);
      if (length > 0) ended++;
      if (outcomesOf(guest).at(-1)?.kind === 'killed') died++;
    }
    expect(ended / 300).toBeGreaterThan(0.8);
    expect(died / ended).toBeGreaterThan(0.85);
  });
});
