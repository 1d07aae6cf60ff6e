/** Simpler values, one step at a time, and one entry at a time wherever it occurs. */

import type { GuestEntry, Program } from '../../model/vocabulary/index.js';
import { sameEntry } from '../../model/vocabulary/index.js';
import { pagesUsed } from './rename-pages.js';
import { mapEntries, mapSteps, withStep } from './rewrite.js';
import type { Pass } from './search.js';
import { simplerEntries } from './simpler-entry.js';
import { simplerSteps } from './simpler-step.js';

/** From the back, where less depends on a step. */
export const simplifySteps: Pass = function* (smallest) {
  for (let index = smallest().steps.length - 1; index >= 0; index--) {
    for (const step of simplerSteps(smallest(), index)) {
      if (yield withStep(smallest(), index, step)) break;
    }
  }
};

/** An entry that is stored and announced must stay the same in both places, or the guest breaks the contract. */
export const simplifyEntries: Pass = function* (smallest) {
  for (const entry of entriesUsed(smallest())) {
    for (const simpler of simplerEntries(entry, pagesUsed(smallest()))) {
      if (yield withEntry(smallest(), entry, simpler)) break;
    }
  }
};

const entriesUsed = ({ steps }: Program): GuestEntry[] => {
  const entries = steps.flatMap((step) =>
    step.op === 'store' ? [step.value] : step.op === 'set-pte' ? [step.pte] : [],
  );
  return entries.filter((entry, index) => entries.findIndex((other) => sameEntry(entry, other)) === index);
};

const withEntry = (program: Program, from: GuestEntry, to: GuestEntry): Program =>
  mapSteps(program, (step) => mapEntries(step, (entry) => (sameEntry(entry, from) ? to : entry)));
