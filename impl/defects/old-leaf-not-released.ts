import type { Defect } from './defect.js';

export const oldLeafNotReleased: Defect = {
  id: 'old-leaf-not-released',
  title: 'A write to a page that was mapped for reading leaks the first reference',
  class: 'reference leak',
  wrong: 'The demand path overwrites the read-only leaf that is there without dropping its reference.',
  origin: 'lguest 31f4b46ec6f, an earlier repair of its page-table code',
  translation: 'Taken here as the release of the old leaf that demand_page must do.',
  consequence: 'Each page that is read and then written stays pinned.',
  harms: 'host',
  rule: 'machine.md 3, demand 6: release the old leaf',
  inLguest: false,
  plant({ demand, tables }) {
    const sound = demand.installLeaf.bind(demand);
    demand.installLeaf = (address, low) => {
      const release = tables.release.bind(tables);
      tables.release = () => undefined;
      try {
        return sound(address, low);
      } finally {
        tables.release = release;
      }
    };
  },
};
