import { reservedBytes } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const reservedSizeOfOtherMode: Defect = {
  id: 'reserved-size-of-other-mode',
  title: 'INIT tells a PAE guest the wrong size of the window',
  class: 'wrong mask',
  wrong: 'The answer of INIT is the size of the 2-level window in both modes.',
  origin: 'constructed: lguest’s page_table_guest_data_init with a constant',
  translation: 'Literally.',
  consequence:
    'The guest does without two megabytes that it could have; the other way round it would map over the hypervisor.',
  harms: 'guest',
  rule: 'machine.md 3, init: 2³² − switcherAddress',
  inLguest: false,
  plant(machine) {
    const sound = machine.apply.bind(machine);
    machine.apply = (step) => {
      const observation = sound(step);
      if (observation.outcome.kind !== 'initialized') return observation;
      return { ...observation, outcome: { kind: 'initialized', reserved: reservedBytes('2-level') } };
    };
  },
};
