/** Guest RAM as 32-bit words, and the page-table entries that the hypervisor changed in the current step. */

import type { EntryChange, GuestEntry, GuestRam, Paddr } from '../model/vocabulary/index.js';
import { guestEntry, paddr } from '../model/vocabulary/index.js';

const NO_CHANGES: readonly EntryChange[] = Object.freeze([]);

export class GuestMemory implements GuestRam {
  words = new Uint32Array(0);
  /** Offsets of words that became nonzero, so that a reset costs what was written. Starts small so that tests make it grow. */
  private written = new Uint32Array(16);
  private writtenCount = 0;
  /** Entries have 8 bytes. */
  wide = false;
  private changes: EntryChange[] = [];

  /** Zeroes the memory and makes room for `pages` pages of 4096 bytes. `wide`: entries have 8 bytes. */
  reset(pages: number, wide: boolean): void {
    for (let i = 0; i < this.writtenCount; i++) this.words[this.written[i]] = 0;
    this.writtenCount = 0;
    if (this.words.length < pages * 1024) this.words = new Uint32Array(pages * 1024);
    this.wide = wide;
    this.changes = [];
  }

  low(address: Paddr): number {
    return this.words[address >>> 2];
  }

  /** The upper half of an 8-byte entry. */
  high(address: Paddr): number {
    return this.words[(address >>> 2) + 1];
  }

  word(address: Paddr): GuestEntry {
    return guestEntry(this.low(address), this.wide ? this.high(address) : 0);
  }

  /** The guest's own store. */
  store(address: Paddr, value: GuestEntry): void {
    this.put(address >>> 2, value.low);
    if (this.wide) this.put((address >>> 2) + 1, value.high);
  }

  /** The hypervisor's store into the lower half of an entry. `high`: the upper half, as it is. */
  writeBack(address: Paddr, low: number, high: number): void {
    const offset = address >>> 2;
    if (this.words[offset] === low) return;
    this.put(offset, low);
    this.changes.push({ paddr: address, value: guestEntry(low, high) });
  }

  /** The entries that `writeBack` changed since the last call, in order. */
  takeChanges(): readonly EntryChange[] {
    if (this.changes.length === 0) return NO_CHANGES;
    const taken = this.changes;
    this.changes = [];
    return taken;
  }

  /** Visits the address of every entry that ever became nonzero since `reset`. An address may be visited more than once. */
  forEachWritten(visit: (address: Paddr) => void): void {
    const align = this.wide ? ~1 : ~0;
    for (let i = 0; i < this.writtenCount; i++) visit(paddr((this.written[i] & align) * 4));
  }

  private put(offset: number, word: number): void {
    if (this.words[offset] === 0 && word !== 0) this.remember(offset);
    this.words[offset] = word;
  }

  private remember(offset: number): void {
    if (this.writtenCount === this.written.length) {
      const longer = new Uint32Array(this.written.length * 2);
      longer.set(this.written);
      this.written = longer;
    }
    this.written[this.writtenCount++] = offset;
  }
}
