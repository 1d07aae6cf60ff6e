import { ACCESSED, DIRTY } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const setPteInstallsUnaccessed: Defect = {
  id: 'set-pte-installs-unaccessed',
  title: 'set-pte installs an entry that is dirty but not accessed',
  class: 'missing dirty',
  wrong: 'An entry with D and without A is installed at once, so the first access does not fault and A is never set.',
  origin: 'lguest, __guest_set_pte',
  translation: 'Literally: the function is the same here.',
  consequence: 'The guest believes that the page was not used and may evict it.',
  harms: 'guest',
  rule: 'machine.md 3, set-pte: present and accessed',
  inLguest: true,
  plant({ calls }) {
    calls.wasUsed = (pte) => (pte.low & (ACCESSED | DIRTY)) !== 0;
  },
};
