import type { Defect } from './defect.js';

export const hitFlushesUserHalf: Defect = {
  id: 'hit-flushes-user-half',
  title: 'A cache hit flushes like a miss',
  class: 'over-flush',
  wrong: 'The user half of a slot is flushed at every switch to it, also when its root was cached.',
  origin: 'constructed: the cache switched off by half',
  translation: 'Literally.',
  consequence: 'Every context switch begins with a storm of faults; nothing is wrong but the speed.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable: on a hit nothing is flushed',
  inLguest: false,
  plant({ calls, tables, guest }) {
    const sound = calls.newPgtable.bind(calls);
    calls.newPgtable = (root, draw) => {
      sound(root, draw);
      if (guest.killedFor === undefined) tables.releaseBelow(guest.current, guest.kernelAddress);
    };
  },
};
