/** The stages of minimizing, in order. */

import type { Case } from '../generators/index.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import { cutBehind } from './cut-behind.js';
import { dropAndSimplify } from './drop-and-simplify.js';
import { dropChunks, dropGroups, dropPairs } from './drop-steps.js';
import type { Judge } from './judge.js';
import { moveIndexes } from './move-indexes.js';
import { permuteSlots } from './permute-slots.js';
import { moveRoots, renamePages, swapPages } from './rename-pages.js';
import { hoistStores, sortPages, sortStores } from './reorder.js';
import type { Pass, Progress } from './search.js';
import { Search } from './search.js';
import type { Found } from './shrink-arbitrary.js';
import { shrinkMacros, shrinkSteps } from './shrink-arbitrary.js';
import { simplifyMachine } from './simplify-machine.js';
import { simplifyEntries, simplifySteps } from './simplify-steps.js';

export type { Found } from './shrink-arbitrary.js';

/** Candidates; most findings are small long before. */
export const DEFAULT_MOST_TRIES = 20_000;

export interface MinimizeOptions {
  /** Candidates judged at most; `DEFAULT_MOST_TRIES` if left out. */
  readonly mostTries?: number;
  /** Asked before every try; true ends the search with the smallest case so far. */
  readonly interrupted?: () => boolean;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Minimized {
  readonly case: Case;
  readonly divergence: Divergence;
  /** Cases judged. */
  readonly tried: number;
  /** `interrupted` answered true before the search was done. */
  readonly interrupted: boolean;
}

/** The case to be made small does not show its finding: the judge, or a subject behind it, does not always answer the same. */
export class NotReproduced extends Error {
  override readonly name = 'NotReproduced';

  constructor(signature: string) {
    super(`the case to be made small does not show "${signature}" when it is run again`);
  }
}

const DROPS: readonly Pass[] = [dropChunks, dropGroups, dropPairs];
/** Steps come first: what is gone need not be simplified. */
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
/** What costs many tries, when nothing else helps. */
const LAST: readonly Pass[] = [dropAndSimplify];

/**
 * Looks for the smallest case that shows the finding `signature` (see `signatureOf`). `found` is a generated `fc.Value`, or
 * `{ value }` of a case that comes from a file. Deterministic if the judge is. Throws `NotReproduced` if `found` does not
 * show the finding.
 */
export const minimize = async (
  found: Found,
  signature: string,
  judge: Judge,
  options: MinimizeOptions = {},
): Promise<Minimized> => {
  const divergence = await judge(found.value);
  if (divergence === undefined || signatureOf(divergence) !== signature) throw new NotReproduced(signature);
  const { mostTries = DEFAULT_MOST_TRIES, interrupted, onProgress } = options;
  const search = new Search(found.value, divergence, { signature, judge, mostTries, interrupted, onProgress });
  await cutBehind(search);
  await shrinkMacros(search, found);
  await untilNothingHelps(search, DROPS);
  do await untilNothingHelps(search, ALL);
  while ((await runAll(search, LAST)) || (await shrinkSteps(search)));
  return { case: search.smallest, divergence: search.divergence, tried: search.tried, interrupted: search.interrupted };
};

const untilNothingHelps = async (search: Search, passes: readonly Pass[]): Promise<void> => {
  while (!search.over && (await runAll(search, passes)));
};

/** Answers whether anything became smaller. */
const runAll = async (search: Search, passes: readonly Pass[]): Promise<boolean> => {
  let improved = false;
  for (const pass of passes) {
    const helped = await search.run(pass);
    improved ||= helped;
  }
  await cutBehind(search);
  return improved;
};
