/** Shrinks counterexamples. */

export type { Judge, Progress } from './search.js';
export type { ShrinkOptions, Shrinkable, Shrunk } from './shrink.js';
export { DEFAULT_MOST_TRIES, NotReproduced, shrink } from './shrink.js';
