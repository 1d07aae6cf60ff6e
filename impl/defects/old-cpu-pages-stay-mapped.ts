import type { Defect } from './defect.js';

export const oldCpuPagesStayMapped: Defect = {
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
};
