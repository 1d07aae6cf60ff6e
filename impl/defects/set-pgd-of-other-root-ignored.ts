import type { Defect } from './defect.js';

export const setPgdOfOtherRootIgnored: Defect = {
  id: 'set-pgd-of-other-root-ignored',
  title: 'set-pgd of a root that is not current is ignored',
  class: 'missed flush',
  wrong: 'An upper entry is announced for a root whose slot is not the current one, and its shadow stays.',
  origin: 'KVM 4539b35881a: a flush that was missed',
  translation: 'The tables that are not flushed are those of another slot.',
  consequence: 'After the switch to that root the guest uses mappings that it took away.',
  harms: 'guest',
  rule: 'machine.md 3, set-pgd: if a slot shadows root',
  inLguest: false,
  plant({ calls, cache, guest }) {
    const sound = calls.setPgd.bind(calls);
    calls.setPgd = (root, index) => {
      const target = cache.find(root);
      if (target === undefined || target === guest.current || calls.isPastRoot(index)) sound(root, index);
    };
  },
};
