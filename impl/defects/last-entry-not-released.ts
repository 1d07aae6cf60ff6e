import type { Defect } from './defect.js';

export const lastEntryNotReleased: Defect = {
  id: 'last-entry-not-released',
  title: 'Releasing a leaf table stops before its last entry',
  class: 'off-by-one',
  wrong: 'The loop over a leaf table’s entries ends one too early, and the table is freed with its last leaf in it.',
  origin: 'Xen XSA-299: tables that were torn down in part',
  translation: 'The part left over is the last entry of a leaf table.',
  consequence: 'The reference of that page is lost; the guest chooses the page.',
  harms: 'host',
  rule: 'machine.md 3, set-pgd: everything under that top entry',
  inLguest: false,
  plant({ tables, guest, host }) {
    const sound = tables.releaseLeaves.bind(tables);
    tables.releaseLeaves = (frame) => {
      const last = host.offsetOf(frame, guest.sizes.tableEntries - 1);
      if (host.words[last] !== 0) host.write(last, 0);
      sound(frame);
    };
  },
};
