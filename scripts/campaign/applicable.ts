/** Which invariants a run could have exercised, whatever its luck. */

import type { FuzzOptions } from '../../properties/fuzz.js';
import type { Invariant } from '../../properties/invariants/invariant.js';

type Setting = Pick<FuzzOptions, 'subject' | 'traffic'>;

/** What looks inside needs a subject that lets us; what rests on the contract needs guests that keep it. */
export const applies = (invariant: Invariant, { subject, traffic }: Setting): boolean => {
  if (invariant.contract === 'kept' && traffic === 'hostile') return false;
  return invariant.looksAt === 'observations' || letsUsLook(subject);
};

const letsUsLook = (subject: Setting['subject']): boolean =>
  subject.kind === 'in-process' && subject.create().shadow !== undefined;
