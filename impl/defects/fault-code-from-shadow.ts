import { FAULT_PRESENT } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const faultCodeFromShadow: Defect = {
  id: 'fault-code-from-shadow',
  title: 'A fault’s present bit tells of the shadow, not of the guest’s tables',
  class: 'hidden state',
  wrong:
    'The guest gets the code that the CPU pushed, whose present bit says whether the shadow had a leaf. Whether it had one depends on what was accessed before.',
  origin: 'lguest, run_guest and demand_page: the error code is passed on as it came',
  translation: 'Literally: the function is the same here.',
  consequence: 'The guest’s fault handler takes a protection fault for a missing page, or the other way round.',
  harms: 'guest',
  rule: 'machine.md 3, a fault’s code',
  inLguest: true,
  plant({ demand, mmu, guest }) {
    const sound = demand.fault.bind(demand);
    demand.fault = (address, code) => {
      const present = mmu.translates(guest.current, address, 0) ? FAULT_PRESENT : 0;
      return sound(address, (code & ~FAULT_PRESENT) | present);
    };
  },
};
