/**
 * fast-check's own shrinker, followed greedily. It serves twice. First for a coherent case that was just generated: that one
 * still knows its macros, and loses whole macros here. Last for what has become small: numbers are halved where nothing that
 * the other passes propose is small enough. (It is no use to a long list of steps, which it shortens from the front, where a
 * program sets up what it later uses.)
 */

import type fc from 'fast-check';
import type { Case } from '../generators/index.js';
import { programArbitrary } from '../generators/index.js';
import { cutBehind } from './cut-behind.js';
import type { Search } from './search.js';

export interface Found {
  readonly value: Case;
  /** What the arbitrary that generated the value remembers of it, if it was just generated. */
  readonly context?: unknown;
}

/** Candidates looked at in a row without success. */
const PATIENCE_WITH_MACROS = 200;
const PATIENCE_WITH_STEPS = 400;

/** Loses macros, if the case has some. */
export const shrinkMacros = async (search: Search, found: Found): Promise<void> => {
  let current: Found | undefined = found;
  while (current?.context !== undefined && !search.over) {
    current = await firstSmaller(search, current, PATIENCE_WITH_MACROS);
  }
};

/** Loses steps and parts of numbers; answers whether anything became smaller. */
export const shrinkSteps = async (search: Search): Promise<boolean> => {
  let improved = false;
  while ((await firstSmaller(search, { value: search.smallest }, PATIENCE_WITH_STEPS)) !== undefined) improved = true;
  return improved;
};

const firstSmaller = async (
  search: Search,
  { value, context }: Found,
  patience: number,
): Promise<Found | undefined> => {
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
