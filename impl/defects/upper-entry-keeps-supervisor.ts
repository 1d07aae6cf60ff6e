import { USER } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const upperEntryKeepsSupervisor: Defect = {
  id: 'upper-entry-keeps-supervisor',
  title: 'The shadow’s upper entry stays supervisor',
  class: 'livelock',
  wrong: 'A refresh of the upper entry leaves out US, so a user’s access is demanded, called fixed, and faults again.',
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
};
