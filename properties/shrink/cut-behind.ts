/** What comes behind the divergent step has no part in it. */

import type { Program } from '../../model/vocabulary/index.js';
import type { Place } from '../divergence.js';
import type { Search } from './search.js';

/** The program without the steps behind `place`; itself if there are none, or if the whole of it led there. */
export const withoutTail = (program: Program, place: Place): Program => {
  const kept = stepsUntil(place);
  return kept >= program.steps.length ? program : { ...program, steps: program.steps.slice(0, kept) };
};

export const cutBehind = async (search: Search): Promise<void> => {
  const { program } = search.smallest;
  const cut = withoutTail(program, search.divergence.place);
  if (cut !== program) await search.offer(cut);
};

const stepsUntil = (place: Place): number => {
  switch (place.kind) {
    case 'create':
      return 0;
    case 'step':
      return place.index + 1;
    case 'end':
    case 'destroy':
      return Infinity;
    default:
      return place satisfies never;
  }
};
