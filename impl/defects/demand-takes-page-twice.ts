import { frameOf } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const demandTakesPageTwice: Defect = {
  id: 'demand-takes-page-twice',
  title: 'A demand fault takes its page twice',
  class: 'reference leak',
  wrong: 'Every fault that installs a leaf takes two references, and the leaf gives one back.',
  origin: 'KVM e48bb497b95: a call that takes the page was duplicated on the guest’s fault path',
  translation: 'The duplicate call stands in the demand path; set-pte is as it should be.',
  consequence: 'Pages of the host stay pinned for good.',
  harms: 'host',
  rule: 'machine.md 1, Host pages: each present leaf holds one reference',
  inLguest: false,
  plant({ demand, references, maker }) {
    const sound = demand.installLeaf.bind(demand);
    demand.installLeaf = (address, low) => {
      const end = sound(address, low);
      if (end === 'mapped') references.take(frameOf(maker.word));
      return end;
    };
  },
};
