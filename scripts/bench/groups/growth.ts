/** How the cost of emptying tables grows: with what is populated, not with what the guest could populate. */

import { ShadowMachine } from '../../../impl/shadow-machine.js';
import type { Paging, Step } from '../../../model/vocabulary/index.js';
import { PAGINGS, SLOTS } from '../../../model/vocabulary/index.js';
import type { Figure } from '../figures.js';
import { figureOf, fittedLine } from '../figures.js';
import type { GuestSize } from '../guest-tables.js';
import { machineFor, openingOf, rootNumber, touchAll } from '../guest-tables.js';
import { timedFigure } from '../stopwatch.js';
import type { Group } from './group.js';

const PAGES = [16, 64, 256, 1024, 4096] as const;
const FEWEST = 16;
const MOST = 4096;
const SLOT_PAGES = 256;
const REPEATS = 30;

interface Population {
  readonly size: GuestSize;
  readonly slots: number;
}

/** One machine for all sizes, as a run has. */
class Subject {
  private readonly machine = new ShadowMachine();

  flush(id: string, title: string, population: Population): Figure {
    const flush: Step = { op: 'flush-tlb', scope: 'all' };
    return this.timed(id, title, population, () => this.machine.apply(flush));
  }

  teardown(id: string, title: string, population: Population): Figure {
    return this.timed(id, title, population, () => this.machine.destroy());
  }

  private timed(id: string, title: string, population: Population, act: () => void): Figure {
    return timedFigure({ id, title, prepare: () => this.populate(population), act, count: 1, repeats: REPEATS });
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

const figuresOf = (paging: Paging): readonly Figure[] => {
  const subject = new Subject();
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
  measure: () => Promise.resolve(PAGINGS.flatMap(figuresOf)),
};
