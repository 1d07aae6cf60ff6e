import type { Defect } from './defect.js';

export const freedTableStaysLinked: Defect = {
  id: 'freed-table-stays-linked',
  title: 'set-pgd frees a table and leaves the entry that names it',
  class: 'use after free',
  wrong: 'The tables under an announced top entry are freed, but the entry is not cleared.',
  origin: 'KVM 65855ed8b034: a stale child that was linked again',
  translation: 'The child is the table under a top entry.',
  consequence: 'The CPU walks a page that the host has given to somebody else.',
  harms: 'host',
  rule: 'machine.md 3, set-pgd; 1, Host pages',
  inLguest: false,
  plant({ tables, host }) {
    const sound = tables.releaseRootEntry.bind(tables);
    tables.releaseRootEntry = (slot, index) => {
      const offset = host.offsetOf(tables.roots[slot], index);
      const word = host.words[offset];
      sound(slot, index);
      host.write(offset, word);
    };
  },
};
