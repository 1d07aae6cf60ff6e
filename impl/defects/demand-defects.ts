/** Demand faults: rights, the leaf that is installed, the upper entry above it, and the write-back of A and D. */

import { FAULT_PRESENT, vaddr } from '../../model/vocabulary/index.js';
import { ACCESSED, DIRTY, FULL_RIGHTS, LEAF_FLAGS, USER, WRITABLE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

const UNCACHED = 0x10;
const GLOBAL = 0x100;
/** Bits 9 to 11, which the CPU leaves to software. */
const SOFTWARE_BITS = 0xe00;

export const DEMAND_DEFECTS: readonly Defect[] = [
  {
    id: 'demand-checks-leaf-rights-alone',
    title: 'A fault is called fixed when the leaf alone allows the access',
    class: 'livelock',
    wrong:
      'demand_page compares the access with the leaf’s RW and US and not with those of the upper entry, installs the leaf, and the CPU faults again.',
    origin: 'lguest, demand_page',
    translation: 'Literally: the function is the same here.',
    consequence:
      'A user’s access to a page under a supervisor entry spins between guest and host for ever instead of faulting.',
    harms: 'guest',
    rule: 'machine.md 3, demand 3',
    inLguest: true,
    plant({ demand, walk }) {
      const sound = demand.allowed.bind(demand);
      demand.allowed = (code) => {
        const rights = walk.upperRights;
        walk.upperRights = FULL_RIGHTS;
        const allowed = sound(code);
        walk.upperRights = rights;
        return allowed;
      };
    },
  },
  {
    id: 'device-address-without-offset',
    title: 'A device access loses its offset',
    class: 'wrong mask',
    wrong: 'The address that the Launcher is told for an access to a device is that of its page.',
    origin: 'constructed from lguest’s demand_page, which joins page and offset',
    translation: 'Literally.',
    consequence: 'Every register of a device looks like its first.',
    harms: 'guest',
    rule: 'machine.md 3, demand 4: outcome mmio with the physical address',
    inLguest: false,
    plant({ demand }) {
      const sound = demand.deviceAccess.bind(demand);
      demand.deviceAccess = (address) => sound(vaddr(address & ~0xfff));
    },
  },
  {
    id: 'dirty-lost-on-second-fault',
    title: 'The write that follows a read leaves no D bit in the guest’s entry',
    class: 'missing dirty',
    wrong:
      'The guest’s entry is written back only if it was not accessed before, so the second fault, for the write, sets D in the shadow alone.',
    origin: 'KVM 760db773fbd: a dirty bit that was lost',
    translation: 'The bit is that of the guest’s leaf.',
    consequence: 'The guest throws a page away that it wrote to.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: write the changed leaf back',
    inLguest: false,
    plant({ ram, walk }) {
      const sound = ram.writeBack.bind(ram);
      ram.writeBack = (address, low, high) => {
        if ((walk.leafLow & ACCESSED) === 0) sound(address, low, high);
      };
    },
  },
  {
    id: 'dirty-takes-for-writing',
    title: 'A dirty entry takes its page for writing although it is read-only',
    class: 'missing check',
    wrong:
      'Whether a page is taken for writing is decided by D alone. A read of a dirty, read-only page asks the Launcher for more than the guest may do.',
    origin: 'lguest, demand_page and __guest_set_pte calling gpte_to_spte',
    translation: 'Literally: the function is the same here.',
    consequence:
      'A guest that reads a page which its Launcher shares read-only is killed, or the host copies a page that is never written.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: for writing if D and RW',
    inLguest: true,
    plant({ maker }) {
      maker.needsWriting = (low) => (low & DIRTY) !== 0;
    },
  },
  {
    id: 'fault-code-from-shadow',
    title: 'A fault’s present bit reflects the shadow, not the guest’s tables',
    class: 'hidden state',
    wrong:
      'The guest gets the code that the CPU pushed, whose present bit says whether the shadow had a leaf. Whether it had one depends on what was accessed before.',
    origin: 'lguest, run_guest and demand_page: the error code is passed on as it came',
    translation: 'Literally: the function is the same here.',
    consequence: 'The guest’s fault handler takes a protection fault for a missing page, or the other way round.',
    harms: 'guest',
    rule: 'machine.md 3, a fault’s code',
    inLguest: true,
    plant({ demand, tables, guest }) {
      const sound = demand.fault.bind(demand);
      demand.fault = (address, code) => {
        const present = tables.translates(guest.current, address, 0) ? FAULT_PRESENT : 0;
        return sound(address, (code & ~FAULT_PRESENT) | present);
      };
    },
  },
  {
    id: 'read-installs-writable',
    title: 'A read of a clean page installs a writable leaf',
    class: 'missing dirty',
    wrong: 'A demand fault for a read leaves RW in the leaf although D is clear, so the first write does not fault.',
    origin: 'KVM 75e68e60789: writes that went unnoticed by dirty tracking',
    translation: 'The tracking is the guest’s own D bit.',
    consequence: 'Writes leave no D bit: the guest throws away what it wrote.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: RW only if D',
    inLguest: false,
    plant({ demand, tables, host, guest }) {
      const sound = demand.installLeaf.bind(demand);
      demand.installLeaf = (address, low) => {
        const end = sound(address, low);
        if (end !== 'mapped' || !tables.findTable(guest.current, address)) return end;
        const offset = tables.leafOffset;
        tables.install(guest.current, address, offset, (host.words[offset] | (low & WRITABLE)) >>> 0);
        return end;
      };
    },
  },
  {
    id: 'upper-entry-keeps-supervisor',
    title: 'The shadow’s upper entry stays supervisor',
    class: 'livelock',
    wrong:
      'A refresh of the upper entry leaves out US, so a user’s access is demanded, called fixed, and faults again.',
    origin: 'constructed from KVM’s and lguest’s handling of US at the upper level',
    translation: 'Literally.',
    consequence: 'Every user program spins between guest and host for ever.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: refresh with the guest’s RW and US',
    inLguest: false,
    plant({ tables }) {
      const sound = tables.refreshUpper.bind(tables);
      tables.refreshUpper = (rights) => sound(rights & ~USER);
    },
  },
  {
    id: 'upper-entry-never-refreshed',
    title: 'The shadow’s upper entry keeps the rights of its first use',
    class: 'stale mapping',
    wrong:
      'find_spte sets the flags of an upper entry when it allocates the table, and never again, whatever the guest’s entry says at later faults.',
    origin: 'lguest, find_spte',
    translation: 'Literally: the function is the same here.',
    consequence:
      'Rights that the guest gave are never seen, and the access faults for ever; rights that it took back stay.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: refresh the upper entry',
    inLguest: true,
    plant({ tables }) {
      tables.refreshUpper = () => undefined;
    },
  },
  {
    id: 'upper-entry-only-gains',
    title: 'The shadow’s upper entry gains rights and never loses them',
    class: 'permission merge',
    wrong: 'A refresh adds the rights of the walk at hand to those that were there.',
    origin: 'KVM 41074d07c78: permissions inherited from an earlier use',
    translation: 'What is inherited is the upper entry’s old rights.',
    consequence: 'Rights that the guest took back at the upper level stay in force.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: refresh with the guest’s RW and US',
    inLguest: false,
    plant({ tables, host }) {
      const sound = tables.refreshUpper.bind(tables);
      tables.refreshUpper = (rights) => sound(rights | (host.words[tables.upperOffset] & FULL_RIGHTS));
    },
  },
  {
    id: 'upper-entry-open',
    title: 'The shadow’s upper entry allows everything',
    class: 'permission merge',
    wrong: 'Rights are kept in the leaf alone, as the leaf has them; the upper entry of the shadow denies nothing.',
    origin: 'KVM b1bd5cba3306: permissions of the levels were merged wrongly',
    translation: 'The level that is left out is the PGD, or the PMD in PAE.',
    consequence: 'The guest’s user writes to what its kernel made read-only, once the kernel has touched it.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: refresh with the guest’s RW and US',
    inLguest: false,
    plant({ tables }) {
      const sound = tables.refreshUpper.bind(tables);
      tables.refreshUpper = () => sound(FULL_RIGHTS);
    },
  },
  {
    id: 'write-back-of-more-than-dirty',
    title: 'The write-back of A and D takes along the shadow’s other flags',
    class: 'wrong mask',
    wrong:
      'The guest’s entry is replaced by the leaf’s flags, so that G and the bits free for the guest’s use are lost.',
    origin: 'constructed: lguest’s lgwrite of gpte, had it been done after gpte_to_spte',
    translation: 'Literally.',
    consequence: 'The guest loses bits of its own page tables.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: the changed leaf is the guest’s',
    inLguest: false,
    plant({ ram }) {
      const sound = ram.writeBack.bind(ram);
      ram.writeBack = (address, low, high) => sound(address, (low & (~0xfff | LEAF_FLAGS)) >>> 0, high);
    },
  },
  {
    id: 'global-uncached-leaf-is-supervisor',
    title: 'A leaf with both G and PCD loses its US bit',
    class: 'permission merge',
    wrong: 'Two flags that change nothing alone are decoded together as a type of memory that users may not reach.',
    origin: 'constructed: combinations of flags, as access.c of kvm-unit-tests enumerates them',
    translation: 'The two flags are G and PCD.',
    consequence: 'A page of the user’s faults, and the guest cannot mend it.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6',
    inLguest: false,
    plant({ maker }) {
      const sound = maker.flagsOf.bind(maker);
      const both = GLOBAL | UNCACHED;
      maker.flagsOf = (low) => ((low & both) === both ? sound(low) & ~USER : sound(low));
    },
  },
  {
    id: 'write-back-loses-software-bits',
    title: 'Writing A or D back clears the guest’s software bits',
    class: 'wrong mask',
    wrong: 'The entry that is written back is made of the bits that the hypervisor knows, without bits 9 to 11.',
    origin: 'constructed from lguest’s demand_page, which writes the whole entry back',
    translation: 'Literally.',
    consequence: 'The guest loses what it has noted in its entries.',
    harms: 'guest',
    rule: 'machine.md 3, demand 6: write the changed leaf back',
    inLguest: false,
    plant({ ram }) {
      const sound = ram.writeBack.bind(ram);
      ram.writeBack = (address, low, high) => sound(address, (low & ~SOFTWARE_BITS) >>> 0, high);
    },
  },
];
