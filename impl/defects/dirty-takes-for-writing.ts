import { DIRTY } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const dirtyTakesForWriting: Defect = {
  id: 'dirty-takes-for-writing',
  title: 'A dirty entry takes its page for writing although it is read-only',
  class: 'missing check',
  wrong:
    'Whether a page is taken for writing is decided by D alone. A read of a dirty, read-only page asks the Launcher for more than the guest may do.',
  origin: 'lguest, demand_page and __guest_set_pte calling gpte_to_spte',
  translation: 'Literally: the function is the same here.',
  consequence:
    'A guest dies that reads a page which its Launcher shares read-only; a copy is made that nobody writes to.',
  harms: 'guest',
  rule: 'machine.md 3, demand 6: for writing if D and RW',
  inLguest: true,
  plant({ maker }) {
    maker.needsWriting = (low) => (low & DIRTY) !== 0;
  },
};
