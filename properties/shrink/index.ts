/** Shrinks counterexamples. */

export type { Judge, Progress } from './search.js';
export type { ShrinkOptions, ShrinkOutcome, Shrinkable, Shrunk } from './shrink.js';
export { DEFAULT_MOST_TRIES, shrink } from './shrink.js';
