import { WRITABLE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const statePageWritable: Defect = {
  id: 'state-page-writable',
  title: 'The CPU’s state page is mapped writable',
  class: 'lost hypervisor window',
  wrong: 'The page that holds the host CPU’s descriptor tables is mapped with the rights of the registers page.',
  origin: 'constructed from lguest’s map_switcher_in_guest, which maps it read-only for this reason',
  translation: 'Literally.',
  consequence: 'The guest’s kernel can rewrite the descriptor tables that the host uses.',
  harms: 'host',
  rule: 'machine.md 1, Switcher: state page read-only',
  inLguest: false,
  plant({ switcher }) {
    const sound = switcher.mapPage.bind(switcher);
    switcher.mapPage = (slot, address, word) => sound(slot, address, (word | WRITABLE) >>> 0);
  },
};
