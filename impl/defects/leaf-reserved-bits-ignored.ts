import type { Defect } from './defect.js';

/** Bits 32 to 43 of an entry. */
const PAGE_BITS_OF_UPPER_HALF = 0xfff;

export const leafReservedBitsIgnored: Defect = {
  id: 'leaf-reserved-bits-ignored',
  title: 'A leaf with reserved bits passes the check',
  class: 'wrong mask',
  wrong: 'The page number of a leaf is masked before it is checked, so bits 44 to 63 go unseen.',
  origin: 'lguest, check_gpte with pte_pfn',
  translation: 'Literally: the function is the same here.',
  consequence:
    'The guest runs with an entry that no CPU it was told of would take: a bit it set for one meaning (NX, say) is silently without effect.',
  harms: 'guest',
  rule: 'machine.md 1, reserved bits; 3, demand 5',
  inLguest: true,
  plant({ walk }) {
    const sound = walk.placeOf.bind(walk);
    walk.placeOf = (low, high) => sound(low, high & PAGE_BITS_OF_UPPER_HALF);
  },
};
