import type { Defect } from './defect.js';

export const broadcastReachesCurrentSlotOnly: Defect = {
  id: 'broadcast-reaches-current-slot-only',
  title: 'A kernel entry is changed in the slots of its root only',
  class: 'missing broadcast',
  wrong: 'Kernel addresses are treated like the user’s: only the slot that shadows the root is changed.',
  origin: 'constructed from lguest’s guest_set_pte: the loop over all slots left out',
  translation: 'Literally.',
  consequence: 'After a switch the guest’s kernel uses a page that it gave to somebody else.',
  harms: 'guest',
  rule: 'machine.md 3, set-pte: the kernel-mapping broadcast',
  inLguest: false,
  plant({ calls, guest }) {
    calls.broadcast = (address, pte) => calls.setLeaf(guest.current, address, pte);
  },
};
