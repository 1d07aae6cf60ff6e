/** Hypercalls one by one, on a guest that has touched some pages through every slot. */

import { ShadowMachine } from '../../../impl/shadow-machine.js';
import type { Paging, Step } from '../../../model/vocabulary/index.js';
import { PAGINGS, SLOTS } from '../../../model/vocabulary/index.js';
import type { Figure } from '../figures.js';
import type { GuestSize } from '../guest-tables.js';
import { leafOf, machineFor, openingOf, pageOf, rootNumber, touchAll } from '../guest-tables.js';
import { timedFigure } from '../stopwatch.js';
import type { Group } from './group.js';

const MAPPED = 64;
const REPEATS = 300;
/** Many of a kind in one look at the clock. */
const BATCH = 100;

const switchTo = (root: number, draw = root): Step => ({ op: 'new-pgtable', root: rootNumber(root), draw });

const figuresOf = (paging: Paging): readonly Figure[] => {
  const size: GuestSize = { paging, guestPages: MAPPED, mapped: MAPPED };
  const machine = new ShadowMachine();
  const take = (steps: readonly Step[]): void => {
    for (const step of steps) machine.apply(step);
  };
  const opening = openingOf(size);
  const touches = touchAll(size);
  const begin = (): void => {
    machine.destroy();
    machine.create(machineFor(size));
    take(opening);
  };
  /** Every slot holds a root of its own, and maps all pages. */
  const populate = (): void => {
    begin();
    for (let root = 0; root < SLOTS; root++) take([switchTo(root), ...touches]);
  };
  machine.create(machineFor(size));
  const figure = (id: string, title: string, prepare: () => void, steps: readonly Step[], repeats = REPEATS): Figure =>
    timedFigure({
      id: `${id}-${paging}`,
      title: `${title}, ${paging}`,
      prepare,
      act: () => take(steps),
      count: steps.length,
      repeats,
    });
  const blank = [switchTo(0), switchTo(1), switchTo(2)];
  const hits = Array.from({ length: BATCH }, (_, index) => switchTo(index % SLOTS));
  const announce = (region: 'user' | 'kernel'): readonly Step[] =>
    Array.from({ length: BATCH }, (_, index) => ({
      op: 'set-pte',
      root: rootNumber(0),
      vaddr: pageOf(region, index % MAPPED),
      pte: leafOf(index, size),
    }));
  return [
    figure('new-pgtable-blank', 'new-pgtable into a slot never used', begin, blank),
    figure('new-pgtable-hit', 'new-pgtable that finds its root', populate, hits),
    figure('new-pgtable-evict', 'new-pgtable that evicts 64 pages', populate, [switchTo(SLOTS, 0)]),
    figure('set-pte-user', 'set-pte of a user page: one slot', populate, announce('user')),
    figure('set-pte-kernel', 'set-pte of a kernel page: all four slots', populate, announce('kernel')),
    figure('flush-user', 'flush of the user half, 64 pages', populate, [{ op: 'flush-tlb', scope: 'user' }]),
    figure('flush-all', 'flush of everything, 64 pages', populate, [{ op: 'flush-tlb', scope: 'all' }]),
    timedFigure({
      id: `teardown-${paging}`,
      title: `teardown of four slots with 64 pages each, ${paging}`,
      prepare: populate,
      act: () => machine.destroy(),
      count: 1,
      repeats: REPEATS,
    }),
  ];
};

export const calls: Group = {
  name: 'calls',
  title: 'Hypercalls of impl, one by one',
  measure: () => Promise.resolve(PAGINGS.flatMap(figuresOf)),
};
