import { FAULT_WRITE } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const stackInSwitcherAllowed: Defect = {
  id: 'stack-in-switcher-allowed',
  title: 'A stack in the Switcher’s window is not refused',
  class: 'missing check',
  wrong:
    'Whether a stack page lies in the hypervisor’s own window is not looked at; a page that happens to be mapped there will do.',
  origin: 'constructed from lguest’s page_writable, whose first check is this one',
  translation: 'Literally.',
  consequence: 'The guest’s traps push on the hypervisor’s own page of registers.',
  harms: 'host',
  rule: 'machine.md 3, pin the stack',
  inLguest: false,
  plant({ stack, demand }) {
    stack.pinned = (address) => stack.writable(address) || demand.page(address, FAULT_WRITE) === 'mapped';
  },
};
