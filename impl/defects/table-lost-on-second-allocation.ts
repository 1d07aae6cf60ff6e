import type { Defect } from './defect.js';

export const tableLostOnSecondAllocation: Defect = {
  id: 'table-lost-on-second-allocation',
  title: 'A middle table is lost when the leaf table under it cannot be had',
  class: 'allocation-failure path',
  wrong: 'When the second allocation of a walk fails, the first table is unlinked and not freed.',
  origin: 'constructed from KVM 65855ed8b034 and lguest’s find_spte: an error path that undoes half',
  translation: 'The half undone is the link of the middle table.',
  consequence: 'Each failed walk costs the host a page for good.',
  harms: 'host',
  rule: 'machine.md 1, Host pages; 2, destroy',
  inLguest: false,
  plant({ tables, host, guest }) {
    const sound = tables.makeTable.bind(tables);
    tables.makeTable = (slot, address, rights) => {
      const made = sound(slot, address, rights);
      const top = host.offsetOf(tables.roots[slot], guest.pae ? address >>> 30 : address >>> 22);
      if (!made && guest.pae) host.write(top, 0);
      return made;
    };
  },
};
