/**
 * The shadow tables of the four slots (`spgd_addr`, `find_spte`, `release_pgd`), and the lookup that the CPU does in them.
 *
 *     2-level      31        22 21        12 11         0
 *                 ┌────────────┬────────────┬────────────┐
 *                 │ root       │ leaf table │ offset     │
 *                 └────────────┴────────────┴────────────┘
 *     PAE      31 30 29      21 20        12 11         0
 *             ┌─────┬──────────┬────────────┬────────────┐
 *             │root │ middle   │ leaf table │ offset     │
 *             └─────┴──────────┴────────────┴────────────┘
 *
 * Depth 0 is the root; the deepest tables hold the leaves. The entry that names a leaf table is the "upper entry". The CPU
 * grants a right only if both the upper entry and the leaf have it, and trusts both: no wrong word may enter a table.
 */

import type { Killed, Paddr, Slot, Vaddr } from '../model/vocabulary/index.js';
import { KILL, SLOTS, paddr } from '../model/vocabulary/index.js';
import type { GuestState } from './guest-state.js';
import type { HostMemory } from './host-memory.js';
import { TABLE_WORDS } from './host-memory.js';
import type { PageReferences } from './page-references.js';
import { EMPTY, GUEST_FRAME, NO_FRAME, PRESENT, frameOf, packed } from './shadow-entry.js';

const WRITTEN_KEPT = 1024;

/**
 * The same 32 bits as a signed number, which V8 passes without allocating (an address from 2³¹ up would become an object at
 * every call). Shifts and masks give the same result; comparisons do not.
 */
export const signed = (address: Vaddr): Vaddr => (address | 0) as Vaddr;

export class ShadowTables {
  /** Root page of each slot, or `NO_FRAME`. */
  readonly roots = new Int32Array(SLOTS);
  /** Depth of the tables that hold leaves. */
  leafDepth = 1;
  /** By depth, the bytes that one entry of a table translates. */
  readonly reach = [0, 0, 0];

  /**
   * Offsets in `HostMemory.words` of the upper entry and the leaf that the last lookup found. Valid after `findTable`,
   * `makeTable` or `translates` found a leaf table, until the next of these calls or until that table is released.
   */
  upperOffset = 0;
  leafOffset = 0;

  /** Slot and address of each leaf installed in this step. After more than 1024, the latest replace the earliest. */
  readonly writtenSlots = new Uint8Array(WRITTEN_KEPT);
  readonly writtenAddresses = new Uint32Array(WRITTEN_KEPT);
  writtenCount = 0;

  private readonly guest: GuestState;
  private readonly host: HostMemory;
  private readonly references: PageReferences;
  /** Bits of an index into a table below the root, and the largest such index. */
  private indexBits = 10;
  private lastIndex = 0x3ff;
  /** By depth, the entries of the table that is being emptied. Valid while it is. */
  private readonly drained = [0, 1, 2].map(() => new Uint32Array(TABLE_WORDS));

  constructor(parts: { guest: GuestState; host: HostMemory; references: PageReferences }) {
    this.guest = parts.guest;
    this.host = parts.host;
    this.references = parts.references;
  }

  reset(): void {
    this.roots.fill(NO_FRAME);
    this.writtenCount = 0;
    const { tableLevels, rootEntryReach, leafTableReach } = this.guest.sizes;
    this.leafDepth = tableLevels;
    this.indexBits = this.guest.pae ? 9 : 10;
    this.lastIndex = this.guest.pae ? 0x1ff : 0x3ff;
    this.reach[0] = rootEntryReach;
    this.reach[1] = this.guest.pae ? leafTableReach : 4096;
    this.reach[2] = 4096;
  }

  /** Whether the shadow maps the address with all of `rights` (`WRITABLE`, `USER`). */
  translates(slot: Slot, address: Vaddr, rights: number): boolean {
    return this.findTable(slot, address) && this.permits(rights);
  }

  /** The same for the address that was looked up last. */
  permits(rights: number): boolean {
    const { words } = this.host;
    const needed = rights | PRESENT;
    return (words[this.upperOffset] & words[this.leafOffset] & needed) === needed;
  }

  /** The guest-physical address that the leaf found last gives an address. */
  physical(address: Vaddr): Paddr {
    const leaf = this.host.words[this.leafOffset];
    return paddr(((frameOf(leaf) - GUEST_FRAME) << 12) | (address & 0xfff));
  }

  /** Sets `upperOffset` and `leafOffset` for an address. False if the slot has no leaf table there. */
  findTable(slot: Slot, address: Vaddr): boolean {
    const { host, lastIndex } = this;
    const { words } = host;
    let table = host.baseOf(this.roots[slot]);
    if (this.leafDepth === 2) {
      const top = words[table + (address >>> 30)];
      if ((top & PRESENT) === 0) return false;
      table = host.baseOf(frameOf(top));
    }
    const offset = table + ((address >>> (12 + this.indexBits)) & lastIndex);
    const upper = words[offset];
    if ((upper & PRESENT) === 0) return false;
    this.upperOffset = offset;
    this.leafOffset = host.baseOf(frameOf(upper)) + ((address >>> 12) & lastIndex);
    return true;
  }

  /**
   * Like `findTable`, but makes the tables that are missing, with `rights` in a new upper entry. Returns false and kills the
   * guest if the host has no memory.
   */
  makeTable(slot: Slot, address: Vaddr, rights: number): boolean {
    return this.findTable(slot, address) || this.linkTables(slot, address, rights);
  }

  /** Sets the rights of the upper entry found last (machine.md 3, demand 6). */
  refreshUpper(rights: number): void {
    const word = this.host.words[this.upperOffset];
    const fresh = packed(frameOf(word), PRESENT | rights);
    if (fresh !== word) this.host.write(this.upperOffset, fresh);
  }

  /** Installs a leaf and records it as written. The caller has taken the reference. */
  install(slot: Slot, address: Vaddr, offset: number, word: number): void {
    this.host.write(offset, word);
    const place = this.writtenCount % WRITTEN_KEPT;
    this.writtenSlots[place] = slot;
    this.writtenAddresses[place] = address;
    this.writtenCount++;
  }

  /** Clears a leaf and drops its reference. */
  release(offset: number): void {
    const word = this.host.words[offset];
    if (word === EMPTY) return;
    this.host.write(offset, EMPTY);
    this.dropReference(word);
  }

  /** A present leaf holds one reference on the page it maps (`release_pte`). */
  dropReference(word: number): void {
    if ((word & PRESENT) !== 0) this.references.drop(frameOf(word));
  }

  /** Releases everything under an entry of a slot's root (`release_pgd`). */
  releaseRootEntry(slot: Slot, index: number): void {
    this.releaseEntry(this.host.offsetOf(this.roots[slot], index), 0);
  }

  /** Releases all tables of a slot; its root page stays. */
  releaseTables(slot: Slot): void {
    this.emptyTable(this.roots[slot], 0);
  }

  /** Frees a slot's root page, if it has one. */
  freeRoot(slot: Slot): void {
    const root = this.roots[slot];
    if (root === NO_FRAME) return;
    this.roots[slot] = NO_FRAME;
    this.host.free(root);
  }

  /**
   * Releases every mapping of a slot below an address, and the tables that lie wholly below it. A leaf goes if its page begins
   * below the address (machine.md 3, flush user half).
   */
  releaseBelow(slot: Slot, limit: Vaddr): void {
    this.releaseTableBelow(this.roots[slot], 0, 0, limit);
  }

  releaseTableBelow(frame: number, depth: number, base: number, limit: Vaddr): void {
    const reach = this.reach[depth];
    const end = Math.ceil((limit - base) / reach);
    for (
      let index = this.host.nextPopulated(frame, 0);
      index < end;
      index = this.host.nextPopulated(frame, index + 1)
    ) {
      const offset = this.host.offsetOf(frame, index);
      const start = base + index * reach;
      if (depth === this.leafDepth || start + reach <= limit) this.releaseEntry(offset, depth);
      else this.releaseStraddling(offset, depth, start, limit);
    }
  }

  /** A table that straddles the limit stays, and loses its entries below the limit. */
  releaseStraddling(offset: number, depth: number, start: number, limit: Vaddr): void {
    this.releaseTableBelow(frameOf(this.host.words[offset]), depth + 1, start, limit);
  }

  releaseEntry(offset: number, depth: number): void {
    if (depth === this.leafDepth) {
      this.release(offset);
      return;
    }
    const word = this.host.words[offset];
    if (word === EMPTY) return;
    this.host.write(offset, EMPTY);
    this.releaseTable(word, depth + 1);
  }

  /** Releases every leaf of a table. */
  releaseLeaves(frame: number): void {
    const drained = this.drained[this.leafDepth];
    const count = this.host.drain(frame, drained);
    for (let i = 0; i < count; i++) this.dropReference(drained[i]);
  }

  /** Releases everything in the table that an entry named, and frees it. */
  private releaseTable(word: number, depth: number): void {
    this.emptyTable(frameOf(word), depth);
    this.host.free(frameOf(word));
  }

  private emptyTable(frame: number, depth: number): void {
    if (depth === this.leafDepth) {
      this.releaseLeaves(frame);
      return;
    }
    const drained = this.drained[depth];
    const count = this.host.drain(frame, drained);
    for (let i = 0; i < count; i++) this.releaseTable(drained[i], depth + 1);
  }

  private linkTables(slot: Slot, address: Vaddr, rights: number): boolean {
    const { host } = this;
    const root = host.baseOf(this.roots[slot]);
    if (!this.guest.pae)
      return this.link(root + (address >>> 22), rights, KILL.noPteTable) && this.findTable(slot, address);
    const top = root + (address >>> 30);
    if (!this.link(top, 0, KILL.noPteTable)) return false;
    const middle = host.baseOf(frameOf(host.words[top])) + ((address >>> 21) & 0x1ff);
    return this.link(middle, rights, KILL.noPmdTable) && this.findTable(slot, address);
  }

  private link(offset: number, rights: number, kill: Killed): boolean {
    if ((this.host.words[offset] & PRESENT) !== 0) return true;
    const table = this.host.allocate();
    if (table === NO_FRAME) {
      this.guest.kill(kill);
      return false;
    }
    this.host.write(offset, packed(table, PRESENT | rights));
    return true;
  }
}
