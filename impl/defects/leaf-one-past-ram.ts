import { LARGE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const leafOnePastRam: Defect = {
  id: 'leaf-one-past-ram',
  title: 'The page behind RAM passes the check of a leaf',
  class: 'off-by-one',
  wrong: 'The end of RAM is compared with <= instead of <.',
  origin: 'constructed: the mistake of lguest’s guest_set_pgd, at the border of RAM',
  translation: 'Literally.',
  consequence: 'The guest gets a page that is not its own.',
  harms: 'host',
  rule: 'machine.md 1, Guest RAM; 3, demand 5',
  inLguest: false,
  plant({ walk, guest }) {
    const sound = walk.placeOf.bind(walk);
    walk.placeOf = (low, high) =>
      high === 0 && (low & LARGE) === 0 && low >>> 12 === guest.guestPages ? 'ram' : sound(low, high);
  },
};
