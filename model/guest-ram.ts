/** Guest RAM, of which only page-table words are ever written (machine.md 1, Guest RAM). */

import type { EntryChange, GuestEntry, Paddr } from './vocabulary/index.js';
import { PAGE_BYTES, sameEntry, ZERO_ENTRY } from './vocabulary/index.js';

const NO_CHANGES: readonly EntryChange[] = Object.freeze([]);

export class GuestRam {
  readonly guestPages: number;
  /** Bytes of one word: 4 in 2-level, 8 in PAE. */
  readonly entryBytes: number;
  /** The words that were stored; all others are zero. */
  readonly words = new Map<Paddr, GuestEntry>();
  private changes: EntryChange[] = [];

  constructor(guestPages: number, entryBytes: number) {
    this.guestPages = guestPages;
    this.entryBytes = entryBytes;
  }

  /** Whether a word lies in RAM. Words are aligned, so a word that begins in RAM also ends there. */
  holds(address: Paddr): boolean {
    return address < this.guestPages * PAGE_BYTES;
  }

  read(address: Paddr): GuestEntry {
    return this.words.get(address) ?? ZERO_ENTRY;
  }

  /** The guest's own store, which is not observed. */
  store(address: Paddr, value: GuestEntry): void {
    this.words.set(address, value);
  }

  /** The hypervisor's store, which is observed if it changes the word. */
  writeBack(address: Paddr, value: GuestEntry): void {
    if (sameEntry(this.read(address), value)) return;
    this.words.set(address, value);
    this.changes.push({ paddr: address, value });
  }

  /** What the hypervisor changed since the last call, in order. */
  takeChanges(): readonly EntryChange[] {
    if (this.changes.length === 0) return NO_CHANGES;
    const changes = this.changes;
    this.changes = [];
    return changes;
  }
}
