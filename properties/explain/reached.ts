/** How far a program runs until it diverges. */

import type { Program } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import { isSubjectFailure } from '../divergence.js';

/** Steps taken, the one that diverges included; of a side that did not answer, all may matter. */
export const reachedSteps = (divergence: Divergence, { steps }: Program): number => {
  const { place } = divergence;
  if (place.kind === 'step') return place.index + 1;
  return place.kind === 'create' && !isSubjectFailure(divergence.invariant) ? 0 : steps.length;
};
