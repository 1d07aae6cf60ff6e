import type { Defect } from './defect.js';

export const leafPageTruncated: Defect = {
  id: 'leaf-page-truncated',
  title: 'A leaf’s page number is cut to 32-bit addresses',
  class: 'wrong mask',
  wrong: 'Bits 32 to 43 of a PAE leaf are dropped before the page number is checked.',
  origin: 'KVM 27aba76615e: high bits of an address were truncated',
  translation: 'The address is the page number of a leaf.',
  consequence: 'A page far beyond the guest’s RAM is taken for one in it.',
  harms: 'guest',
  rule: 'machine.md 3, demand 5: any other page is bad',
  inLguest: false,
  plant({ walk }) {
    const sound = walk.placeOf.bind(walk);
    walk.placeOf = (low, high) => sound(low, high < 0x1000 ? 0 : high);
  },
};
