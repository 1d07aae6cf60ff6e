/** Times what must be prepared anew each time, between two looks at the clock. */

import type { Figure } from './figures.js';
import { figureOf } from './figures.js';

const TAKES = 9;
/** Milliseconds. */
const WARM_UP = 100;

export interface Timed {
  readonly id: string;
  readonly title: string;
  readonly prepare: () => void;
  readonly act: () => void;
  /** How many of what is measured one `act` does. */
  readonly count: number;
  /** Preparations in one take. */
  readonly repeats: number;
}

/** Nanoseconds: the median of some takes, each of which is the median of its repeats, so that an interruption counts for nothing. */
export const timedFigure = (timed: Timed): Figure => {
  const warm = performance.now() + WARM_UP;
  while (performance.now() < warm) takeOne(timed);
  const takes = Array.from({ length: TAKES }, () => takeOne(timed));
  return figureOf({ id: timed.id, title: timed.title, unit: 'ns' }, takes);
};

const takeOne = ({ prepare, act, count, repeats }: Timed): number => {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    prepare();
    const begin = performance.now();
    act();
    times.push(((performance.now() - begin) * 1e6) / count);
  }
  return times.toSorted((one, other) => one - other)[repeats >> 1];
};
