import type { Defect } from './defect.js';

export const entryStoredInHalves: Defect = {
  id: 'entry-stored-in-halves',
  title: 'A store of a small entry leaves the upper half of the old one',
  class: 'torn write',
  wrong: 'A 64-bit entry is written as two halves, and the second is left out when it is zero.',
  origin: 'KVM cd5998ebfbc: 64-bit entries that were written in halves',
  translation: 'The write that is torn is the one into guest RAM, as the hypervisor sees it.',
  consequence: 'The hypervisor reads an entry that nobody ever stored.',
  harms: 'guest',
  rule: 'machine.md 3, store',
  inLguest: false,
  plant({ ram }) {
    const sound = ram.store.bind(ram);
    ram.store = (address, value) => {
      const high = value.high === 0 && ram.wide ? ram.high(address) : value.high;
      sound(address, { low: value.low, high });
    };
  },
};
