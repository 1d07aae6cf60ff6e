import { SLOTS, slot } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const victimIgnoresDraw: Defect = {
  id: 'victim-ignores-draw',
  title: 'The victim is the slot after the current one, whatever the draw',
  class: 'eviction',
  wrong: 'A miss takes the next slot round instead of the one drawn.',
  origin: 'constructed: random replacement made into round robin',
  translation: 'Literally.',
  consequence:
    'A guest that knows the order can keep others out of the cache; two runs of one program differ from the specification.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable: candidate draw % 4',
  inLguest: false,
  plant({ cache, guest }) {
    const sound = cache.victim.bind(cache);
    cache.victim = () => sound(slot((guest.current + 1) % SLOTS));
  },
};
