/**
 * The order in which a reader expects things: `init`, then the tables, then what is done with them; lower pages nearer to
 * the root; stores by address. Counted in inversions, which is how often two things stand the wrong way round.
 */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import type { Roles } from './roles.js';
import { pageOfAddress } from './roles.js';

/** Steps that `init` should precede, and steps other than stores that a store should precede. */
export const stepInversions = (steps: readonly Step[]): number => {
  let inversions = 0;
  let acts = 0;
  for (const [index, step] of steps.entries()) {
    if (step.op === 'init') inversions += index;
    else if (step.op === 'store') inversions += acts;
    else acts++;
  }
  return inversions;
};

/** Pairs of stores in a row that are not by address. */
export const storeInversions = (steps: readonly Step[]): number => {
  let inversions = 0;
  for (const run of storeRuns(steps)) inversions += inversionsOf(run.map(({ paddr }) => paddr));
  return inversions;
};

type Store = Extract<Step, { op: 'store' }>;

const storeRuns = (steps: readonly Step[]): Store[][] => {
  const runs: Store[][] = [[]];
  for (const step of steps) {
    if (step.op === 'store') runs.at(-1)!.push(step);
    else if (runs.at(-1)!.length > 0) runs.push([]);
  }
  return runs;
};

/** Pages from the root down: roots, tables by depth, data. */
export const pagesByRole = ({ roots, tables, data }: Roles): number[] => {
  const roles = [[...roots].map(pageOfAddress), ...tables.map((pages) => [...pages]), [...data]];
  return [...new Set(roles.flat())];
};

export const pageInversions = (roles: Roles): number => inversionsOf(pagesByRole(roles));

/** Draws that stand before lower ones. */
export const drawInversions = ({ steps }: Program): number =>
  inversionsOf(steps.flatMap((step) => (step.op === 'new-pgtable' ? [step.draw % SLOTS] : [])));

const inversionsOf = (values: readonly number[]): number => {
  let inversions = 0;
  for (let later = 1; later < values.length; later++) {
    for (let earlier = 0; earlier < later; earlier++) if (values[earlier] > values[later]) inversions++;
  }
  return inversions;
};
