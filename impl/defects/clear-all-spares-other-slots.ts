import type { Defect } from './defect.js';

export const clearAllSparesOtherSlots: Defect = {
  id: 'clear-all-spares-other-slots',
  title: 'Clearing all clears the current slot alone',
  class: 'missed flush',
  wrong: 'A flush of everything releases the current slot’s tables and no other’s.',
  origin: 'KVM 171d595d3b3: a flush that reached too little',
  translation: 'The other root pages are the other slots.',
  consequence: 'After a switch the guest uses kernel mappings that it took away.',
  harms: 'guest',
  rule: 'machine.md 3, clear all: for every slot',
  inLguest: false,
  plant({ calls, tables, switcher, guest }) {
    calls.clearAll = () => {
      tables.releaseTables(guest.current);
      switcher.forget(guest.current);
      calls.repopulate();
    };
  },
};
