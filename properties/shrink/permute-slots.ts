/** Lower slots: only a draw's remainder counts, and what slots are called matters less than which of them are the same. */

import type { Program } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { mapSteps, withMachine } from './rewrite.js';
import type { Pass } from './search.js';

export const permuteSlots: Pass = function* (smallest) {
  for (const names of permutations([...Array(SLOTS).keys()])) {
    yield withSlots(smallest(), names);
    yield withCreationAndSlots(smallest(), names);
  }
};

/** Renames the slots of all steps; the identity still takes each draw modulo four. */
const withSlots = (program: Program, names: readonly number[]): Program =>
  mapSteps(program, (step) => (step.op === 'new-pgtable' ? { ...step, draw: names[step.draw % SLOTS] } : step));

/** The slot that creation chose as well. */
const withCreationAndSlots = (program: Program, names: readonly number[]): Program =>
  withSlots(withMachine(program, { draw: names[program.machine.draw % SLOTS] }), names);

const permutations = (items: readonly number[]): number[][] =>
  items.length <= 1
    ? [[...items]]
    : items.flatMap((first) => permutations(items.filter((each) => each !== first)).map((rest) => [first, ...rest]));
