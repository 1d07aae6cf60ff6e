/**
 * The state of the optimized machine, by which `exhaust` recognizes a state that it has seen before. It includes everything
 * that later steps depend on. It leaves out reference counts, which follow from the leaves, and the numbers of the host pages
 * that hold tables, on which no sound step depends.
 */

import type { Slot, StateSink } from '../model/vocabulary/index.js';
import { SLOTS, guestEntry, paddr, slot } from '../model/vocabulary/index.js';
import type { GuestMemory } from './guest-memory.js';
import type { GuestState } from './guest-state.js';
import type { HostMemory } from './host-memory.js';
import type { PageReferences } from './page-references.js';
import { MAY } from './page-references.js';
import type { PgdirCache } from './pgdir-cache.js';
import {
  GUEST_FRAME,
  SWITCHER_STATE_FRAME,
  SWITCHER_TEXT_FRAME,
  TABLE_FRAME,
  flagsOf,
  frameOf,
} from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';
import type { Stack } from './stack.js';
import type { Switcher } from './switcher.js';
import { NO_CPU } from './switcher.js';

interface Parts {
  readonly guest: GuestState;
  readonly stack: Stack;
  readonly host: HostMemory;
  readonly ram: GuestMemory;
  readonly references: PageReferences;
  readonly tables: ShadowTables;
  readonly cache: PgdirCache;
  readonly switcher: Switcher;
}

/** The kinds of this machine's facts. */
const FACT = {
  guest: 1,
  failures: 2,
  word: 3,
  protection: 4,
  slot: 5,
  guestRoot: 6,
  switcherCpu: 7,
  table: 8,
  leaf: 9,
} as const;

export const tellState = (parts: Parts, sink: StateSink): void => {
  tellGuest(parts, sink);
  tellWords(parts, sink);
  for (let index = 0; index < SLOTS; index++) tellSlot(parts, slot(index), sink);
};

const tellGuest = ({ guest, stack, host, references }: Parts, sink: StateSink): void => {
  sink.fact(FACT.guest);
  sink.flag(guest.linear);
  sink.flag(guest.initialized);
  sink.number(guest.kernelAddress);
  sink.number(stack.top);
  sink.number(stack.pages);
  sink.cpu(guest.cpu);
  sink.fact(FACT.failures);
  sink.number(host.failing === 0 ? 0 : host.succeeding);
  sink.number(host.failing);
  for (let page = 0; page < guest.guestPages; page++) {
    if (references.protection[page] === MAY.write) continue;
    sink.fact(FACT.protection);
    sink.page(page);
    sink.number(references.protection[page]);
  }
};

/** An entry of zero equals an entry that was never written. */
const tellWords = ({ guest, ram }: Parts, sink: StateSink): void => {
  const visited = new Set<number>();
  ram.forEachWritten((address) => {
    const low = ram.low(address);
    const high = guest.pae ? ram.high(address) : 0;
    if ((low | high) === 0 || visited.has(address)) return;
    visited.add(address);
    sink.fact(FACT.word);
    sink.address(address);
    sink.entry(guestEntry(low, high));
  });
};

const tellSlot = (parts: Parts, each: Slot, sink: StateSink): void => {
  const { guest, tables, cache, switcher } = parts;
  sink.slotFact(FACT.slot, each);
  sink.flag(each === guest.current);
  sink.flag(cache.hasRoot(each));
  sink.flag(switcher.isMapped(each));
  if (cache.shadows(each)) {
    sink.slotFact(FACT.guestRoot, each);
    sink.address(paddr(cache.guestRoot(each)));
  }
  if (switcher.cpus[each] !== NO_CPU) {
    sink.slotFact(FACT.switcherCpu, each);
    sink.cpu(switcher.cpus[each]);
  }
  if (cache.hasRoot(each)) tellTable(parts, each, tables.roots[each], 0, 0, sink);
};

const tellTable = (parts: Parts, each: Slot, frame: number, depth: number, base: number, sink: StateSink): void => {
  const { host, tables } = parts;
  // A table that was freed and is still linked is for an invariant to report.
  if (!host.isAllocated(frame)) return;
  for (let index = host.nextPopulated(frame, 0); index < 1024; index = host.nextPopulated(frame, index + 1)) {
    const word = host.words[host.offsetOf(frame, index)];
    const start = base + index * tables.reach[depth];
    if (depth === tables.leafDepth) tellLeaf(parts, each, start, word, sink);
    else {
      sink.slotFact(FACT.table, each);
      sink.number(start);
      sink.number(depth);
      sink.number(flagsOf(word));
      tellTable(parts, each, frameOf(word), depth + 1, start, sink);
    }
  }
};

/** In the Switcher's window both the address and the frame depend on the CPU, so both are described by it. */
const tellLeaf = ({ guest }: Parts, each: Slot, address: number, word: number, sink: StateSink): void => {
  const frame = frameOf(word);
  const behindText = address - guest.sizes.switcherAddress - 4096;
  sink.slotFact(FACT.leaf, each);
  sink.number(flagsOf(word));
  if (behindText < 0) sink.number(address);
  else {
    sink.cpu(behindText >>> 13);
    sink.number(behindText & 4096);
  }
  if (frame < SWITCHER_TEXT_FRAME) sink.page(frame - GUEST_FRAME);
  else if (frame >= SWITCHER_STATE_FRAME && frame < TABLE_FRAME) sink.cpu(frame - SWITCHER_STATE_FRAME);
  else sink.number(frame);
};
