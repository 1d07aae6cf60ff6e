import type { Defect } from './defect.js';

export const setPteInLinearMode: Defect = {
  id: 'set-pte-in-linear-mode',
  title: 'set-pte changes the linear mapping',
  class: 'missing check',
  wrong:
    'In linear mode the guest has no tables, but an announced entry is installed over the linear mapping all the same.',
  origin: 'lguest, guest_set_pte',
  translation: 'Literally: the function is the same here.',
  consequence: 'An address that should map to itself maps to what the guest announced.',
  harms: 'guest',
  rule: 'machine.md 3, set-pte',
  inLguest: true,
  plant({ calls }) {
    calls.ignoresSetPte = () => false;
  },
};
