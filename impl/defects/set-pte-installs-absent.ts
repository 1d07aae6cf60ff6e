import type { Defect } from './defect.js';

export const setPteInstallsAbsent: Defect = {
  id: 'set-pte-installs-absent',
  title: 'set-pte takes a page for an entry that is not present',
  class: 'reference leak',
  wrong:
    'An announced entry with A or D is installed although P is clear: the page is taken, but a leaf that is not present never gives it back.',
  origin: 'lguest, __guest_set_pte',
  translation: 'Literally: the function is the same here.',
  consequence: 'Every such call pins one more reference on a page of the host for good, until the count wraps.',
  harms: 'host',
  rule: 'machine.md 3, set-pte: present and accessed',
  inLguest: true,
  plant({ calls }) {
    calls.isPresent = () => true;
  },
};
