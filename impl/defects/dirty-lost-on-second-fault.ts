import { ACCESSED } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const dirtyLostOnSecondFault: Defect = {
  id: 'dirty-lost-on-second-fault',
  title: 'The write that follows a read leaves no D bit in the guest’s entry',
  class: 'missing dirty',
  wrong:
    'The guest’s entry is written back only if it was not accessed before, so the second fault, for the write, sets D in the shadow alone.',
  origin: 'KVM 760db773fbd: a dirty bit that was lost',
  translation: 'The bit is that of the guest’s leaf.',
  consequence: 'The guest throws a page away that it wrote to.',
  harms: 'guest',
  rule: 'machine.md 3, demand 6: write the changed leaf back',
  inLguest: false,
  plant({ ram, walk }) {
    const sound = ram.writeBack.bind(ram);
    ram.writeBack = (address, low, high) => {
      if ((walk.leafLow & ACCESSED) === 0) sound(address, low, high);
    };
  },
};
