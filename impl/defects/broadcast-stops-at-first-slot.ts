import { SLOTS, slot } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const broadcastStopsAtFirstSlot: Defect = {
  id: 'broadcast-stops-at-first-slot',
  title: 'A kernel entry is changed in the first slot that maps it',
  class: 'missing broadcast',
  wrong: 'The loop over the slots ends with the first one that had the address mapped.',
  origin: 'KVM ac1b714e78c: one of two aliases was zapped',
  translation: 'The aliases are the slots’ copies of the kernel half.',
  consequence: 'After a switch the guest’s kernel uses a page that it gave to somebody else.',
  harms: 'guest',
  rule: 'machine.md 3, set-pte: every slot with a root page',
  inLguest: false,
  plant({ calls, cache, shadow }) {
    calls.broadcast = (address, pte) => {
      for (let index = 0; index < SLOTS; index++) {
        if (!cache.hasRoot(slot(index))) continue;
        const mapped = shadow.leafAt(slot(index), address) !== undefined;
        calls.setLeaf(slot(index), address, pte);
        if (mapped) return;
      }
    };
  },
};
