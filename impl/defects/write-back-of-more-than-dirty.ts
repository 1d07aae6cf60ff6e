import { LEAF_FLAGS } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const writeBackOfMoreThanDirty: Defect = {
  id: 'write-back-of-more-than-dirty',
  title: 'The write-back of A and D takes along the shadow’s other flags',
  class: 'wrong mask',
  wrong: 'The guest’s entry is replaced by the leaf’s flags, so that G and the bits free for the guest’s use are lost.',
  origin: 'constructed: lguest’s lgwrite of gpte, had it been done after gpte_to_spte',
  translation: 'Literally.',
  consequence: 'The guest loses bits of its own page tables.',
  harms: 'guest',
  rule: 'machine.md 3, demand 6: the changed leaf is the guest’s',
  inLguest: false,
  plant({ ram }) {
    const sound = ram.writeBack.bind(ram);
    ram.writeBack = (address, low, high) => sound(address, (low & (~0xfff | LEAF_FLAGS)) >>> 0, high);
  },
};
