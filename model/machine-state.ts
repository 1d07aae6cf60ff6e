/**
 * The model's state as facts (see `StateSink`): everything that later steps depend on. Left out are the counts of references,
 * which follow from the leaves, and the changes to observe, which every step takes.
 */

import type { GuestRam } from './guest-ram.js';
import type { GuestReferences, HostPages } from './host-pages.js';
import type { Hypervisor } from './hypervisor.js';
import type { ShadowSlot } from './slot.js';
import type { Slot, StateSink } from './vocabulary/index.js';
import { sameEntry, slot, ZERO_ENTRY } from './vocabulary/index.js';

/** The kinds of facts. */
const FACT = {
  guest: 1,
  failures: 2,
  word: 3,
  protection: 4,
  slot: 5,
  gpgdir: 6,
  switcherCpu: 7,
  middleTable: 8,
  leafTable: 9,
  leaf: 10,
} as const;

export const tellState = (hypervisor: Hypervisor, sink: StateSink): void => {
  sink.fact(FACT.guest);
  sink.flag(hypervisor.linearMode);
  sink.flag(hypervisor.initialized);
  sink.number(hypervisor.kernelAddress);
  sink.number(hypervisor.esp);
  sink.number(hypervisor.stackPages);
  sink.cpu(hypervisor.hostCpu);
  tellFailures(hypervisor.hostPages, sink);
  tellWords(hypervisor.ram, sink);
  tellProtections(hypervisor.references, sink);
  for (const [index, each] of hypervisor.slots.entries()) {
    tellSlot(each, slot(index), each === hypervisor.current, sink);
    tellTables(each, slot(index), sink);
  }
};

const tellFailures = ({ succeeding, failing }: HostPages, sink: StateSink): void => {
  sink.fact(FACT.failures);
  sink.number(failing === 0 ? 0 : succeeding);
  sink.number(failing);
};

/** A word that holds zero is as good as one that was never stored. */
const tellWords = ({ words }: GuestRam, sink: StateSink): void => {
  for (const [address, word] of words) {
    if (sameEntry(word, ZERO_ENTRY)) continue;
    sink.fact(FACT.word);
    sink.address(address);
    sink.entry(word);
  }
};

const tellProtections = ({ protections }: GuestReferences, sink: StateSink): void => {
  for (const [page, protection] of protections) {
    if (protection === 'write') continue;
    sink.fact(FACT.protection);
    sink.page(page);
    sink.flag(protection === 'read');
  }
};

const tellSlot = (shadow: ShadowSlot, number: Slot, current: boolean, sink: StateSink): void => {
  sink.slotFact(FACT.slot, number);
  sink.flag(current);
  sink.flag(shadow.hasRoot);
  sink.flag(shadow.switcherMapped);
  if (shadow.gpgdir !== undefined) {
    sink.slotFact(FACT.gpgdir, number);
    sink.address(shadow.gpgdir);
  }
  if (shadow.switcherCpu !== undefined) {
    sink.slotFact(FACT.switcherCpu, number);
    sink.cpu(shadow.switcherCpu);
  }
};

const tellTables = ({ middleTables, leafTables }: ShadowSlot, number: Slot, sink: StateSink): void => {
  for (const index of middleTables) {
    sink.slotFact(FACT.middleTable, number);
    sink.number(index);
  }
  for (const [index, { upperRights, leaves }] of leafTables) {
    sink.slotFact(FACT.leafTable, number);
    sink.number(index);
    sink.number(upperRights);
    for (const [page, leaf] of leaves) {
      sink.slotFact(FACT.leaf, number);
      sink.number(page);
      sink.page(leaf.page);
      sink.number(leaf.rights);
    }
  }
};
