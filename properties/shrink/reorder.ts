/** Steps in the usual order. It also makes programs shorter: what is stored before a root is used needs no announcement. */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { pagesByRole } from './measure.js';
import { renamed } from './rename.js';
import { rolesOf } from './rewrite.js';
import type { Pass } from './search.js';

/** Moves stores to the front: all at once, else one by one, each as far as possible. */
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

/** The places in front of steps that are neither `init` nor stores, first to last. */
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

/** Sorts runs of stores by address. Stores to the same word keep their order. */
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

/** Renumbers pages from the root down. */
export const sortPages: Pass = function* (smallest) {
  const byRole = pagesByRole(rolesOf(smallest()));
  const sorted = byRole.toSorted((one, other) => one - other);
  yield renamed(smallest(), (page) => {
    const place = byRole.indexOf(page);
    return place < 0 ? page : sorted[place];
  });
};
