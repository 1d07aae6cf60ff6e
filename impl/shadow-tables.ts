/**
 * The shadow tables of the four slots (`spgd_addr`, `find_spte`, `release_pgd`).
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
 * Depth 0 is the root, and the deepest table holds the leaves. The entry that names a leaf table is the "upper entry": it has
 * rights of its own, which the CPU combines with the leaf's.
 */

import type { Killed, Slot, StateSink, Vaddr } from '../model/vocabulary/index.js';
import { KILL, SLOTS } from '../model/vocabulary/index.js';
import { FACT } from './facts.js';
import { GUEST_FRAME, NO_FRAME, SWITCHER_STATE_FRAME, SWITCHER_TEXT_FRAME, TABLE_FRAME } from './frames.js';
import type { GuestState } from './guest-state.js';
import type { HostMemory } from './host-memory.js';
import { TABLE_WORDS } from './host-memory.js';
import type { PageReferences } from './page-references.js';
import { PRESENT, flagsOf, frameOf, packed } from './shadow-entry.js';

const WRITTEN_KEPT = 1024;

export class ShadowTables {
  /** Root page of each slot, or `NO_FRAME`. */
  readonly roots = new Int32Array(SLOTS);
  /** Where `findTable` found the upper entry. */
  upperOffset = 0;
  /** Where the leaf lies, in the table that the upper entry names. */
  leafOffset = 0;

  /** Leaves installed in this step, as slot and address, for whoever looks inside. */
  readonly writtenSlots = new Uint8Array(WRITTEN_KEPT);
  readonly writtenAddresses = new Uint32Array(WRITTEN_KEPT);
  writtenCount = 0;

  private readonly guest: GuestState;
  private readonly host: HostMemory;
  private readonly references: PageReferences;
  private leafDepth = 1;
  /** Bits of an index into a table below the root, and the largest such index. */
  private indexBits = 10;
  private lastIndex = 0x3ff;
  private readonly reach = [0, 0, 0];
  /** By depth, the entries of the table that is being emptied. */
  private readonly drained = [0, 1, 2].map(() => new Uint32Array(TABLE_WORDS));

  constructor(guest: GuestState, host: HostMemory, references: PageReferences) {
    this.guest = guest;
    this.host = host;
    this.references = references;
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

  /** Depth of the tables that hold leaves. */
  get depthOfLeaves(): number {
    return this.leafDepth;
  }

  /** Bytes that one entry of a table at this depth translates. */
  reachOf(depth: number): number {
    return this.reach[depth];
  }

  /**
   * Finds the upper entry for an address and leaves where it lies, and where the leaf does, in `upperOffset` and
   * `leafOffset`. False when the slot has no leaf table there.
   */
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
   * Finds the upper entry like `findTable`, and makes what is missing of the tables, the upper entry with the rights given.
   * False, and the guest is killed, when the host has no memory.
   */
  makeTable(slot: Slot, address: Vaddr, rights: number): boolean {
    return this.findTable(slot, address) || this.linkTables(slot, address, rights);
  }

  /** Gives the upper entry that `findTable` found the guest's rights (machine.md 3, demand 6). */
  refreshUpper(rights: number): void {
    const word = this.host.words[this.upperOffset];
    const fresh = packed(frameOf(word), PRESENT | rights);
    if (fresh !== word) this.host.write(this.upperOffset, fresh);
  }

  /** Installs a leaf and notes it; whoever calls holds the reference. */
  install(slot: Slot, address: Vaddr, offset: number, word: number): void {
    this.host.write(offset, word);
    const place = this.writtenCount % WRITTEN_KEPT;
    this.writtenSlots[place] = slot;
    this.writtenAddresses[place] = address;
    this.writtenCount++;
  }

  /** Drops the reference of a leaf and clears it. */
  release(offset: number): void {
    const word = this.host.words[offset];
    if (word === 0) return;
    this.host.write(offset, 0);
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

  /** Gives a slot's root page back, when it has one. */
  freeRoot(slot: Slot): void {
    const root = this.roots[slot];
    if (root === NO_FRAME) return;
    this.roots[slot] = NO_FRAME;
    this.host.free(root);
  }

  /** Every mapping of a slot below an address goes (machine.md 3, flush user half). */
  releaseBelow(slot: Slot, limit: Vaddr): void {
    this.releaseTableBelow(this.roots[slot], 0, 0, limit);
  }

  /** A table that straddles the limit stays, and loses what lies below it. */
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

  releaseStraddling(offset: number, depth: number, start: number, limit: Vaddr): void {
    this.releaseTableBelow(frameOf(this.host.words[offset]), depth + 1, start, limit);
  }

  releaseEntry(offset: number, depth: number): void {
    if (depth === this.leafDepth) {
      this.release(offset);
      return;
    }
    const word = this.host.words[offset];
    if (word === 0) return;
    this.host.write(offset, 0);
    this.releaseTable(word, depth + 1);
  }

  /** Releases every leaf of a table at once. */
  releaseLeaves(frame: number): void {
    const drained = this.drained[this.leafDepth];
    const count = this.host.drain(frame, drained);
    for (let i = 0; i < count; i++) this.dropReference(drained[i]);
  }

  /** Every entry under a slot's root, upper and leaf. */
  tellState(slot: Slot, sink: StateSink): void {
    this.tellTable(slot, this.roots[slot], 0, 0, sink);
  }

  private tellTable(slot: Slot, frame: number, depth: number, base: number, sink: StateSink): void {
    // A table that was freed and is still linked is for an invariant to notice.
    if (!this.host.isAllocated(frame)) return;
    for (
      let index = this.host.nextPopulated(frame, 0);
      index < 1024;
      index = this.host.nextPopulated(frame, index + 1)
    ) {
      const word = this.host.words[this.host.offsetOf(frame, index)];
      const start = base + index * this.reach[depth];
      if (depth === this.leafDepth) this.tellLeaf(slot, start, word, sink);
      else {
        sink.slotFact(FACT.table, slot);
        sink.number(start);
        sink.number(depth);
        sink.number(flagsOf(word));
        this.tellTable(slot, frameOf(word), depth + 1, start, sink);
      }
    }
  }

  /** In the Switcher's window the address says whose page it is, as the frame does. */
  private tellLeaf(slot: Slot, address: number, word: number, sink: StateSink): void {
    const frame = frameOf(word);
    const behindText = address - this.guest.sizes.switcherAddress - 4096;
    sink.slotFact(FACT.leaf, slot);
    sink.number(flagsOf(word));
    if (behindText < 0) sink.number(address);
    else {
      sink.cpu(behindText >>> 13);
      sink.number(behindText & 4096);
    }
    if (frame < SWITCHER_TEXT_FRAME) sink.page(frame - GUEST_FRAME);
    else if (frame >= SWITCHER_STATE_FRAME && frame < TABLE_FRAME) sink.cpu(frame - SWITCHER_STATE_FRAME);
    else sink.number(frame);
  }

  /** The table that an entry named goes, with all under it. */
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
