import { WRITABLE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const setPteWritableBeforeDirty: Defect = {
  id: 'set-pte-writable-before-dirty',
  title: 'set-pte installs a writable leaf for a clean entry',
  class: 'missing dirty',
  wrong:
    'An announced entry that is accessed and writable but clean is installed writable, and its page was taken for reading only.',
  origin: 'lguest, __guest_set_pte: no pte_wrprotect as in demand_page',
  translation: 'Literally: the function is the same here.',
  consequence:
    'Writes leave no D bit, so the guest throws dirty pages away; and a page that the Launcher maps read-only becomes writable to the guest.',
  harms: 'host',
  rule: 'machine.md 3, set-pte: RW only if D is set too',
  inLguest: true,
  plant({ calls, maker }) {
    calls.takePage = (pte) => {
      const taken = maker.take(pte.low);
      if (taken) maker.word = (maker.word | (pte.low & WRITABLE)) >>> 0;
      return taken;
    };
  },
};
