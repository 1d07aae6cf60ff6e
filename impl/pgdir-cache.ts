/** The pgdir cache: which guest root each slot shadows, and which slot a new root replaces (`find_pgdir`, `new_pgdir`). */

import type { Paddr, Slot } from '../model/vocabulary/index.js';
import { SLOTS, paddr, slot } from '../model/vocabulary/index.js';
import type { GuestState } from './guest-state.js';
import type { HostMemory } from './host-memory.js';
import { NO_FRAME } from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';

export class PgdirCache {
  /** Whether the slot that `victim` or `choose` returned got its root page then, and maps nothing. Valid until the next call. */
  blank = false;

  private readonly guestRoots = new Uint32Array(SLOTS);
  private readonly shadowing = new Uint8Array(SLOTS);
  private readonly guest: GuestState;
  private readonly host: HostMemory;
  private readonly tables: ShadowTables;

  constructor(parts: { guest: GuestState; host: HostMemory; tables: ShadowTables }) {
    this.guest = parts.guest;
    this.host = parts.host;
    this.tables = parts.tables;
  }

  reset(): void {
    this.shadowing.fill(0);
    this.guestRoots.fill(0);
  }

  /** The guest root that a slot shadows. 0 if it shadows none, as in linear mode. */
  guestRoot(slot: Slot): Paddr {
    return paddr(this.guestRoots[slot]);
  }

  hasRoot(slot: Slot): boolean {
    return this.tables.roots[slot] !== NO_FRAME;
  }

  /** False until `new-pgtable` gives the slot a root: a slot without one does not shadow root 0. */
  shadows(slot: Slot): boolean {
    return this.hasRoot(slot) && this.shadowing[slot] === 1;
  }

  /** The lowest slot that shadows this root. */
  find(root: Paddr): Slot | undefined {
    for (let index = 0; index < SLOTS; index++) {
      if (this.guestRoots[index] === root && this.shadows(slot(index))) return slot(index);
    }
    return undefined;
  }

  /** Chooses a slot for a root that has none and makes it shadow the root (machine.md 3, new-pgtable). */
  choose(root: Paddr, draw: number): Slot {
    const chosen = this.victim(slot(draw % SLOTS));
    this.guestRoots[chosen] = root;
    this.shadowing[chosen] = 1;
    this.flushTaken(chosen);
    return chosen;
  }

  /** Flushes the user half of the root that the chosen slot shadowed before. */
  flushTaken(chosen: Slot): void {
    this.tables.releaseBelow(chosen, this.guest.kernelAddress);
  }

  /** The candidate, with a new root page if it has none. The current slot if that page cannot be allocated. */
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
