import type { Defect } from './defect.js';

export const tablePageTruncated: Defect = {
  id: 'table-page-truncated',
  title: 'A table’s page number is cut to 32-bit addresses',
  class: 'wrong mask',
  wrong: 'The upper half of a PAE top or middle entry is not looked at when its page number is checked.',
  origin: 'Xen XSA-173: address width overflow in shadow page tables',
  translation: 'The width is that of the upper entries.',
  consequence: 'The hypervisor walks a table that the guest does not have there.',
  harms: 'guest',
  rule: 'machine.md 3, demand 2: all bits from 12 up',
  inLguest: false,
  plant({ walk }) {
    const top = walk.topIsBad.bind(walk);
    const middle = walk.middleIsBad.bind(walk);
    walk.topIsBad = (low) => top(low, 0);
    walk.middleIsBad = (low) => middle(low, 0);
  },
};
