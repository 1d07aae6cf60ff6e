import type { Defect } from './defect.js';

export const setPgdSkipsKernelHalf: Defect = {
  id: 'set-pgd-skips-kernel-half',
  title: 'set-pgd of a kernel entry flushes nothing',
  class: 'missed flush',
  wrong: 'Entries at or above kernelAddress are taken for shared and constant, and their announcement is dropped.',
  origin: 'Xen XSA-408: an insufficient flush in shadow mode',
  translation: 'What is flushed too little is a top entry of the kernel half.',
  consequence: 'The guest’s kernel uses mappings that it took away.',
  harms: 'guest',
  rule: 'machine.md 3, set-pgd',
  inLguest: false,
  plant({ calls, guest }) {
    const sound = calls.setPgd.bind(calls);
    calls.setPgd = (root, index) => {
      const kernel = index * guest.sizes.rootEntryReach >= guest.kernelAddress;
      if (!kernel || calls.isPastRoot(index) || calls.holdsSwitcher(index)) sound(root, index);
    };
  },
};
