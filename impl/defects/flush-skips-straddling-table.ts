import type { Defect } from './defect.js';

export const flushSkipsStraddlingTable: Defect = {
  id: 'flush-skips-straddling-table',
  title: 'Flushing the user half skips the entry that kernelAddress cuts',
  class: 'missed flush',
  wrong:
    'flush_user_mappings stops before the top entry that holds kernelAddress, so user mappings below kernelAddress in the same entry stay.',
  origin: 'lguest, flush_user_mappings',
  translation: 'Literally: the function is the same here.',
  consequence: 'After an address space is switched or flushed, the next process still sees pages of the one before.',
  harms: 'guest',
  rule: 'machine.md 3, flush user half',
  inLguest: true,
  plant({ tables }) {
    tables.releaseStraddling = () => undefined;
  },
};
