/** How far a program runs until it diverges. */

import type { Program } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import { SUBJECT_FAILURES } from '../divergence.js';

/** A side gave no trace, so that no step can be told. */
export const isFailure = ({ invariant }: Divergence): boolean => SUBJECT_FAILURES.some((each) => each === invariant);

/** Steps taken, the one that diverges included; of a side that did not answer, all may matter. */
export const reachedSteps = (divergence: Divergence, { steps }: Program): number => {
  const { place } = divergence;
  if (place.kind === 'step') return place.index + 1;
  return place.kind === 'create' && !isFailure(divergence) ? 0 : steps.length;
};
