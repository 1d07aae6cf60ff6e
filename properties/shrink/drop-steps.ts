/** Fewer steps: in chunks, then in groups that have something in common, then two at a time. */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import { rootOf } from './roles.js';
import type { Pass } from './search.js';

/** Pairs are tried of programs of at most so many steps: their number grows with the square. */
const MOST_STEPS_FOR_PAIRS = 40;

const without = ({ machine, steps }: Program, dropped: (step: Step, index: number) => boolean): Program => ({
  machine,
  steps: steps.filter((step, index) => !dropped(step, index)),
});

/** Chunks of n/2, n/4 … 1 steps, from the back, where less depends on them. */
export const dropChunks: Pass = function* (smallest) {
  for (let size = smallest().steps.length >>> 1; size >= 1; size >>>= 1) {
    for (let end = smallest().steps.length; end > 0;) {
      const start = Math.max(end - size, 0);
      const stop = end;
      yield without(smallest(), (_, index) => index >= start && index < stop);
      end = Math.min(start, smallest().steps.length);
    }
  }
};

/** All steps that have to do with one thing: a kind of step, a table page, a root, a virtual page. */
export const dropGroups: Pass = function* (smallest) {
  const groups = new Set(smallest().steps.flatMap(groupsOf));
  for (const group of groups) yield without(smallest(), (step) => groupsOf(step).includes(group));
};

const groupsOf = (step: Step): string[] => {
  const groups = [`kind ${step.op}`];
  const root = rootOf(step);
  if (root !== undefined) groups.push(`root ${root}`, `table ${pageNumber(root)}`);
  if (step.op === 'store') groups.push(`table ${pageNumber(step.paddr)}`, `word ${step.paddr}`);
  if ('vaddr' in step) groups.push(`page ${pageNumber(step.vaddr)}`);
  return groups;
};

const pageNumber = (address: number): number => Math.floor(address / PAGE_BYTES);

/** Two steps that only work together, like one that does something and one that undoes it. */
export const dropPairs: Pass = function* (smallest) {
  if (smallest().steps.length > MOST_STEPS_FOR_PAIRS) return;
  for (let second = smallest().steps.length - 1; second > 0; second--) {
    for (let first = second - 1; first >= 0; first--) {
      const [one, other] = [first, second];
      const accepted = yield without(smallest(), (_, index) => index === one || index === other);
      if (!accepted) continue;
      second = Math.min(second, smallest().steps.length);
      break;
    }
  }
};
