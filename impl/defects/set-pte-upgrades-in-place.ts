import { GUEST_FRAME } from '../frames.js';
import { FULL_RIGHTS, PRESENT, frameOf } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const setPteUpgradesInPlace: Defect = {
  id: 'set-pte-upgrades-in-place',
  title: 'set-pte to the same page only adds rights',
  class: 'permission merge',
  wrong:
    'When the announced entry names the page that the leaf maps already, the leaf stays and gains RW and US; nothing is checked or taken away.',
  origin: 'Xen XSA-182: a fast path for entries in which only flags change',
  translation: 'The fast path is that of SET_PTE.',
  consequence: 'A page that the guest made read-only or supervisor stays writable or user.',
  harms: 'guest',
  rule: 'machine.md 3, set-pte: release the leaf and clear it',
  inLguest: false,
  plant({ calls, tables, host }) {
    const sound = calls.setLeaf.bind(calls);
    calls.setLeaf = (target, address, pte) => {
      const offset = tables.findTable(target, address) ? tables.leafOffset : 0;
      const word = host.words[offset];
      const samePage = (word & PRESENT) !== 0 && frameOf(word) === GUEST_FRAME + (pte.low >>> 12);
      if (samePage && calls.worthInstalling(pte)) host.write(offset, (word | (pte.low & FULL_RIGHTS)) >>> 0);
      else sound(target, address, pte);
    };
  },
};
