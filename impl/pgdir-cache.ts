/** The pgdir cache: which guest root each slot shadows, and who must go (`find_pgdir`, `new_pgdir`). */

import type { Paddr, Slot, StateSink } from '../model/vocabulary/index.js';
import { SLOTS, paddr, slot } from '../model/vocabulary/index.js';
import { FACT } from './facts.js';
import { NO_FRAME } from './frames.js';
import type { GuestState } from './guest-state.js';
import type { HostMemory } from './host-memory.js';
import type { ShadowTables } from './shadow-tables.js';

export class PgdirCache {
  /** The last `choose` took a slot whose root is new: nothing of the kernel is mapped there. */
  blank = false;

  private readonly guestRoots = new Uint32Array(SLOTS);
  private readonly shadowing = new Uint8Array(SLOTS);
  private readonly guest: GuestState;
  private readonly host: HostMemory;
  private readonly tables: ShadowTables;

  constructor(guest: GuestState, host: HostMemory, tables: ShadowTables) {
    this.guest = guest;
    this.host = host;
    this.tables = tables;
  }

  reset(): void {
    this.shadowing.fill(0);
    this.guestRoots.fill(0);
  }

  /** The guest root that a slot shadows; 0 for a slot that shadows none, which only linear mode runs on. */
  guestRoot(slot: Slot): Paddr {
    return paddr(this.guestRoots[slot]);
  }

  hasRoot(slot: Slot): boolean {
    return this.tables.roots[slot] !== NO_FRAME;
  }

  /** A slot shadows a root only after `new-pgtable` gave it one: an empty slot does not stand for root 0. */
  shadows(slot: Slot): boolean {
    return this.hasRoot(slot) && this.shadowing[slot] === 1;
  }

  /** The lowest slot that shadows a root, if any does. */
  find(root: Paddr): Slot | undefined {
    for (let index = 0; index < SLOTS; index++) {
      if (this.guestRoots[index] === root && this.shadows(slot(index))) return slot(index);
    }
    return undefined;
  }

  /** Chooses the slot for a root that has none, and gives it to the root (machine.md 3, new-pgtable). */
  choose(root: Paddr, draw: number): Slot {
    const chosen = this.victim(slot(draw % SLOTS));
    this.guestRoots[chosen] = root;
    this.shadowing[chosen] = 1;
    this.flushTaken(chosen);
    return chosen;
  }

  /** The user half of the root that a slot shadowed before. */
  flushTaken(chosen: Slot): void {
    this.tables.releaseBelow(chosen, this.guest.kernelAddress);
  }

  tellState(slot: Slot, sink: StateSink): void {
    if (this.shadowing[slot] === 0) return;
    sink.slotFact(FACT.guestRoot, slot);
    sink.address(paddr(this.guestRoots[slot]));
  }

  /** A slot without a root page gets one; if the host has none, the current slot must do. */
  victim(candidate: Slot): Slot {
    this.blank = false;
    if (this.hasRoot(candidate)) return candidate;
    const root = this.host.allocate();
    if (root === NO_FRAME) return this.guest.current;
    this.tables.roots[candidate] = root;
    this.blank = true;
    return candidate;
  }
}
