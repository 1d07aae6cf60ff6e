import type { Defect } from './defect.js';

export const emptySlotIsRootZero: Defect = {
  id: 'empty-slot-is-root-zero',
  title: 'The slot of linear mode passes for a shadow of root 0',
  class: 'cache lookup',
  wrong: 'A slot that shadows no root keeps a zero where its root would be, so a call that names root 0 finds it.',
  origin:
    'lguest, find_pgdir; an earlier form of it, which even matched slots without a page, was mended by 4357bd9453b',
  translation: 'Literally: the function is the same here.',
  consequence:
    'A guest whose first page directory is at 0 gets a slot whose kernel half was never pinned; announcements for root 0 change the linear mapping.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable in linear mode',
  inLguest: true,
  plant({ cache }) {
    cache.shadows = (slot) => cache.hasRoot(slot);
  },
};
