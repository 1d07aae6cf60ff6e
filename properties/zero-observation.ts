import type { Observation } from '../model/vocabulary/index.js';

/** What is observed of a machine that does not exist, and the fields that a bare outcome leaves out. */
export const ZERO_OBSERVATION: Observation = Object.freeze({
  outcome: Object.freeze({ kind: 'absent' as const }),
  references: Object.freeze([]),
  stores: Object.freeze([]),
  tables: 0,
  switcher: Object.freeze({ text: 0, state: Object.freeze([]), registers: 0 }),
});
