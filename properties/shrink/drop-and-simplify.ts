/**
 * A step that is needed only because another one says more than it must: both give way at once. A page that would serve as
 * two things from then on is not worth it: a table that maps itself saves a step and costs the reader more.
 */

import type { Program } from '../../model/vocabulary/index.js';
import { withStep } from './rewrite.js';
import { pagesOfSeveralRoles, rolesOf } from './roles.js';
import type { Pass } from './search.js';
import { simplerSteps } from './simpler-step.js';

/** Longer programs have too many pairs. */
const MOST_STEPS = 12;

export const dropAndSimplify: Pass = function* (smallest) {
  if (smallest().steps.length > MOST_STEPS) return;
  for (let dropped = 0; dropped < smallest().steps.length; dropped++) {
    if (yield* withoutOne(smallest, dropped)) dropped--;
  }
};

function* withoutOne(smallest: () => Program, dropped: number): Generator<Program, boolean, boolean> {
  const { machine, steps } = smallest();
  const rest: Program = { machine, steps: steps.toSpliced(dropped, 1) };
  const roles = pagesOfSeveralRoles(rolesOf(smallest()));
  for (const index of rest.steps.keys()) {
    for (const step of simplerSteps(rest, index)) {
      const candidate = withStep(rest, index, step);
      if (pagesOfSeveralRoles(rolesOf(candidate)) > roles) continue;
      if (yield candidate) return true;
    }
  }
  return false;
}
