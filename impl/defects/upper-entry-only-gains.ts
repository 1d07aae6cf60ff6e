import { FULL_RIGHTS } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const upperEntryOnlyGains: Defect = {
  id: 'upper-entry-only-gains',
  title: 'The shadow’s upper entry gains rights and never loses them',
  class: 'permission merge',
  wrong: 'A refresh adds the rights of the walk at hand to those that were there.',
  origin: 'KVM 41074d07c78: permissions inherited from an earlier use',
  translation: 'What is inherited is the upper entry’s old rights.',
  consequence: 'Rights that the guest took back at the upper level stay in force.',
  harms: 'guest',
  rule: 'machine.md 3, demand 6: refresh with the guest’s RW and US',
  inLguest: false,
  plant({ tables, host }) {
    const sound = tables.refreshUpper.bind(tables);
    tables.refreshUpper = (rights) => sound(rights | (host.words[tables.upperOffset] & FULL_RIGHTS));
  },
};
