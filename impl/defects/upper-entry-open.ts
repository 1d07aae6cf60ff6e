import { FULL_RIGHTS } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const upperEntryOpen: Defect = {
  id: 'upper-entry-open',
  title: 'The shadow’s upper entry allows everything',
  class: 'permission merge',
  wrong: 'Rights are kept in the leaf alone, as the leaf has them; the upper entry of the shadow denies nothing.',
  origin: 'KVM b1bd5cba3306: permissions of the levels were merged wrongly',
  translation: 'The level that is left out is the PGD, or the PMD in PAE.',
  consequence: 'The guest’s user writes to what its kernel made read-only, once the kernel has touched it.',
  harms: 'guest',
  rule: 'machine.md 3, demand 6: refresh with the guest’s RW and US',
  inLguest: false,
  plant({ tables }) {
    const sound = tables.refreshUpper.bind(tables);
    tables.refreshUpper = () => sound(FULL_RIGHTS);
  },
};
