import { describe, expect, test } from 'vitest';
import { ReferenceMachine } from '../../model/machine.js';
import type { Outcome, Paging, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, PAGINGS, guestEntry } from '../../model/vocabulary/index.js';
import { FULL } from '../entry-bits.js';
import { randomFor } from '../seeds.js';
import { Draw } from './draw.js';
import { MOST_FATAL_STEPS, tryToDie } from './fatal-sequences.js';
import { HostileGuest } from './hostile-guest.js';
import { drawHostileLayout, drawMachine } from './hostile-layout.js';
import { layAnyPath, mapEnd } from './walk-path.js';

/** A guest that has called init, on a machine with room for all the tables of its layout. */
const guestFor = (paging: Paging, seed: number): HostileGuest => {
  const draw = new Draw(randomFor(seed));
  const machine = { ...drawMachine(draw, paging), guestPages: 64, failAllocation: 0 };
  const guest = new HostileGuest(draw, drawHostileLayout(draw, machine));
  guest.init(0xc0000000 - (seed % 2) * PAGE_BYTES);
  return guest;
};

const outcomesOf = ({ layout, steps }: HostileGuest): Outcome[] => {
  const machine = new ReferenceMachine();
  machine.create(layout.machine);
  return steps.map((step: Step) => machine.apply(step).outcome);
};

describe.each(PAGINGS)('%s', (paging) => {
  test('a path leads to the leaf that ends it', () => {
    for (let seed = 0; seed < 100; seed++) {
      const guest = guestFor(paging, seed);
      // A page of its own: laying the path does not overwrite it.
      mapEnd(guest, layAnyPath(guest), guestEntry(63 * PAGE_BYTES + FULL));
      expect(outcomesOf(guest).at(-1), `seed ${seed}`).toEqual({ kind: 'mapped', paddr: 63 * PAGE_BYTES });
    }
  });

  test('fatal sequences are short, and nearly always deadly where there is one', () => {
    let ended = 0;
    let died = 0;
    for (let seed = 0; seed < 300; seed++) {
      const guest = guestFor(paging, seed);
      guest.buildTables(guest.layout.roots);
      guest.newPgtable(guest.root());
      const before = guest.steps.length;
      tryToDie(guest);
      const length = guest.steps.length - before;
      expect(length).toBeLessThanOrEqual(MOST_FATAL_STEPS);
      if (length > 0) ended++;
      if (outcomesOf(guest).at(-1)?.kind === 'killed') died++;
    }
    expect(ended / 300).toBeGreaterThan(0.8);
    // A near miss of a deadly value may be harmless.
    expect(died / ended).toBeGreaterThan(0.8);
  });
});
