/** Pinning the guest’s kernel stack. */

import { FAULT_WRITE, vaddr } from '../../model/vocabulary/index.js';
import { HostBug } from '../host-memory.js';
import { PRESENT, WRITABLE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const STACK_DEFECTS: readonly Defect[] = [
  {
    id: 'bad-stack-is-a-host-bug',
    title: 'A stack without a page directory entry brings the host down',
    class: 'missing check',
    wrong: 'The walk for a stack page asserts that the upper entry is present instead of asking.',
    origin: 'lguest 6afbdd059c2: BUG_ON of a guest’s invalid stack',
    translation: 'Literally: the assertion is a host bug.',
    consequence: 'Any guest may crash the host.',
    harms: 'host',
    rule: 'machine.md 3, pin the stack: anything but success kills',
    inLguest: false,
    plant({ stack, demand }) {
      const sound = stack.pinned.bind(stack);
      stack.pinned = (address) => {
        const walkGuest = demand.walkGuest.bind(demand);
        demand.walkGuest = (each) => {
          const end = walkGuest(each);
          if (end === 'absent') throw new HostBug('a walk for the stack met an entry that is not present');
          return end;
        };
        try {
          return sound(address);
        } finally {
          demand.walkGuest = walkGuest;
        }
      };
    },
  },
  {
    id: 'blank-slot-without-stack',
    title: 'A blank slot is entered without the stack pinned',
    class: 'missing check',
    wrong: 'The stack is pinned by SET_STACK and after a flush, but not when the guest switches to a slot that is new.',
    origin: 'constructed from lguest’s guest_new_pagetable and its repin',
    translation: 'Literally.',
    consequence: 'The first trap on the new page directory faults while it pushes.',
    harms: 'guest',
    rule: 'machine.md 3, new-pgtable: if blank, pin the stack',
    inLguest: false,
    plant({ calls, stack }) {
      const sound = calls.newPgtable.bind(calls);
      calls.newPgtable = (root, draw) => {
        const pin = stack.pin.bind(stack);
        stack.pin = () => undefined;
        try {
          sound(root, draw);
        } finally {
          stack.pin = pin;
        }
      };
    },
  },
  {
    id: 'kill-names-wrong-address',
    title: 'A bad stack page is reported by its page instead of its address',
    class: 'wrong mask',
    wrong: 'The kill’s text prints the address with its offset cut off.',
    origin: 'constructed: two versions of one message',
    translation: 'Literally.',
    consequence: 'A log that points to the wrong place.',
    harms: 'guest',
    rule: 'machine.md 3, pin the stack: the text',
    inLguest: false,
    plant({ stack }) {
      const sound = stack.lastByteOf.bind(stack);
      stack.lastByteOf = (index) => vaddr(sound(index) & ~0xfff);
    },
  },
  {
    id: 'pin-ignores-upper-entry',
    title: 'A stack page counts as pinned when its leaf alone is writable',
    class: 'permission merge',
    wrong:
      'pin_page looks at the leaf and not at the entry above it, so a stack that the CPU cannot write to passes for pinned.',
    origin: 'lguest, page_writable',
    translation: 'Literally: the function is the same here.',
    consequence: 'The next trap faults while it pushes on the stack.',
    harms: 'guest',
    rule: 'machine.md 3, pin the stack; access: upper entry AND leaf',
    inLguest: true,
    plant({ stack, tables, host, guest }) {
      stack.writable = (address) => {
        const needed = PRESENT | WRITABLE;
        return tables.findTable(guest.current, address) && (host.words[tables.leafOffset] & needed) === needed;
      };
    },
  },
  {
    id: 'stack-in-switcher-allowed',
    title: 'A stack in the Switcher’s window is not refused',
    class: 'missing check',
    wrong:
      'Whether a stack page lies in the hypervisor’s own window is not looked at; a page that happens to be mapped there will do.',
    origin: 'constructed from lguest’s page_writable, whose first check is this one',
    translation: 'Literally.',
    consequence: 'The guest’s traps push on the hypervisor’s own page of registers.',
    harms: 'host',
    rule: 'machine.md 3, pin the stack',
    inLguest: false,
    plant({ stack, demand }) {
      stack.pinned = (address) => stack.writable(address) || demand.page(address, FAULT_WRITE) === 'mapped';
    },
  },
  {
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
  },
  {
    id: 'stack-on-first-switcher-page',
    title: 'A stack may lie in the first page of the Switcher’s window',
    class: 'off-by-one',
    wrong:
      'The address of a stack page is compared with switcherAddress by > instead of >=, and only one stack pointer shows it.',
    origin: 'constructed: a mutant of impl',
    translation: 'Literally.',
    consequence: 'A page of the guest’s is mapped over the Switcher’s code.',
    harms: 'host',
    rule: 'machine.md 3, pin the stack',
    inLguest: false,
    plant({ stack, guest, demand }) {
      const sound = stack.pinned.bind(stack);
      stack.pinned = (address) =>
        address === guest.sizes.switcherAddress
          ? stack.writable(address) || demand.page(address, FAULT_WRITE) === 'mapped'
          : sound(address);
    },
  },
];
