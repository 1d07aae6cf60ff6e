/** Whom a finding may harm, as far as its invariant alone can say. */

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

export const harmOf = (invariant: string): 'host' | 'guest' => (GUARDS_OF_THE_HOST.has(invariant) ? 'host' : 'guest');
