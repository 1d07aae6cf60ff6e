import type { Defect } from './defect.js';

export const evictionFlushesWrongSlot: Defect = {
  id: 'eviction-flushes-wrong-slot',
  title: 'An eviction flushes the slot that the guest leaves',
  class: 'missed flush',
  wrong: 'The user half is flushed before the slot changes hands, and so in the slot that was current.',
  origin: 'KVM 88a97f0b2fe: a flush in the wrong order',
  translation: 'The order of switching and flushing is exchanged.',
  consequence:
    'The new address space begins with the user mappings of the one evicted: one process reads another’s memory.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable: set gpgdir, flush its user half',
  inLguest: false,
  plant({ cache, tables, guest }) {
    cache.flushTaken = () => tables.releaseBelow(guest.current, guest.kernelAddress);
  },
};
