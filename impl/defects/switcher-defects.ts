/** The Switcher’s pages. */

import { vaddr } from '../../model/vocabulary/index.js';
import { PRESENT, TABLE_FRAME, WRITABLE, packed } from '../shadow-entry.js';
import type { Defect } from './defect.js';

/** A host page that belongs to neither guest nor Switcher. */
const STRAY = packed(TABLE_FRAME, PRESENT);

export const SWITCHER_DEFECTS: readonly Defect[] = [
  {
    id: 'old-cpu-pages-stay-mapped',
    title: 'A migration leaves the old CPU’s pages mapped',
    class: 'lost hypervisor window',
    wrong: 'The pages of the new host CPU are mapped at the next entry, and those of the old one are not unmapped.',
    origin: 'constructed from lguest’s remove_switcher_percpu_map',
    translation: 'Literally: the call is left out.',
    consequence: 'The guest can reach another CPU’s state.',
    harms: 'host',
    rule: 'machine.md 3, access: unmap whichever CPU’s it has',
    inLguest: false,
    plant({ switcher }) {
      switcher.unmapCpu = () => undefined;
    },
  },
  {
    id: 'state-page-writable',
    title: 'The CPU’s state page is mapped writable',
    class: 'lost hypervisor window',
    wrong: 'The page that holds the host CPU’s descriptor tables is mapped with the rights of the registers page.',
    origin: 'constructed from lguest’s map_switcher_in_guest, which maps it read-only for this reason',
    translation: 'Literally.',
    consequence: 'The guest’s kernel can rewrite the descriptor tables that the host uses.',
    harms: 'host',
    rule: 'machine.md 1, Switcher: state page read-only',
    inLguest: false,
    plant({ switcher }) {
      const sound = switcher.mapPage.bind(switcher);
      switcher.mapPage = (slot, address, word) => sound(slot, address, (word | WRITABLE) >>> 0);
    },
  },
  {
    id: 'window-of-one-cpu-too-many',
    title: 'A page behind the last CPU’s is left in the window',
    class: 'lost hypervisor window',
    wrong: 'Entering the guest maps one page too many, of whatever lies behind the state pages in the host’s memory.',
    origin: 'Xen XSA-212 and its like: a window onto the host that is larger than it should be',
    translation: 'The page is the one behind the last state page, mapped where the next CPU’s registers would be.',
    consequence: 'The guest’s kernel reads host memory.',
    harms: 'host',
    rule: 'machine.md 1, Switcher: what the window holds',
    inLguest: false,
    plant({ switcher, guest, tables }) {
      const sound = switcher.switchCpu.bind(switcher);
      switcher.switchCpu = (slot, cpu) => {
        sound(slot, cpu);
        const address = vaddr(switcher.registersAddress(guest.hostCpus));
        if (tables.findTable(slot, address)) tables.install(slot, address, tables.leafOffset, STRAY);
      };
      // The extra page is not counted, so nothing is given back for it either.
      const drop = tables.dropReference.bind(tables);
      tables.dropReference = (word) => {
        if (word !== STRAY) drop(word);
      };
    },
  },
  {
    id: 'registers-of-cpu-modulo-thirty-two',
    title: 'The pages of host CPU 32 lie where those of CPU 0 do',
    class: 'narrow type',
    wrong: 'The number of the host CPU is kept in five bits where its pages’ addresses are computed.',
    origin: 'constructed: a machine with more CPUs than its author had',
    translation: 'Literally.',
    consequence: 'The Switcher saves the guest’s registers in another CPU’s page.',
    harms: 'host',
    rule: 'machine.md 1, Switcher: what the window holds',
    inLguest: false,
    plant({ switcher }) {
      const sound = switcher.registersAddress.bind(switcher);
      switcher.registersAddress = (cpu) => sound(cpu & 31);
    },
  },
];
