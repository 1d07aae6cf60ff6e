/** Fewer steps: those after the divergence, then chunks, groups that have something in common, and pairs. */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import type { Place } from '../divergence.js';
import { rootOf } from './rewrite.js';
import type { Pass, Search } from './search.js';

/** The program without the steps after `place`; the same object if there are none. */
export const withoutTail = (program: Program, place: Place): Program => {
  const kept = stepsUntil(place);
  return kept >= program.steps.length ? program : { ...program, steps: program.steps.slice(0, kept) };
};

export const cutBehind = async (search: Search): Promise<void> => {
  const { program } = search.smallest;
  const cut = withoutTail(program, search.divergence.place);
  if (cut !== program) await search.offer(cut);
};

const stepsUntil = (place: Place): number => {
  switch (place.kind) {
    case 'create':
      return 0;
    case 'step':
      return place.index + 1;
    case 'end':
    case 'destroy':
    case 'end-of-input':
      return Infinity;
    default:
      return place satisfies never;
  }
};

/** Longer programs have too many pairs. */
const MOST_STEPS_FOR_PAIRS = 40;

const without = ({ machine, steps }: Program, dropped: (step: Step, index: number) => boolean): Program => ({
  machine,
  steps: steps.filter((step, index) => !dropped(step, index)),
});

/** Chunks of n/2, n/4 … 1 steps, from the end, because fewer steps depend on the last ones. */
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

/** All steps that concern one thing: a kind of step, a table page, a root, a virtual page. */
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

/** Two steps that can only be dropped together, such as one and another that undoes it. */
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
