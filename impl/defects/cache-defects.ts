/** The pgdir cache: lookup, choice of a victim, and the change of hands. */

import { SLOTS, slot } from '../../model/vocabulary/index.js';
import { frameOf } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const CACHE_DEFECTS: readonly Defect[] = [
  {
    id: 'blank-slot-first',
    title: 'A miss prefers a slot that is still empty',
    class: 'eviction',
    wrong: 'As long as some slot has no root page, the draw is not asked.',
    origin: 'constructed: an optimization that looks harmless',
    translation: 'Literally.',
    consequence: 'Which address space is evicted no longer depends on the draw alone.',
    harms: 'guest',
    rule: 'machine.md 3, new-pgtable: candidate draw % 4',
    inLguest: false,
    plant({ cache }) {
      const sound = cache.victim.bind(cache);
      cache.victim = (candidate) => {
        for (let index = 0; index < SLOTS; index++) if (!cache.hasRoot(slot(index))) return sound(slot(index));
        return sound(candidate);
      };
    },
  },
  {
    id: 'draw-from-hidden-state',
    title: 'The victim is drawn from a generator of the machine’s own',
    class: 'hidden state',
    wrong: 'Random replacement uses a state that lives from one program to the next.',
    origin: 'lguest, new_pgdir: prandom_u32, as the C has it before draws are made part of the program',
    translation: 'The state is a counter.',
    consequence: 'No finding can be replayed.',
    harms: 'guest',
    rule: 'machine.md 3, new-pgtable: draw is the random number used',
    inLguest: false,
    plant({ cache }) {
      const sound = cache.victim.bind(cache);
      let state = 0;
      cache.victim = () => sound(slot((state = (state + 1) % SLOTS)));
    },
  },
  {
    id: 'empty-slot-is-root-zero',
    title: 'The slot of linear mode passes for a shadow of root 0',
    class: 'cache lookup',
    wrong: 'A slot that shadows no root keeps a zero where its root would be, so a call that names root 0 finds it.',
    origin:
      'lguest, find_pgdir; an earlier form of it, which even matched slots without a page, was fixed by 4357bd9453b',
    translation: 'Literally: the function is the same here.',
    consequence:
      'A guest whose first page directory is at 0 gets a slot whose kernel half was never pinned; announcements for root 0 change the linear mapping.',
    harms: 'guest',
    rule: 'machine.md 3, new-pgtable in linear mode',
    inLguest: true,
    plant({ cache }) {
      cache.shadows = (slot) => cache.hasRoot(slot);
    },
  },
  {
    id: 'eviction-flushes-wrong-slot',
    title: 'An eviction flushes the slot that the guest leaves',
    class: 'missed flush',
    wrong: 'The user half is flushed before the slot changes hands, and so in the slot that was current.',
    origin: 'KVM 88a97f0b2fe: a flush in the wrong order',
    translation: 'The order of switching and flushing is exchanged.',
    consequence:
      'The new address space begins with the user mappings of the one evicted: one process reads another’s memory.',
    harms: 'guest',
    rule: 'machine.md 3, new-pgtable: set gpgdir, flush its user half',
    inLguest: false,
    plant({ cache, tables, guest }) {
      cache.flushTaken = () => tables.releaseBelow(guest.current, guest.kernelAddress);
    },
  },
  {
    id: 'hit-flushes-user-half',
    title: 'A cache hit flushes like a miss',
    class: 'over-flush',
    wrong: 'The user half of a slot is flushed at every switch to it, also when its root was cached.',
    origin: 'constructed: the cache switched off by half',
    translation: 'Literally.',
    consequence: 'Every context switch begins with a storm of faults; nothing is wrong but the speed.',
    harms: 'guest',
    rule: 'machine.md 3, new-pgtable: on a hit nothing is flushed',
    inLguest: false,
    plant({ calls, tables, guest }) {
      const sound = calls.newPgtable.bind(calls);
      calls.newPgtable = (root, draw) => {
        sound(root, draw);
        if (guest.killedFor === undefined) tables.releaseBelow(guest.current, guest.kernelAddress);
      };
    },
  },
  {
    id: 'reclaim-frees-table-in-use',
    title: 'A table is reclaimed for another slot while it is still linked',
    class: 'use after free',
    wrong:
      'When the host has no memory for a root, the current slot’s first table is freed to make room, and stays linked.',
    origin: 'Xen XSA-427: a use after free when shadow tables are given up',
    translation: 'Memory runs short where a root is allocated.',
    consequence: 'The CPU walks a page that the host has reused since.',
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
  },
  {
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
  },
  {
    id: 'root-dropped-while-current',
    title: 'An eviction gives the root page back before the slot has left it',
    class: 'use after free',
    wrong: 'When the slot to be taken is the current one, its root page is freed, and used on.',
    origin: 'Xen XSA-438: the reference on a top-level shadow was dropped too early',
    translation: 'The reference is that of the slot on its root page.',
    consequence: 'The CPU’s page-table base points to a page that the host has reused since.',
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
  },
  {
    id: 'slot-without-page-is-root-zero',
    title: 'A slot that was never used passes for a shadow of root 0',
    class: 'cache lookup',
    wrong: 'The lookup compares roots and does not ask whether the slot has a root page at all.',
    origin: 'lguest 4357bd9453b: an unallocated slot matched root 0',
    translation: 'Literally.',
    consequence: 'The CPU’s page-table base is null: the host crashes.',
    harms: 'host',
    rule: 'machine.md 3, new-pgtable: the lowest slot with a root page',
    inLguest: false,
    plant({ cache }) {
      cache.shadows = () => true;
    },
  },
  {
    id: 'victim-ignores-draw',
    title: 'The victim is the slot after the current one, whatever the draw',
    class: 'eviction',
    wrong: 'A miss takes the next slot round instead of the one drawn.',
    origin: 'constructed: random replacement made into round robin',
    translation: 'Literally.',
    consequence:
      'A guest that knows the order can keep others out of the cache; two runs of one program differ from the specification.',
    harms: 'guest',
    rule: 'machine.md 3, new-pgtable: candidate draw % 4',
    inLguest: false,
    plant({ cache, guest }) {
      const sound = cache.victim.bind(cache);
      cache.victim = () => sound(slot((guest.current + 1) % SLOTS));
    },
  },
];
