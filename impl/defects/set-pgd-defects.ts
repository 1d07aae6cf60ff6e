/** The hypercall SET_PGD. */

import type { Defect } from './defect.js';

export const SET_PGD_DEFECTS: readonly Defect[] = [
  {
    id: 'freed-table-stays-linked',
    title: 'set-pgd frees a table and leaves the entry that names it',
    class: 'use after free',
    wrong: 'The tables under an announced top entry are freed, but the entry is not cleared.',
    origin: 'KVM 65855ed8b034: a stale child that was linked again',
    translation: 'The child is the table under a top entry.',
    consequence: 'The CPU walks a page that the host has reused since.',
    harms: 'host',
    rule: 'machine.md 3, set-pgd; 1, Host pages',
    inLguest: false,
    plant({ tables, host }) {
      const sound = tables.releaseRootEntry.bind(tables);
      tables.releaseRootEntry = (slot, index) => {
        const offset = host.offsetOf(tables.roots[slot], index);
        const word = host.words[offset];
        sound(slot, index);
        host.write(offset, word);
      };
    },
  },
  {
    id: 'set-pgd-loses-switcher',
    title: 'set-pgd of another root loses that slot’s Switcher',
    class: 'lost hypervisor window',
    wrong:
      'When set-pgd throws away the top entry under the Switcher, the Switcher is mapped again in the current slot instead of the one that lost it, which still passes for mapped.',
    origin: 'lguest, guest_set_pgd calling allocate_switcher_mapping',
    translation: 'Literally: the function is the same here.',
    consequence:
      'The next switch to that root enters the guest without the hypervisor’s window: the host follows a null pointer.',
    harms: 'host',
    rule: 'machine.md 3, set-pgd',
    inLguest: true,
    plant({ calls, switcher, guest, shadow }) {
      calls.restoreSwitcher = (target, index) => {
        const text = shadow.leafAt(guest.current, guest.sizes.switcherAddress);
        if (text === undefined) switcher.map(guest.current);
        if (calls.holdsSwitcher(index)) switcher.forgetCpu(target);
      };
    },
  },
  {
    id: 'set-pgd-of-other-root-ignored',
    title: 'set-pgd of a root that is not current is ignored',
    class: 'missed flush',
    wrong: 'An upper entry is announced for a root whose slot is not the current one, and its shadow stays.',
    origin: 'KVM 4539b35881a: a flush that was missed',
    translation: 'The tables that are not flushed are those of another slot.',
    consequence: 'After the switch to that root the guest uses mappings that it took away.',
    harms: 'guest',
    rule: 'machine.md 3, set-pgd: if a slot shadows root',
    inLguest: false,
    plant({ calls, cache, guest }) {
      const sound = calls.setPgd.bind(calls);
      calls.setPgd = (root, index) => {
        const target = cache.find(root);
        if (target === undefined || target === guest.current || calls.isPastRoot(index)) sound(root, index);
      };
    },
  },
  {
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
  },
  {
    id: 'set-pgd-skips-kernel-half',
    title: 'set-pgd of a kernel entry flushes nothing',
    class: 'missed flush',
    wrong: 'Entries at or above kernelAddress are taken for shared and constant, and their announcement is dropped.',
    origin: 'Xen XSA-408: an insufficient flush in shadow mode',
    translation: 'What is flushed too little is a top entry of the kernel half.',
    consequence: 'The guest’s kernel uses mappings that it took away.',
    harms: 'guest',
    rule: 'machine.md 3, set-pgd',
    inLguest: false,
    plant({ calls, guest }) {
      const sound = calls.setPgd.bind(calls);
      calls.setPgd = (root, index) => {
        const kernel = index * guest.sizes.rootEntryReach >= guest.kernelAddress;
        if (!kernel || calls.isPastRoot(index) || calls.holdsSwitcher(index)) sound(root, index);
      };
    },
  },
  {
    id: 'root-index-in-sixteen-bits',
    title: 'set-pgd looks at the lower 16 bits of the index alone',
    class: 'narrow type',
    wrong: 'The index is kept in 16 bits before it is checked, so 65,536 passes for 0.',
    origin: 'constructed: a number kept in too narrow a type before its check',
    translation: 'Literally.',
    consequence: 'A call that must kill drops an entry of another table instead.',
    harms: 'guest',
    rule: 'machine.md 3, set-pgd',
    inLguest: false,
    plant({ calls }) {
      const sound = calls.setPgd.bind(calls);
      calls.setPgd = (root, index) => sound(root, index & 0xffff);
    },
  },
];
