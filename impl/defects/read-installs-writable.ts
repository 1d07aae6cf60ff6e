import { WRITABLE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const readInstallsWritable: Defect = {
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
  plant({ demand, maker, tables, guest }) {
    const sound = demand.installLeaf.bind(demand);
    demand.installLeaf = (address, low) => {
      const end = sound(address, low);
      if (end !== 'mapped' || !tables.findTable(guest.current, address)) return end;
      const offset = tables.leafOffset;
      tables.install(guest.current, address, offset, (maker.word | (low & WRITABLE)) >>> 0);
      return end;
    };
  },
};
