/** Choosing invariants by name. */

import { BadInput } from '../../../properties/formats/index.js';
import type { Invariant } from '../../../properties/invariants/invariant.js';
import { INVARIANTS, invariantNamed } from '../../../properties/invariants/invariants.js';

/** In the order of the registry, which is that of precedence; all of them if none is named. Throws `BadInput`. */
export const invariantsNamed = (ids: readonly string[] | undefined): readonly Invariant[] => {
  if (ids === undefined) return INVARIANTS;
  for (const id of ids) {
    if (invariantNamed(id) !== undefined) continue;
    throw new BadInput('--invariant', `${JSON.stringify(id)} is not known; see: shadowdiff invariants`);
  }
  return INVARIANTS.filter(({ id }) => ids.includes(id));
};
