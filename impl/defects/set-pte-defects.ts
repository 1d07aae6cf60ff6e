/** The hypercall SET_PTE and the broadcast of kernel mappings. */

import { KILL, SLOTS, slot } from '../../model/vocabulary/index.js';
import { ACCESSED, DIRTY, EMPTY, FULL_RIGHTS, GUEST_FRAME, PRESENT, WRITABLE, frameOf } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const SET_PTE_DEFECTS: readonly Defect[] = [
  {
    id: 'broadcast-reaches-current-slot-only',
    title: 'A kernel entry is changed in the slots of its root only',
    class: 'missing broadcast',
    wrong: 'Kernel addresses are treated like the user’s: only the slot that shadows the root is changed.',
    origin: 'constructed from lguest’s guest_set_pte: the loop over all slots left out',
    translation: 'Literally.',
    consequence: 'After a switch the guest’s kernel uses a page that it has given away.',
    harms: 'guest',
    rule: 'machine.md 3, set-pte: the kernel-mapping broadcast',
    inLguest: false,
    plant({ calls, guest }) {
      calls.broadcast = (address, pte) => calls.setLeaf(guest.current, address, pte);
    },
  },
  {
    id: 'broadcast-stops-at-first-slot',
    title: 'A kernel entry is changed in the first slot that maps it',
    class: 'missing broadcast',
    wrong: 'The loop over the slots ends with the first one that had the address mapped.',
    origin: 'KVM ac1b714e78c: one of two aliases was zapped',
    translation: 'The aliases are the slots’ copies of the kernel half.',
    consequence: 'After a switch the guest’s kernel uses a page that it has given away.',
    harms: 'guest',
    rule: 'machine.md 3, set-pte: every slot with a root page',
    inLguest: false,
    plant({ calls, cache, shadow }) {
      calls.broadcast = (address, pte) => {
        for (let index = 0; index < SLOTS; index++) {
          if (!cache.hasRoot(slot(index))) continue;
          const mapped = shadow.leafAt(slot(index), address) !== undefined;
          calls.setLeaf(slot(index), address, pte);
          if (mapped) return;
        }
      };
    },
  },
  {
    id: 'set-pte-in-linear-mode',
    title: 'set-pte changes the linear mapping',
    class: 'missing check',
    wrong:
      'In linear mode the guest has no tables, but an announced entry is installed over the linear mapping all the same.',
    origin: 'lguest, guest_set_pte',
    translation: 'Literally: the function is the same here.',
    consequence: 'An address that should map to itself maps to what the guest announced.',
    harms: 'guest',
    rule: 'machine.md 3, set-pte',
    inLguest: true,
    plant({ calls }) {
      calls.ignoresSetPte = () => false;
    },
  },
  {
    id: 'set-pte-installs-absent',
    title: 'set-pte takes a page for an entry that is not present',
    class: 'reference leak',
    wrong:
      'An announced entry with A or D is installed although P is clear: the page is taken, but a leaf that is not present never gives it back.',
    origin: 'lguest, __guest_set_pte',
    translation: 'Literally: the function is the same here.',
    consequence: 'Every such call pins one more reference on a page of the host for good, until the count wraps.',
    harms: 'host',
    rule: 'machine.md 3, set-pte: present and accessed',
    inLguest: true,
    plant({ calls }) {
      calls.isPresent = () => true;
    },
  },
  {
    id: 'set-pte-installs-unaccessed',
    title: 'set-pte installs an entry that is dirty but not accessed',
    class: 'missing dirty',
    wrong: 'An entry with D and without A is installed at once, so the first access does not fault and A is never set.',
    origin: 'lguest, __guest_set_pte',
    translation: 'Literally: the function is the same here.',
    consequence: 'The guest believes that the page was not used and may evict it.',
    harms: 'guest',
    rule: 'machine.md 3, set-pte: present and accessed',
    inLguest: true,
    plant({ calls }) {
      calls.wasUsed = (pte) => (pte.low & (ACCESSED | DIRTY)) !== 0;
    },
  },
  {
    id: 'set-pte-into-switcher',
    title: 'set-pte of the Switcher’s addresses is not refused',
    class: 'lost hypervisor window',
    wrong: 'The address of an announced entry is not compared with the Switcher’s.',
    origin:
      'Xen XSA-212: an address that was not compared with the hypervisor’s own range; lguest’s guest_set_pte has the check',
    translation: 'The range is that of the Switcher.',
    consequence: 'The guest replaces the hypervisor’s text with a page of its own, and runs it as the hypervisor.',
    harms: 'host',
    rule: 'machine.md 3, set-pte: kills',
    inLguest: false,
    plant({ calls, guest }) {
      const sound = calls.setPte.bind(calls);
      calls.setPte = (root, address, pte) => {
        if (address < guest.sizes.switcherAddress) sound(root, address, pte);
        else if (!calls.ignoresSetPte()) calls.broadcast(address, pte);
      };
    },
  },
  {
    id: 'set-pte-keeps-bad-leaf',
    title: 'A bad entry leaves the old leaf behind after its reference was dropped',
    class: 'double put',
    wrong:
      'The old leaf is released before the new entry is checked. When the check kills the guest, the leaf is still there, and teardown drops its reference again.',
    origin: 'lguest, __guest_set_pte: release_pte, then check_gpte, then return',
    translation: 'Literally: the function is the same here.',
    consequence:
      'A guest that gets itself killed drops a reference that it does not own: the page may be freed while it is in use.',
    harms: 'host',
    rule: 'machine.md 3, set-pte: release the leaf and clear it',
    inLguest: true,
    plant({ calls, tables, host, guest }) {
      const sound = calls.setLeaf.bind(calls);
      calls.setLeaf = (target, address, pte) => {
        const offset = tables.findTable(target, address) ? tables.leafOffset : undefined;
        const old = offset === undefined ? 0 : host.words[offset];
        sound(target, address, pte);
        if (offset !== undefined && guest.killedFor === KILL.badTableEntry) host.write(offset, old);
      };
    },
  },
  {
    id: 'set-pte-keeps-guessed-page',
    title: 'set-pte keeps the page that it took and did not need',
    class: 'reference leak',
    wrong:
      'The page of an announced entry is taken before it is known whether the slot has a table for the address; without one it is not given back.',
    origin: 'KVM 2065b3727ec: a page guessed from a guest’s write to its tables was not released',
    translation: 'The guess is the entry of the call; the table that is missing is the shadow’s.',
    consequence: 'Pages of the host stay pinned for good.',
    harms: 'host',
    rule: 'machine.md 3, set-pte: where the shadow has no table, nothing happens',
    inLguest: false,
    plant({ calls, tables, walk, references }) {
      const sound = calls.setLeaf.bind(calls);
      calls.setLeaf = (target, address, pte) => {
        const guessed = calls.worthInstalling(pte) && walk.placeOf(pte.low, pte.high) === 'ram';
        if (guessed && !tables.findTable(target, address)) references.take(GUEST_FRAME + (pte.low >>> 12));
        sound(target, address, pte);
      };
    },
  },
  {
    id: 'set-pte-upgrades-in-place',
    title: 'set-pte to the same page only adds rights',
    class: 'permission merge',
    wrong:
      'When the announced entry names the page that the leaf maps already, the leaf stays and gains RW and US; nothing is checked or taken away.',
    origin: 'Xen XSA-182: a fast path for entries in which only flags change',
    translation: 'The fast path is that of SET_PTE.',
    consequence: 'A page that the guest made read-only or supervisor stays writable or user.',
    harms: 'guest',
    rule: 'machine.md 3, set-pte: release the leaf and clear it',
    inLguest: false,
    plant({ calls, tables, host }) {
      const sound = calls.setLeaf.bind(calls);
      calls.setLeaf = (target, address, pte) => {
        const offset = tables.findTable(target, address) ? tables.leafOffset : 0;
        const word = host.words[offset];
        const samePage = (word & PRESENT) !== 0 && frameOf(word) === GUEST_FRAME + (pte.low >>> 12);
        if (samePage && calls.worthInstalling(pte)) host.write(offset, (word | (pte.low & FULL_RIGHTS)) >>> 0);
        else sound(target, address, pte);
      };
    },
  },
  {
    id: 'set-pte-writable-before-dirty',
    title: 'set-pte installs a writable leaf for a clean entry',
    class: 'missing dirty',
    wrong:
      'An announced entry that is accessed and writable but clean is installed writable, and its page was taken for reading only.',
    origin: 'lguest, __guest_set_pte: no pte_wrprotect as in demand_page',
    translation: 'Literally: the function is the same here.',
    consequence:
      'Writes leave no D bit, so the guest throws dirty pages away; and a page that the Launcher maps read-only becomes writable to the guest.',
    harms: 'host',
    rule: 'machine.md 3, set-pte: RW only if D is set too',
    inLguest: true,
    plant({ calls, maker }) {
      calls.leafFor = (pte) => {
        const leaf = maker.make(pte.low);
        return leaf === EMPTY ? EMPTY : (leaf | (pte.low & WRITABLE)) >>> 0;
      };
    },
  },
  {
    id: 'set-pte-lost-when-counter-wraps',
    title: 'Every 256th set-pte is lost',
    class: 'wrapped counter',
    wrong: 'The calls that wait to be done are counted in eight bits, and none seems to wait when the count is 0.',
    origin: 'constructed from lguest’s lazy hypercalls: a ring whose index wraps',
    translation: 'Nothing waits here, so the call whose number is a multiple of 256 is left out.',
    consequence: 'The guest uses a page that it has given away.',
    harms: 'guest',
    rule: 'machine.md 3, set-pte',
    inLguest: false,
    plant({ calls, host }) {
      let count = 0;
      const reset = host.reset.bind(host);
      host.reset = (tableEntries) => {
        count = 0;
        reset(tableEntries);
      };
      const sound = calls.setPte.bind(calls);
      calls.setPte = (root, address, pte) => {
        count = (count + 1) & 0xff;
        if (count !== 0) sound(root, address, pte);
      };
    },
  },
  {
    id: 'set-pte-needs-page-address',
    title: 'set-pte ignores an address that is not the first of its page',
    class: 'missing check',
    wrong: 'The address is compared with that of the page instead of being rounded down to it.',
    origin: 'constructed from lguest’s guest_set_pte, which takes any address of the page',
    translation: 'Literally.',
    consequence: 'The guest uses a page that it has given away.',
    harms: 'guest',
    rule: 'machine.md 3, set-pte',
    inLguest: false,
    plant({ calls }) {
      const sound = calls.setPte.bind(calls);
      calls.setPte = (root, address, pte) => {
        if ((address & 0xfff) === 0) sound(root, address, pte);
      };
    },
  },
];
