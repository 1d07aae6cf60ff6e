import type { Defect } from './defect.js';

export const rootDroppedWhileCurrent: Defect = {
  id: 'root-dropped-while-current',
  title: 'An eviction gives the root page back before the slot has left it',
  class: 'use after free',
  wrong: 'When the slot to be taken is the current one, its root page is freed, and used on.',
  origin: 'Xen XSA-438: the reference on a top-level shadow was dropped too early',
  translation: 'The reference is that of the slot on its root page.',
  consequence: 'The CPU’s page-table base points to a page that the host has given to somebody else.',
  harms: 'host',
  rule: 'machine.md 3, new-pgtable',
  inLguest: false,
  plant({ cache, host, tables, guest }) {
    const sound = cache.victim.bind(cache);
    cache.victim = (candidate) => {
      const chosen = sound(candidate);
      if (!cache.blank && chosen === guest.current && !guest.linear) host.free(tables.roots[chosen]);
      return chosen;
    };
  },
};
