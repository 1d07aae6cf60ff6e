import { SLOTS, slot } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const teardownForgetsTables: Defect = {
  id: 'teardown-forgets-tables',
  title: 'Teardown frees the roots before what hangs under them',
  class: 'table leak',
  wrong: 'At the end the root pages go first, so that nothing leads to the tables and leaves any more.',
  origin: 'KVM c5bc2242402: teardown in the wrong order',
  translation: 'The order of the two loops of destroy is exchanged.',
  consequence: 'Every guest that ends leaves its tables and all its references behind.',
  harms: 'host',
  rule: 'machine.md 2, destroy',
  inLguest: false,
  plant(machine) {
    const { tables } = machine;
    const sound = machine.releaseEverything.bind(machine);
    machine.releaseEverything = () => {
      for (let index = 0; index < SLOTS; index++) tables.freeRoot(slot(index));
      return sound();
    };
  },
};
