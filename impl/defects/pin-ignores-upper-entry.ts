import { PRESENT, WRITABLE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const pinIgnoresUpperEntry: Defect = {
  id: 'pin-ignores-upper-entry',
  title: 'A stack page counts as pinned when its leaf alone is writable',
  class: 'permission merge',
  wrong:
    'pin_page looks at the leaf and not at the entry above it, so a stack that the CPU cannot write to passes for pinned.',
  origin: 'lguest, page_writable',
  translation: 'Literally: the function is the same here.',
  consequence: 'The next trap faults while it pushes on the stack.',
  harms: 'guest',
  rule: 'machine.md 3, pin the stack; access: upper entry AND leaf',
  inLguest: true,
  plant({ stack, tables, host, guest }) {
    stack.writable = (address) => {
      const needed = PRESENT | WRITABLE;
      return tables.findTable(guest.current, address) && (host.words[tables.leafOffset] & needed) === needed;
    };
  },
};
