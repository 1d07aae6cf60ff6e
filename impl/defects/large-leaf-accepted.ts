import { LARGE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const largeLeafAccepted: Defect = {
  id: 'large-leaf-accepted',
  title: 'A leaf with PSE set passes for a small page',
  class: 'missing check',
  wrong: 'The PSE bit of a leaf is not looked at.',
  origin: 'Xen XSA-176: the PS bit in the walk of guest tables',
  translation: 'The level is that of the leaf.',
  consequence: 'The guest believes that it maps something else than it does.',
  harms: 'guest',
  rule: 'machine.md 3, demand 4 and 5: PSE',
  inLguest: false,
  plant({ walk }) {
    const sound = walk.placeOf.bind(walk);
    walk.placeOf = (low, high) => sound(low & ~LARGE, high);
  },
};
