import { frameOf } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const reclaimFreesTableInUse: Defect = {
  id: 'reclaim-frees-table-in-use',
  title: 'A table is reclaimed for another slot while it is still linked',
  class: 'use after free',
  wrong:
    'When the host has no memory for a root, the current slot’s first table is freed to make room, and stays linked.',
  origin: 'Xen XSA-427: a use after free when shadow tables are given up',
  translation: 'Memory runs short where a root is allocated.',
  consequence: 'The CPU walks a page that the host has given to somebody else.',
  harms: 'host',
  rule: 'machine.md 3, new-pgtable: if that fails, take the current slot',
  inLguest: false,
  plant({ cache, tables, host, guest }) {
    const sound = cache.victim.bind(cache);
    cache.victim = (candidate) => {
      const chosen = sound(candidate);
      if (chosen === candidate || cache.hasRoot(candidate)) return chosen;
      const first = host.nextPopulated(tables.roots[guest.current], 0);
      if (first < guest.sizes.rootEntries)
        host.free(frameOf(host.words[host.offsetOf(tables.roots[guest.current], first)]));
      return chosen;
    };
  },
};
