import type { Defect } from './defect.js';

export const refusedPageKeepsLeaf: Defect = {
  id: 'refused-page-keeps-leaf',
  title: 'A page that cannot be taken leaves the old leaf without its reference',
  class: 'double put',
  wrong:
    'The old leaf’s reference is dropped, the new page is refused, and the error path leaves the old leaf where it was.',
  origin: 'Xen XSA-250: reference counts in an error path of the shadow code',
  translation: 'The refusal is the Launcher’s protection of a page.',
  consequence: 'Teardown drops the reference again: the page may be freed while somebody uses it.',
  harms: 'host',
  rule: 'machine.md 3, demand 6',
  inLguest: false,
  plant({ demand, tables, host, guest }) {
    const sound = demand.installLeaf.bind(demand);
    demand.installLeaf = (address, low) => {
      const offset = tables.findTable(guest.current, address) ? tables.leafOffset : undefined;
      const old = offset === undefined ? 0 : host.words[offset];
      const end = sound(address, low);
      if (end === 'killed' && offset !== undefined) host.write(offset, old);
      return end;
    };
  },
};
