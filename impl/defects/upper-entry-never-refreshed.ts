import type { Defect } from './defect.js';

export const upperEntryNeverRefreshed: Defect = {
  id: 'upper-entry-never-refreshed',
  title: 'The shadow’s upper entry keeps the rights of its first use',
  class: 'stale mapping',
  wrong:
    'find_spte sets the flags of an upper entry when it allocates the table, and never again, whatever the guest’s entry says at later faults.',
  origin: 'lguest, find_spte',
  translation: 'Literally: the function is the same here.',
  consequence:
    'Rights that the guest gave are never seen, and the access faults for ever; rights that it took back stay.',
  harms: 'guest',
  rule: 'machine.md 3, demand 6: refresh the upper entry',
  inLguest: true,
  plant({ tables }) {
    tables.refreshUpper = () => undefined;
  },
};
