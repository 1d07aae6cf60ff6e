/** The walk of the guest’s tables and the checks of its entries. */

import { paddr } from '../../model/vocabulary/index.js';
import { LARGE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

/** Bits 32 to 43 of an entry. */
const PAGE_BITS_OF_UPPER_HALF = 0xfff;

/** Bits 9 to 11, which the CPU leaves to software. */
const SOFTWARE_BITS = 0xe00;

export const WALK_DEFECTS: readonly Defect[] = [
  {
    id: 'device-border-off-by-one',
    title: 'The page behind the last device page passes for a device',
    class: 'off-by-one',
    wrong: 'The end of the device range is compared with <= instead of <.',
    origin: 'constructed: the mistake of lguest’s guest_set_pgd, at another border',
    translation: 'Literally.',
    consequence: 'The Launcher is asked to emulate a device that does not exist.',
    harms: 'guest',
    rule: 'machine.md 1, Guest RAM: MMIO',
    inLguest: false,
    plant({ walk, guest }) {
      const sound = walk.placeOf.bind(walk);
      walk.placeOf = (low, high) =>
        high === 0 && (low & LARGE) === 0 && low >>> 12 === guest.guestPages + guest.devicePages
          ? 'device'
          : sound(low, high);
    },
  },
  {
    id: 'entry-stored-in-halves',
    title: 'A store of a small entry leaves the upper half of the old one',
    class: 'torn write',
    wrong: 'A 64-bit entry is written as two halves, and the second is left out when it is zero.',
    origin: 'KVM cd5998ebfbc: 64-bit entries that were written in halves',
    translation: 'The write that is torn is the one into guest RAM, as the hypervisor sees it.',
    consequence: 'The hypervisor reads an entry that was never stored.',
    harms: 'guest',
    rule: 'machine.md 3, store',
    inLguest: false,
    plant({ ram }) {
      const sound = ram.store.bind(ram);
      ram.store = (address, value) => {
        const high = value.high === 0 && ram.wide ? ram.high(address) : value.high;
        sound(address, { low: value.low, high });
      };
    },
  },
  {
    id: 'large-leaf-accepted',
    title: 'A leaf with PSE set passes for a small page',
    class: 'missing check',
    wrong: 'The PSE bit of a leaf is not looked at.',
    origin: 'Xen XSA-176: the PS bit in the walk of guest tables',
    translation: 'The level is that of the leaf.',
    consequence: 'The guest believes that it maps something else than it does.',
    harms: 'guest',
    rule: 'machine.md 3, demand 4 and 5: PSE',
    inLguest: false,
    plant({ walk }) {
      const sound = walk.placeOf.bind(walk);
      walk.placeOf = (low, high) => sound(low & ~LARGE, high);
    },
  },
  {
    id: 'large-table-accepted',
    title: 'An upper entry with PSE set passes for a table',
    class: 'missing check',
    wrong: 'The PSE bit of a top or middle entry is not looked at, and the large page is walked as a table.',
    origin: 'Xen XSA-148 (CVE-2015-7835): large pages that were not refused',
    translation: 'The entry is not installed as large, but taken for a table.',
    consequence: 'The guest’s data are read as page tables.',
    harms: 'guest',
    rule: 'machine.md 3, demand 2: bits other than P|RW|US|A|D',
    inLguest: false,
    plant({ walk }) {
      const top = walk.topIsBad.bind(walk);
      const middle = walk.middleIsBad.bind(walk);
      walk.topIsBad = (low, high) => top(low & ~LARGE, high);
      walk.middleIsBad = (low, high) => middle(low & ~LARGE, high);
    },
  },
  {
    id: 'leaf-one-past-ram',
    title: 'The page behind RAM passes the check of a leaf',
    class: 'off-by-one',
    wrong: 'The end of RAM is compared with <= instead of <.',
    origin: 'constructed: the mistake of lguest’s guest_set_pgd, at the border of RAM',
    translation: 'Literally.',
    consequence: 'The guest gets a page that is not its own.',
    harms: 'host',
    rule: 'machine.md 1, Guest RAM; 3, demand 5',
    inLguest: false,
    plant({ walk, guest }) {
      const sound = walk.placeOf.bind(walk);
      walk.placeOf = (low, high) =>
        high === 0 && (low & LARGE) === 0 && low >>> 12 === guest.guestPages ? 'ram' : sound(low, high);
    },
  },
  {
    id: 'leaf-page-truncated',
    title: 'A leaf’s page number is cut to 32-bit addresses',
    class: 'wrong mask',
    wrong: 'Bits 32 to 43 of a PAE leaf are dropped before the page number is checked.',
    origin: 'KVM 27aba76615e: high bits of an address were truncated',
    translation: 'The address is the page number of a leaf.',
    consequence: 'A page far beyond the guest’s RAM is taken for one in it.',
    harms: 'guest',
    rule: 'machine.md 3, demand 5: any other page is bad',
    inLguest: false,
    plant({ walk }) {
      const sound = walk.placeOf.bind(walk);
      walk.placeOf = (low, high) => sound(low, high < 0x1000 ? 0 : high);
    },
  },
  {
    id: 'leaf-reserved-bits-ignored',
    title: 'A leaf with reserved bits passes the check',
    class: 'wrong mask',
    wrong: 'The page number of a leaf is masked before it is checked, so bits 44 to 63 go unseen.',
    origin: 'lguest, check_gpte with pte_pfn',
    translation: 'Literally: the function is the same here.',
    consequence:
      'The guest runs with an entry that the CPU it was promised would refuse: a bit it set for one meaning (NX, say) silently has no effect.',
    harms: 'guest',
    rule: 'machine.md 1, reserved bits; 3, demand 5',
    inLguest: true,
    plant({ walk }) {
      const sound = walk.placeOf.bind(walk);
      walk.placeOf = (low, high) => sound(low, high & PAGE_BITS_OF_UPPER_HALF);
    },
  },
  {
    id: 'table-page-truncated',
    title: 'A table’s page number is cut to 32-bit addresses',
    class: 'wrong mask',
    wrong: 'The upper half of a PAE top or middle entry is not looked at when its page number is checked.',
    origin: 'Xen XSA-173: address width overflow in shadow page tables',
    translation: 'The width is that of the upper entries.',
    consequence: 'The hypervisor walks a table that the guest does not have there.',
    harms: 'guest',
    rule: 'machine.md 3, demand 2: all bits from 12 up',
    inLguest: false,
    plant({ walk }) {
      const top = walk.topIsBad.bind(walk);
      const middle = walk.middleIsBad.bind(walk);
      walk.topIsBad = (low) => top(low, 0);
      walk.middleIsBad = (low) => middle(low, 0);
    },
  },
  {
    id: 'leaf-page-in-sixteen-bits',
    title: 'A leaf’s page number is kept in 16 bits',
    class: 'narrow type',
    wrong: 'A leaf that names page 65,536 passes for one that names page 0.',
    origin: 'constructed: a number kept in too narrow a type before its check',
    translation: 'Literally.',
    consequence: 'The guest is given a page that it did not name.',
    harms: 'guest',
    rule: 'machine.md 3, demand 5: any other page is bad',
    inLguest: false,
    plant({ walk }) {
      const sound = walk.placeOf.bind(walk);
      walk.placeOf = (low, high) => sound(low & 0x0fffffff, high);
    },
  },
  {
    id: 'leaf-reserved-high-bits-accepted',
    title: 'A PAE leaf with one of the bits 52 to 62 set passes',
    class: 'wrong mask',
    wrong: 'The mask of reserved bits leaves out those that a CPU with more features ignores.',
    origin: 'KVM, rsvd_bits_mask: which of the upper bits are reserved depends on what the guest was told',
    translation: 'The bits that long mode leaves to software are taken for such here.',
    consequence: 'A leaf that must kill is installed.',
    harms: 'guest',
    rule: 'machine.md 1, reserved bits; 3, demand 5',
    inLguest: false,
    plant({ walk }) {
      const sound = walk.placeOf.bind(walk);
      walk.placeOf = (low, high) => sound(low, high & ~0x7ff00000);
    },
  },
  {
    id: 'top-entry-software-bits-accepted',
    title: 'A top entry with a software bit passes',
    class: 'wrong mask',
    wrong: 'Bits 9 to 11 of a top entry are not looked at, as if it were a leaf.',
    origin: 'constructed: the mask of a leaf used for another level',
    translation: 'Literally.',
    consequence: 'An entry that must kill is used.',
    harms: 'guest',
    rule: 'machine.md 3, demand 2: bits other than P|RW|US|A|D',
    inLguest: false,
    plant({ walk }) {
      const sound = walk.topIsBad.bind(walk);
      walk.topIsBad = (low, high) => sound(low & ~SOFTWARE_BITS, high);
    },
  },
  {
    id: 'table-address-in-twenty-bits',
    title: 'The address of a guest’s entry is kept in 20 bits',
    class: 'narrow type',
    wrong: 'An entry above the first megabyte of RAM is read from a place below it.',
    origin: 'constructed: a page number kept in eight bits on the way to the entry',
    translation: 'Literally.',
    consequence: 'The hypervisor converts entries that are none.',
    harms: 'guest',
    rule: 'machine.md 3, demand 2: the walk',
    inLguest: false,
    plant({ ram }) {
      const low = ram.low.bind(ram);
      ram.low = (address) => low(paddr(address & 0xfffff));
    },
  },
];
