import { LARGE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const largeTableAccepted: Defect = {
  id: 'large-table-accepted',
  title: 'An upper entry with PSE set passes for a table',
  class: 'missing check',
  wrong: 'The PSE bit of a top or middle entry is not looked at, and the large page is walked as a table.',
  origin: 'Xen XSA-148 (CVE-2015-7835): large pages that were not refused',
  translation: 'The entry is not installed as large, but taken for a table.',
  consequence: 'The guest’s data are read as page tables.',
  harms: 'guest',
  rule: 'machine.md 3, demand 2: bits other than P|RW|US|A|D',
  inLguest: false,
  plant({ walk }) {
    const top = walk.topIsBad.bind(walk);
    const middle = walk.middleIsBad.bind(walk);
    walk.topIsBad = (low, high) => top(low & ~LARGE, high);
    walk.middleIsBad = (low, high) => middle(low & ~LARGE, high);
  },
};
