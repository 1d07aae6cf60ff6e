import { FULL_RIGHTS } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const demandChecksLeafRightsAlone: Defect = {
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
};
