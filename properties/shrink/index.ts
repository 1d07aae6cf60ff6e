/** Making counterexamples small. */

export type { Judge } from './judge.js';
export type { Progress } from './search.js';
export type { Found, MinimizeOptions, Minimized } from './minimize.js';
export { DEFAULT_MOST_TRIES, NotReproduced, minimize } from './minimize.js';
