import { vaddr } from '../../model/vocabulary/index.js';
import { TABLE_FRAME } from '../frames.js';
import { PRESENT, packed } from '../shadow-entry.js';
import type { Defect } from './defect.js';

/** A host page that belongs to neither guest nor Switcher. */
const STRAY = packed(TABLE_FRAME, PRESENT);

export const windowOfOneCpuTooMany: Defect = {
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
};
