import { HostBug } from '../host-bug.js';
import type { Defect } from './defect.js';

export const badStackIsAHostBug: Defect = {
  id: 'bad-stack-is-a-host-bug',
  title: 'A stack without a page directory entry brings the host down',
  class: 'missing check',
  wrong: 'The walk for a stack page asserts that the upper entry is present instead of asking.',
  origin: 'lguest 6afbdd059c2: BUG_ON of a guest’s invalid stack',
  translation: 'Literally: the assertion is a host bug.',
  consequence: 'Any guest may crash the host.',
  harms: 'host',
  rule: 'machine.md 3, pin the stack: anything but success kills',
  inLguest: false,
  plant({ stack, demand }) {
    const sound = stack.pinned.bind(stack);
    stack.pinned = (address) => {
      const walkGuest = demand.walkGuest.bind(demand);
      demand.walkGuest = (each) => {
        const end = walkGuest(each);
        if (end === 'absent') throw new HostBug('a walk for the stack met an entry that is not present');
        return end;
      };
      try {
        return sound(address);
      } finally {
        demand.walkGuest = walkGuest;
      }
    };
  },
};
