import type { Defect } from './defect.js';

export const setPgdOnePastTheEnd: Defect = {
  id: 'set-pgd-one-past-the-end',
  title: 'set-pgd accepts an index one past the root',
  class: 'off-by-one',
  wrong:
    'The index is compared with > instead of >=. In 2-level paging entry 1024 lies in whatever host page follows the root.',
  origin: 'lguest, guest_set_pgd',
  translation:
    'Literally: the function is the same here. In PAE the entry after the last still lies in the root page, and is empty.',
  consequence: 'The hypervisor takes a foreign word for a page-table pointer, and frees what it points to.',
  harms: 'host',
  rule: 'machine.md 3, set-pgd',
  inLguest: true,
  plant({ calls, guest }) {
    calls.isPastRoot = (index) => index > guest.sizes.rootEntries;
  },
};
