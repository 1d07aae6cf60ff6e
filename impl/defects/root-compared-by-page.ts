import { SLOTS, slot } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const rootComparedByPage: Defect = {
  id: 'root-compared-by-page',
  title: 'Roots are compared by their page',
  class: 'cache lookup',
  wrong: 'The lookup drops the low bits of a root, so that two PAE roots on one page are one.',
  origin: 'KVM d28c6cfbbc5: a cache of shadow pages whose key left out the access',
  translation: 'The cache is that of page directories, and what its key leaves out is bits 5 to 11 of a PAE root.',
  consequence: 'A process runs on another’s page directory.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable: a slot with this gpgdir',
  inLguest: false,
  plant({ cache }) {
    cache.find = (root) => {
      for (let index = 0; index < SLOTS; index++) {
        const same = cache.guestRoot(slot(index)) >>> 12 === root >>> 12;
        if (same && cache.shadows(slot(index))) return slot(index);
      }
      return undefined;
    };
  },
};
