/**
 * Steps in the order in which a reader expects them. It makes programs shorter, too: what is stored before a root is used
 * need not be announced.
 */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { renamed } from './rename-pages.js';
import { pagesByRole } from './order.js';
import { rolesOf } from './roles.js';
import type { Pass } from './search.js';

/** Stores go as far to the front as they can: all at once, else one by one, to the first or the next better place. */
export const hoistStores: Pass = function* (smallest) {
  if (yield allHoisted(smallest())) return;
  for (let index = 1; index < smallest().steps.length; index++) {
    const { op } = smallest().steps[index];
    if (op !== 'store' && op !== 'init') continue;
    for (const place of betterPlaces(smallest().steps, index)) if (yield moved(smallest(), index, place)) break;
  }
};

const allHoisted = ({ machine, steps }: Program): Program => {
  const rank = ({ op }: Step): number => (op === 'init' ? 0 : op === 'store' ? 1 : 2);
  return { machine, steps: steps.toSorted((one, other) => rank(one) - rank(other)) };
};

/** In front of all that is neither `init` nor a store, from the front. */
const betterPlaces = (steps: readonly Step[], index: number): number[] => {
  if (steps[index].op === 'init') return [0];
  return [...steps.keys()].filter(
    (place) => place < index && steps[place].op !== 'init' && steps[place].op !== 'store',
  );
};

const moved = ({ machine, steps }: Program, from: number, to: number): Program => ({
  machine,
  steps: steps.toSpliced(from, 1).toSpliced(to, 0, steps[from]),
});

/** Stores in a row by address. Two to the same word keep their order. */
export const sortStores: Pass = function* (smallest) {
  if (yield { ...smallest(), steps: sortedRuns(smallest().steps) }) return;
  for (let index = 1; index < smallest().steps.length; index++) {
    const [one, other] = [smallest().steps[index - 1], smallest().steps[index]];
    if (one.op === 'store' && other.op === 'store' && one.paddr > other.paddr)
      yield moved(smallest(), index, index - 1);
  }
};

const sortedRuns = (steps: readonly Step[]): Step[] => {
  const sorted: Step[] = [];
  let run: Extract<Step, { op: 'store' }>[] = [];
  const flush = (): void => {
    sorted.push(...run.sort((one, other) => one.paddr - other.paddr));
    run = [];
  };
  for (const step of steps) {
    if (step.op === 'store') {
      run.push(step);
      continue;
    }
    flush();
    sorted.push(step);
  }
  flush();
  return sorted;
};

/** Pages numbered from the root down. */
export const sortPages: Pass = function* (smallest) {
  const byRole = pagesByRole(rolesOf(smallest()));
  const sorted = byRole.toSorted((one, other) => one - other);
  yield renamed(smallest(), (page) => {
    const place = byRole.indexOf(page);
    return place < 0 ? page : sorted[place];
  });
};
