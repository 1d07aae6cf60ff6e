import { WRITABLE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const stackPinnedReadOnly: Defect = {
  id: 'stack-pinned-read-only',
  title: 'A pinned stack page is mapped read-only',
  class: 'missing dirty',
  wrong: 'Pinning demands the stack for a write and then takes RW out of the leaf, so that the first push faults.',
  origin: 'constructed from lguest’s pin_page, which asks with error code 2 for this reason',
  translation: 'Literally: the page is there, and not writable.',
  consequence:
    'The first trap faults while it pushes; a machine that retries hides it from everything but a look at the leaf.',
  harms: 'guest',
  rule: 'machine.md 3, pin the stack: maps v writable',
  inLguest: false,
  plant({ stack, guest, tables, host }) {
    const sound = stack.pinned.bind(stack);
    stack.pinned = (address) => {
      const mapped = stack.writable(address);
      const pinned = sound(address);
      if (!mapped && pinned && tables.findTable(guest.current, address)) {
        const offset = tables.leafOffset;
        host.write(offset, (host.words[offset] & ~WRITABLE) >>> 0);
      }
      return pinned;
    };
  },
};
