/** The life of a guest: creation, INIT, kills, and destruction. */

import { SLOTS, reservedBytes, slot } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const LIFE_DEFECTS: readonly Defect[] = [
  {
    id: 'creation-leaks-root',
    title: 'A creation that runs out of memory keeps its root page',
    class: 'allocation-failure path',
    wrong:
      'When the tables under the Switcher cannot be allocated, creation fails and forgets the root page that it had already taken.',
    origin: 'lguest, init_guest_pagetable',
    translation: 'Literally: the function is the same here.',
    consequence:
      'Every failed creation costs the host a page for good, and any user who may start guests can repeat it.',
    harms: 'host',
    rule: 'machine.md 2, failAllocation',
    inLguest: true,
    plant(machine) {
      const { cache, guest, tables } = machine;
      machine.undoCreation = () => {
        if (cache.hasRoot(guest.current)) tables.releaseTables(guest.current);
      };
    },
  },
  {
    id: 'dead-guest-still-flushes',
    title: 'A killed guest’s next step still releases tables',
    class: 'missing check',
    wrong: 'Whether the guest is dead is asked after the current slot was flushed, not before.',
    origin: 'constructed from Xen’s handling of crashed domains',
    translation: 'Literally: the answer is right, and something was done.',
    consequence: 'Work for a guest that is gone; with references in it, a race against its teardown.',
    harms: 'host',
    rule: 'machine.md 3, Kills: does nothing',
    inLguest: false,
    plant(machine) {
      const { guest, tables } = machine;
      const sound = machine.apply.bind(machine);
      machine.apply = (step) => {
        if (guest.killedFor !== undefined) tables.releaseTables(guest.current);
        return sound(step);
      };
    },
  },
  {
    id: 'dead-guest-still-stores',
    title: 'A killed guest keeps running',
    class: 'missing check',
    wrong: 'Nothing remembers that the guest was killed: the next step runs.',
    origin: 'constructed from Xen’s handling of crashed domains: one that is crashed and not stopped',
    translation: 'The guest is the machine’s; the step after the kill is taken as if nothing had been.',
    consequence: 'Whatever the kill was to prevent happens one step later.',
    harms: 'host',
    rule: 'machine.md 3, Kills: every later step is dead',
    inLguest: false,
    plant(machine) {
      machine.stopsAt = () => {
        machine.guest.killedFor = undefined;
        return undefined;
      };
    },
  },
  {
    id: 'reserved-size-of-other-mode',
    title: 'INIT reports the wrong window size to a PAE guest',
    class: 'wrong mask',
    wrong: 'The answer of INIT is the size of the 2-level window in both modes.',
    origin: 'constructed: lguest’s page_table_guest_data_init with a constant',
    translation: 'Literally.',
    consequence:
      'The guest does without two megabytes that it could have; the other way round it would map over the hypervisor.',
    harms: 'guest',
    rule: 'machine.md 3, init: 2³² − switcherAddress',
    inLguest: false,
    plant(machine) {
      const sound = machine.apply.bind(machine);
      machine.apply = (step) => {
        const observation = sound(step);
        if (observation.outcome.kind !== 'initialized') return observation;
        return { ...observation, outcome: { kind: 'initialized', reserved: reservedBytes('2-level') } };
      };
    },
  },
  {
    id: 'teardown-forgets-tables',
    title: 'Teardown frees the roots before what hangs under them',
    class: 'table leak',
    wrong: 'At the end the root pages go first, so that nothing leads to the tables and leaves any more.',
    origin: 'KVM c5bc2242402: teardown in the wrong order',
    translation: 'The order of the two loops of destroy is exchanged.',
    consequence: 'Every guest that ends leaves its tables and all its references behind.',
    harms: 'host',
    rule: 'machine.md 2, destroy',
    inLguest: false,
    plant(machine) {
      const { tables } = machine;
      const sound = machine.releaseEverything.bind(machine);
      machine.releaseEverything = () => {
        for (let index = 0; index < SLOTS; index++) tables.freeRoot(slot(index));
        return sound();
      };
    },
  },
  {
    id: 'failing-allocations-in-eight-bits',
    title: 'How many allocations fail is kept in eight bits',
    class: 'narrow type',
    wrong: 'A fail-alloc of 256 lets the next allocation succeed.',
    origin: 'constructed: a number kept in too narrow a type',
    translation: 'The number is the count of fail-alloc.',
    consequence: 'A guest that must die for lack of memory lives on.',
    harms: 'guest',
    rule: 'machine.md 3, fail-alloc',
    inLguest: false,
    plant({ host }) {
      const sound = host.failAfter.bind(host);
      host.failAfter = (succeeding, failing) => sound(succeeding, failing & 0xff);
    },
  },
];
