/** Which invariants a run could have exercised, whatever its luck. */

import type { FuzzOptions } from '../../properties/fuzz.js';
import type { Invariant } from '../../properties/invariants/invariant.js';

type Setting = Pick<FuzzOptions, 'subject' | 'reference' | 'traffic'>;

/** What both sides, and the guests, must offer for an invariant to be checked at all. */
export const applies = ({ contract, looksAt }: Invariant, { subject, reference, traffic }: Setting): boolean => {
  if (contract === 'kept' && traffic === 'hostile') return false;
  switch (looksAt) {
    case 'observations':
      return true;
    case 'shadow':
      return subject.kind === 'in-process' && subject.create().shadow !== undefined;
    case 'fresh':
      return reference.kind === 'in-process' && reference.create().walksAlways === true;
    default:
      return looksAt satisfies never;
  }
};
