import { SLOTS, slot } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const blankSlotFirst: Defect = {
  id: 'blank-slot-first',
  title: 'A miss prefers a slot that is still empty',
  class: 'eviction',
  wrong: 'As long as some slot has no root page, the draw is not asked.',
  origin: 'constructed: an optimization that looks harmless',
  translation: 'Literally.',
  consequence: 'Which address space is evicted no longer depends on the draw alone.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable: candidate draw % 4',
  inLguest: false,
  plant({ cache }) {
    const sound = cache.victim.bind(cache);
    cache.victim = (candidate) => {
      for (let index = 0; index < SLOTS; index++) if (!cache.hasRoot(slot(index))) return sound(slot(index));
      return sound(candidate);
    };
  },
};
