/** Whom a finding may harm, as far as its invariant alone can say. */

import { SUBJECT_FAILURES } from '../../../properties/divergence.js';

/** They guard what belongs to the host: its memory, its tables, its own window. Breaking any other misleads the guest itself. */
export const GUARDS_OF_THE_HOST: ReadonlySet<string> = new Set([
  'host-intact',
  'confinement',
  'switcher',
  'table-accounting',
  'teardown',
  'death-is-final',
  'reference-count',
]);

/** A subject that crashed, hung or talked nonsense is a host that broke. */
const FAILURES: ReadonlySet<string> = new Set(SUBJECT_FAILURES);

export const harmOf = (invariant: string): 'host' | 'guest' =>
  GUARDS_OF_THE_HOST.has(invariant) || FAILURES.has(invariant) ? 'host' : 'guest';
