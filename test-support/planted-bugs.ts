/** Machines with one bug each, for the tests: what is made small must be found first. */

import type { ShadowMachine } from '../impl/shadow-machine.js';
import { SLOTS } from '../model/vocabulary/index.js';

export interface PlantedBug {
  readonly name: string;
  plant(machine: ShadowMachine): void;
}

const DIRTY = 0x40;

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'the upper entry is never refreshed',
    plant: (machine) => {
      machine.tables.refreshUpper = () => {};
    },
  },
  {
    name: 'a kernel leaf is told to the current slot only',
    plant: (machine) => {
      machine.calls.broadcast = (address, pte) => machine.calls.setLeaf(machine.guest.current, address, pte);
    },
  },
  {
    name: 'RW does not wait for D',
    plant: (machine) => {
      machine.maker.flagsOf = (low) => low & 0x7f;
    },
  },
  {
    name: 'a slot without a root stands for root 0',
    plant: (machine) => {
      machine.cache.shadows = (slot) => machine.cache.hasRoot(slot);
    },
  },
  {
    name: 'a straddling table keeps its user leaves',
    plant: (machine) => {
      machine.tables.releaseStraddling = () => {};
    },
  },
  {
    name: 'references are never returned',
    plant: (machine) => {
      machine.tables.dropReference = () => {};
    },
  },
  {
    name: 'D is not set by a write',
    plant: (machine) => {
      const install = machine.demand.installLeaf.bind(machine.demand);
      machine.demand.installLeaf = (address, low) => install(address, low & ~DIRTY);
    },
  },
  {
    name: 'a page is taken for reading whatever is done with it',
    plant: (machine) => {
      machine.maker.needsWriting = () => false;
    },
  },
  {
    name: 'set-pte installs what nobody has accessed',
    plant: (machine) => {
      machine.calls.worthInstalling = (pte) => (pte.low & 1) !== 0;
    },
  },
  {
    name: 'the stack is not pinned',
    plant: (machine) => {
      machine.stack.pin = () => {};
    },
  },
  {
    name: 'the Switcher of the last CPU stays mapped',
    plant: (machine) => {
      machine.switcher.unmapCpu = () => {};
    },
  },
  {
    name: 'the last slot is forgotten when all are released',
    plant: (machine) => {
      const { tables } = machine;
      const release = tables.releaseTables.bind(tables);
      tables.releaseTables = (slot) => {
        if (slot !== SLOTS - 1) release(slot);
      };
    },
  },
  {
    name: 'rights of the upper entry are not asked',
    plant: (machine) => {
      const { demand, walk } = machine;
      demand.allowed = (code) => {
        const needed = ((code & 2) !== 0 ? 2 : 0) | ((code & 4) !== 0 ? 4 : 0);
        return (walk.leafLow & needed) === needed;
      };
    },
  },
  {
    name: 'a victim keeps its user half',
    plant: (machine) => {
      const { cache, tables } = machine;
      const choose = cache.choose.bind(cache);
      const releaseBelow = tables.releaseBelow.bind(tables);
      cache.choose = (root, draw) => {
        tables.releaseBelow = () => {};
        const chosen = choose(root, draw);
        tables.releaseBelow = releaseBelow;
        return chosen;
      };
    },
  },
];
