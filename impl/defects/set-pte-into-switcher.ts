import type { Defect } from './defect.js';

export const setPteIntoSwitcher: Defect = {
  id: 'set-pte-into-switcher',
  title: 'set-pte of the Switcher’s addresses is not refused',
  class: 'lost hypervisor window',
  wrong: 'The address of an announced entry is not compared with the Switcher’s.',
  origin:
    'Xen XSA-212: an address that was not compared with the hypervisor’s own range; lguest’s guest_set_pte has the check',
  translation: 'The range is that of the Switcher.',
  consequence: 'The guest replaces the hypervisor’s text with a page of its own, and runs it as the hypervisor.',
  harms: 'host',
  rule: 'machine.md 3, set-pte: kills',
  inLguest: false,
  plant({ calls, guest }) {
    const sound = calls.setPte.bind(calls);
    calls.setPte = (root, address, pte) => {
      if (address < guest.sizes.switcherAddress) sound(root, address, pte);
      else if (!calls.ignoresSetPte()) calls.broadcast(address, pte);
    };
  },
};
