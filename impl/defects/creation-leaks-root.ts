import type { Defect } from './defect.js';

export const creationLeaksRoot: Defect = {
  id: 'creation-leaks-root',
  title: 'A creation that runs out of memory keeps its root page',
  class: 'allocation-failure path',
  wrong:
    'When the tables under the Switcher cannot be allocated, creation fails and forgets the root page that it had already taken.',
  origin: 'lguest, init_guest_pagetable',
  translation: 'Literally: the function is the same here.',
  consequence: 'Every failed creation costs the host a page for good; whoever may start guests can repeat it.',
  harms: 'host',
  rule: 'machine.md 2, failAllocation',
  inLguest: true,
  plant(machine) {
    const { cache, guest, tables } = machine;
    machine.undoCreation = () => {
      if (cache.hasRoot(guest.current)) tables.releaseTables(guest.current);
    };
  },
};
