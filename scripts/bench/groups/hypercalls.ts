/** Hypercalls one by one, on a guest that has touched pages through every slot; and how flush and teardown grow with the guest. */

import { ShadowMachine } from '../../../impl/shadow-machine.js';
import type { Paging, Step } from '../../../model/vocabulary/index.js';
import { PAGINGS, SLOTS } from '../../../model/vocabulary/index.js';
import type { Figure, Group } from '../measurement.js';
import { figureOf, fittedLine, timedFigure } from '../measurement.js';
import type { GuestSize } from '../plain-guest.js';
import { leafOf, machineFor, openingOf, pageOf, rootNumber, touchAll } from '../plain-guest.js';

const MAPPED = 64;
const CALL_REPEATS = 300;
/** Operations between two readings of the clock. */
const BATCH = 100;

const switchTo = (root: number, draw = root): Step => ({ op: 'new-pgtable', root: rootNumber(root), draw });

const callFigures = (paging: Paging): readonly Figure[] => {
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
  /** Every slot holds its own root and maps all pages. */
  const populate = (): void => {
    begin();
    for (let root = 0; root < SLOTS; root++) take([switchTo(root), ...touches]);
  };
  machine.create(machineFor(size));
  const figure = (
    id: string,
    title: string,
    prepare: () => void,
    steps: readonly Step[],
    repeats = CALL_REPEATS,
  ): Figure =>
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
      repeats: CALL_REPEATS,
    }),
  ];
};

export const calls: Group = {
  name: 'calls',
  title: 'Hypercalls of impl, one by one',
  measure: () => Promise.resolve(PAGINGS.flatMap(callFigures)),
};

const PAGES = [16, 64, 256, 1024, 4096] as const;
const FEWEST = 16;
const MOST = 4096;
const SLOT_PAGES = 256;
const GROWTH_REPEATS = 30;

interface Population {
  readonly size: GuestSize;
  readonly slots: number;
}

/** One machine for all sizes, as in a run. */
class GrowingGuest {
  private readonly machine = new ShadowMachine();

  flush(id: string, title: string, population: Population): Figure {
    const flush: Step = { op: 'flush-tlb', scope: 'all' };
    return this.timed(id, title, population, () => this.machine.apply(flush));
  }

  teardown(id: string, title: string, population: Population): Figure {
    return this.timed(id, title, population, () => this.machine.destroy());
  }

  private timed(id: string, title: string, population: Population, act: () => void): Figure {
    return timedFigure({ id, title, prepare: () => this.populate(population), act, count: 1, repeats: GROWTH_REPEATS });
  }

  private populate({ size, slots }: Population): void {
    const { machine } = this;
    machine.destroy();
    machine.create(machineFor(size));
    for (const step of openingOf(size)) machine.apply(step);
    const touches = touchAll(size);
    for (let root = 0; root < slots; root++) {
      machine.apply({ op: 'new-pgtable', root: rootNumber(root), draw: root });
      for (const touch of touches) machine.apply(touch);
    }
  }
}

const slopeFigure = (id: string, title: string, points: readonly (readonly [number, Figure])[]): Figure => {
  const slope = (of: (figure: Figure) => number): number =>
    fittedLine(points.map(([x, figure]) => [x, of(figure)])).slope;
  const fits = [slope(({ least }) => least), slope(({ median }) => median), slope(({ most }) => most)];
  return figureOf({ id, title, unit: 'ns' }, fits);
};

const growthFigures = (paging: Paging): readonly Figure[] => {
  const subject = new GrowingGuest();
  const grown = PAGES.map((pages): readonly [number, Figure] => {
    const size: GuestSize = { paging, guestPages: pages, mapped: pages };
    return [pages, subject.flush(`flush-${pages}-${paging}`, `flush, ${pages} pages, ${paging}`, { size, slots: 1 })];
  });
  const roomy: GuestSize = { paging, guestPages: MOST, mapped: FEWEST };
  const inRoom = `flush, ${FEWEST} pages of a guest with room for ${MOST}, ${paging}`;
  const slots = Array.from({ length: SLOTS }, (_, index): readonly [number, Figure] => {
    const size: GuestSize = { paging, guestPages: SLOT_PAGES, mapped: SLOT_PAGES };
    const used = index + 1;
    const title = `teardown, ${used} slots with ${SLOT_PAGES} pages each, ${paging}`;
    return [used * SLOT_PAGES, subject.teardown(`teardown-${used}-${paging}`, title, { size, slots: used })];
  });
  return [
    ...grown.map(([, figure]) => figure),
    subject.flush(`flush-roomy-${paging}`, inRoom, { size: roomy, slots: 1 }),
    ...slots.map(([, figure]) => figure),
    slopeFigure(`flush-slope-${paging}`, `flush: each populated page adds, ${paging}`, grown),
    slopeFigure(`teardown-slope-${paging}`, `teardown: each populated page adds, ${paging}`, slots),
  ];
};

export const growth: Group = {
  name: 'growth',
  title: 'Growth of impl with the guest, 16 to 4096 pages and 1 to 4 slots',
  measure: () => Promise.resolve(PAGINGS.flatMap(growthFigures)),
};
