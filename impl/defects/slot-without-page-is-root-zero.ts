import type { Defect } from './defect.js';

export const slotWithoutPageIsRootZero: Defect = {
  id: 'slot-without-page-is-root-zero',
  title: 'A slot that was never used passes for a shadow of root 0',
  class: 'cache lookup',
  wrong: 'The lookup compares roots and does not ask whether the slot has a root page at all.',
  origin: 'lguest 4357bd9453b: an unallocated slot matched root 0',
  translation: 'Literally.',
  consequence: 'The CPU’s page-table base is null: the host crashes.',
  harms: 'host',
  rule: 'machine.md 3, new-pgtable: the lowest slot with a root page',
  inLguest: false,
  plant({ cache }) {
    cache.shadows = () => true;
  },
};
