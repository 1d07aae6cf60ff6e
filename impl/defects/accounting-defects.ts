/** References on pages, and tables taken from the host: each must be returned exactly once. */

import { GUEST_FRAME, SWITCHER_TEXT_FRAME } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const ACCOUNTING_DEFECTS: readonly Defect[] = [
  {
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
    plant({ demand, references }) {
      const sound = demand.installLeaf.bind(demand);
      demand.installLeaf = (address, low) => {
        const end = sound(address, low);
        if (end === 'mapped') references.take(GUEST_FRAME + (low >>> 12));
        return end;
      };
    },
  },
  {
    id: 'last-entry-not-released',
    title: 'Releasing a leaf table stops before its last entry',
    class: 'off-by-one',
    wrong: 'The loop over a leaf table’s entries ends one too early, and the table is freed with its last leaf in it.',
    origin: 'Xen XSA-299: tables that were torn down in part',
    translation: 'The part left over is the last entry of a leaf table.',
    consequence: 'The reference of that page is lost; the guest chooses the page.',
    harms: 'host',
    rule: 'machine.md 3, set-pgd: everything under that top entry',
    inLguest: false,
    plant({ tables, guest, host }) {
      const sound = tables.releaseLeaves.bind(tables);
      tables.releaseLeaves = (frame) => {
        const last = host.offsetOf(frame, guest.sizes.tableEntries - 1);
        if (host.words[last] !== 0) host.write(last, 0);
        sound(frame);
      };
    },
  },
  {
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
  },
  {
    id: 'reference-held-twice',
    title: 'A leaf holds two references and gives back two',
    class: 'reference leak',
    wrong: 'Taking and dropping agree with each other, and not with what a leaf is: one mapping, one reference.',
    origin: 'constructed from KVM e48bb497b95: the duplicate call, matched by another',
    translation: 'Both calls are duplicated.',
    consequence: 'Whoever looks at the count (copy-on-write, migration) takes the page for shared.',
    harms: 'host',
    rule: 'machine.md 1, Host pages: one reference',
    inLguest: false,
    plant({ references }) {
      const take = references.take.bind(references);
      references.take = (frame) => {
        take(frame);
        if (frame < SWITCHER_TEXT_FRAME) take(frame);
      };
      const drop = references.drop.bind(references);
      references.drop = (frame) => {
        drop(frame);
        if (frame < SWITCHER_TEXT_FRAME) drop(frame);
      };
    },
  },
  {
    id: 'refused-page-keeps-leaf',
    title: 'A page that cannot be taken leaves the old leaf without its reference',
    class: 'double put',
    wrong:
      'The old leaf’s reference is dropped, the new page is refused, and the error path leaves the old leaf where it was.',
    origin: 'Xen XSA-250: reference counts in an error path of the shadow code',
    translation: 'The refusal is the Launcher’s protection of a page.',
    consequence: 'Teardown drops the reference again: the page may be freed while it is in use.',
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
  },
  {
    id: 'table-lost-on-second-allocation',
    title: 'A middle table is lost when the leaf table under it cannot be had',
    class: 'allocation-failure path',
    wrong: 'When the second allocation of a walk fails, the first table is unlinked and not freed.',
    origin: 'constructed from KVM 65855ed8b034 and lguest’s find_spte: an error path that undoes half',
    translation: 'The half undone is the link of the middle table.',
    consequence: 'Each failed walk costs the host a page for good.',
    harms: 'host',
    rule: 'machine.md 1, Host pages; 2, destroy',
    inLguest: false,
    plant({ tables, host, guest }) {
      const sound = tables.makeTable.bind(tables);
      tables.makeTable = (slot, address, rights) => {
        const made = sound(slot, address, rights);
        const top = host.offsetOf(tables.roots[slot], guest.pae ? address >>> 30 : address >>> 22);
        if (!made && guest.pae) host.write(top, 0);
        return made;
      };
    },
  },
  {
    id: 'reference-count-in-eight-bits',
    title: 'The 256th reference on a page makes its count 0',
    class: 'wrapped counter',
    wrong:
      'The count of references on a page has eight bits, and a guest may map one page at more addresses than that.',
    origin: 'Linux CVE-2016-0728, a reference count that wraps to 0',
    translation: 'The count has eight bits instead of 32, so that a table of leaves is enough.',
    consequence: 'The page is free while it is mapped, and the guest chooses the page.',
    harms: 'host',
    rule: 'machine.md 1, Host pages: each present leaf holds one reference',
    inLguest: false,
    plant({ references }) {
      const sound = references.take.bind(references);
      references.take = (frame) => {
        sound(frame);
        references.counts[frame] &= 0xff;
      };
    },
  },
];
