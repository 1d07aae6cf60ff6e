/** Shrinks a case: runs the passes, in order, until none of them makes it smaller. */

import type fc from 'fast-check';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { Case } from '../generators/index.js';
import { programArbitrary } from '../generators/index.js';
import { cutBehind, dropChunks, dropGroups, dropPairs } from './drop-steps.js';
import { moveIndexes, moveRoots, renamePages, swapPages } from './rename.js';
import { regroup } from './regroup.js';
import { hoistStores, sortPages, sortStores } from './reorder.js';
import type { Judge, Pass, Progress } from './search.js';
import { Search } from './search.js';
import { permuteSlots, simplifyMachine } from './simplify-machine.js';
import { dropAndSimplify, simplifyEntries, simplifySteps } from './simplify-steps.js';

/** Most findings are small long before. */
export const DEFAULT_MOST_TRIES = 20_000;

export interface ShrinkOptions {
  /** The most candidates to judge; `DEFAULT_MOST_TRIES` by default. */
  readonly mostTries?: number;
  /** Called before every try; true ends the search with the smallest case so far. */
  readonly interrupted?: () => boolean;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What became of a case. */
export type ShrinkOutcome = Shrunk | { readonly kind: 'not-reproduced' };

export interface Shrunk {
  readonly kind: 'shrunk';
  readonly case: Case;
  readonly divergence: Divergence;
  /** Cases judged. */
  readonly tried: number;
  /** `interrupted` ended the search early. */
  readonly interrupted: boolean;
}

const DROPS: readonly Pass[] = [dropChunks, dropGroups, dropPairs];
/** Dropping comes first: a dropped step needs no simplifying. */
const ALL: readonly Pass[] = [
  ...DROPS,
  simplifyMachine,
  hoistStores,
  permuteSlots,
  simplifySteps,
  simplifyEntries,
  moveIndexes,
  moveRoots,
  renamePages,
  swapPages,
  sortPages,
  sortStores,
];
/** They cost many tries, so only when nothing else helps. */
const LAST: readonly Pass[] = [dropAndSimplify, regroup];

/**
 * Looks for the smallest case that shows the finding `signature` (see `signatureOf`). `found` is a generated `fc.Value`, or `{ value }` for
 * a case from a file. Deterministic if the judge is. If it is not, or a subject behind it, `found` may not show the finding when it is
 * judged again: `not-reproduced`.
 */
export const shrink = async (
  found: Shrinkable,
  signature: string,
  judge: Judge,
  options: ShrinkOptions = {},
): Promise<ShrinkOutcome> => {
  const divergence = await judge(found.value);
  if (divergence === undefined || signatureOf(divergence) !== signature) return { kind: 'not-reproduced' };
  const { mostTries = DEFAULT_MOST_TRIES, interrupted, onProgress } = options;
  const search = new Search(found.value, divergence, { signature, judge, mostTries, interrupted, onProgress });
  await cutBehind(search);
  await shrinkMacros(search, found);
  await untilNothingHelps(search, DROPS);
  do await untilNothingHelps(search, ALL);
  while ((await runAll(search, LAST)) || (await shrinkSteps(search)));
  const { smallest, tried } = search;
  return { kind: 'shrunk', case: smallest, divergence: search.divergence, tried, interrupted: search.interrupted };
};

const untilNothingHelps = async (search: Search, passes: readonly Pass[]): Promise<void> => {
  while (!search.over && (await runAll(search, passes)));
};

/** Answers whether any pass made the case smaller. */
const runAll = async (search: Search, passes: readonly Pass[]): Promise<boolean> => {
  let improved = false;
  for (const pass of passes) {
    const helped = await search.run(pass);
    improved ||= helped;
  }
  await cutBehind(search);
  return improved;
};

// fast-check's own shrinker, followed greedily. First for a coherent case that was just generated: it still has its macros, and loses whole
// macros here. Last for the small result: fast-check halves numbers where the passes propose no small enough value. In between it is no use,
// because it shortens long lists from the front, where a program sets up what it uses later.

export interface Shrinkable {
  readonly value: Case;
  /** fast-check's context of the value, if it was just generated. */
  readonly context?: unknown;
}

/** The most candidates to look at in a row without success. */
const PATIENCE_WITH_MACROS = 200;
const PATIENCE_WITH_STEPS = 400;

/** Drops and shrinks macros, if the case has them. */
export const shrinkMacros = async (search: Search, found: Shrinkable): Promise<void> => {
  let current: Shrinkable | undefined = found;
  while (current?.context !== undefined && !search.over) {
    current = await firstSmaller(search, current, PATIENCE_WITH_MACROS);
  }
};

/** Drops steps and shrinks numbers; answers whether that made the case smaller. */
export const shrinkSteps = async (search: Search): Promise<boolean> => {
  let improved = false;
  while ((await firstSmaller(search, { value: search.smallest }, PATIENCE_WITH_STEPS)) !== undefined) improved = true;
  return improved;
};

const firstSmaller = async (
  search: Search,
  { value, context }: Shrinkable,
  patience: number,
): Promise<Shrinkable | undefined> => {
  let looked = 0;
  for (const candidate of ARBITRARY.shrink(value, context)) {
    if (looked++ === patience || search.over) return undefined;
    if (!(await search.offer(candidate.value.program))) continue;
    await cutBehind(search);
    return candidate;
  }
  return undefined;
};

const ARBITRARY: fc.Arbitrary<Case> = programArbitrary();
