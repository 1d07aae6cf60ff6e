/** The hypercall FLUSH_TLB, “clear all” and “flush user half”. */

import type { Defect } from './defect.js';

export const FLUSH_DEFECTS: readonly Defect[] = [
  {
    id: 'clear-all-spares-other-slots',
    title: 'Clearing all clears the current slot alone',
    class: 'missed flush',
    wrong: 'A flush of everything releases the current slot’s tables and no other’s.',
    origin: 'KVM 171d595d3b3: a flush that reached too little',
    translation: 'The other root pages are the other slots.',
    consequence: 'After a switch the guest uses kernel mappings that it took away.',
    harms: 'guest',
    rule: 'machine.md 3, clear all: for every slot',
    inLguest: false,
    plant({ calls, tables, switcher, guest }) {
      calls.clearAll = () => {
        tables.releaseTables(guest.current);
        switcher.forget(guest.current);
        calls.repopulate();
      };
    },
  },
  {
    id: 'flush-scopes-inverted',
    title: 'flush-tlb takes all for user and user for all',
    class: 'missed flush',
    wrong: 'The condition that tells the two scopes of the call apart is inverted.',
    origin: 'Xen XSA-319: inverted code paths',
    translation: 'The condition is that of FLUSH_TLB.',
    consequence: 'A guest that flushes its kernel mappings keeps them.',
    harms: 'guest',
    rule: 'machine.md 3, flush-tlb',
    inLguest: false,
    plant({ calls }) {
      const sound = calls.flushTlb.bind(calls);
      calls.flushTlb = (scope) => sound(scope === 'all' ? 'user' : 'all');
    },
  },
  {
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
  },
  {
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
  },
];
