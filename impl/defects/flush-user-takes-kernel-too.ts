import type { Defect } from './defect.js';

export const flushUserTakesKernelToo: Defect = {
  id: 'flush-user-takes-kernel-too',
  title: 'Flushing the user half takes the whole table that kernelAddress cuts',
  class: 'over-flush',
  wrong: 'A table that straddles kernelAddress is released as if it lay below.',
  origin: 'constructed: the opposite mistake of lguest’s flush_user_mappings, from rounding kernelAddress up',
  translation: 'Literally: a rounding.',
  consequence: 'Kernel mappings go with every switch; the guest crawls, and a pinned stack is pinned no more.',
  harms: 'guest',
  rule: 'machine.md 3, flush user half',
  inLguest: false,
  plant({ tables }) {
    tables.releaseStraddling = (offset, depth) => tables.releaseEntry(offset, depth);
  },
};
