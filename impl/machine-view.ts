/** What invariants may inspect of this machine; see `ShadowView`. Everything is read from the tables that the CPU uses. */

import type { LeafTarget, Paddr, ShadowLeaf, ShadowTable, ShadowView, Slot, Vaddr } from '../model/vocabulary/index.js';
import { SLOTS, slot, vaddr } from '../model/vocabulary/index.js';
import type { GuestState } from './guest-state.js';
import type { HostMemory } from './host-memory.js';
import { HostBug } from './host-memory.js';
import type { PgdirCache } from './pgdir-cache.js';
import {
  EMPTY,
  GUEST_FRAME,
  NO_FRAME,
  PRESENT,
  SWITCHER_REGISTERS_FRAME,
  SWITCHER_STATE_FRAME,
  SWITCHER_TEXT_FRAME,
  USER,
  WRITABLE,
  frameOf,
} from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';

type Draft<Type> = { -readonly [Field in keyof Type]: Type[Field] };

export class MachineView implements ShadowView {
  private readonly guest: GuestState;
  private readonly host: HostMemory;
  private readonly tables: ShadowTables;
  private readonly cache: PgdirCache;
  /** The leaf shown by `leafAt` and by the visits of all leaves. Valid until the next of these calls. */
  private readonly leaf = emptyLeaf();
  /** The leaves that the last step wrote; the first `writtenCount` are valid while `entryVersion` is `writtenVersion`. */
  private readonly written: Draft<ShadowLeaf>[] = [];
  private writtenCount = 0;
  private writtenVersion = -1;
  /** The table shown by `forEachTable`. Valid during the visit. */
  private readonly table: Draft<ShadowTable> = {
    slot: slot(0),
    frame: NO_FRAME,
    depth: 0,
    vaddr: vaddr(0),
    allocated: false,
  };

  constructor(parts: { guest: GuestState; host: HostMemory; tables: ShadowTables; cache: PgdirCache }) {
    this.guest = parts.guest;
    this.host = parts.host;
    this.tables = parts.tables;
    this.cache = parts.cache;
  }

  get currentSlot(): Slot {
    return this.guest.current;
  }

  get shadowVersion(): number {
    return this.host.entryVersion;
  }

  get tableVersion(): number {
    return this.host.tableVersion;
  }

  get allocatedTables(): number {
    return this.host.tableCount;
  }

  hasRoot(slot: Slot): boolean {
    return this.cache.hasRoot(slot);
  }

  guestRoot(slot: Slot): Paddr | undefined {
    return this.cache.shadows(slot) ? this.cache.guestRoot(slot) : undefined;
  }

  leafCountIn(slot: Slot, from: number, to: number): number {
    const root = this.tables.roots[slot];
    return root === NO_FRAME || from >= to ? 0 : this.countLeaves(root, 0, 0, from, to);
  }

  leafAt(slot: Slot, address: Vaddr): ShadowLeaf | undefined {
    return this.findLeaf(this.leaf, slot, address) ? this.leaf : undefined;
  }

  forEachLeaf(slot: Slot, visit: (leaf: ShadowLeaf) => void): void {
    this.forEachLeafFrom(slot, vaddr(0), visit);
  }

  forEachLeafFrom(slot: Slot, from: Vaddr, visit: (leaf: ShadowLeaf) => void): void {
    const root = this.tables.roots[slot];
    if (root !== NO_FRAME) this.visitLeaves(slot, root, 0, 0, 0, from, visit);
  }

  forEachWrittenLeaf(visit: (leaf: ShadowLeaf) => void): void {
    if (this.tables.writtenCount === 0) return;
    if (this.writtenVersion !== this.host.entryVersion) this.findWrittenLeaves();
    for (let i = 0; i < this.writtenCount; i++) visit(this.written[i]);
  }

  forEachTable(visit: (table: ShadowTable) => void): void {
    for (let index = 0; index < SLOTS; index++) {
      const root = this.tables.roots[index];
      if (root !== NO_FRAME) this.visitTables(slot(index), root, 0, 0, visit);
    }
  }

  private findWrittenLeaves(): void {
    const { tables, written } = this;
    const installed = Math.min(tables.writtenCount, tables.writtenSlots.length);
    let count = 0;
    for (let i = 0; i < installed; i++) {
      const leaf = (written[count] ??= emptyLeaf());
      if (this.findLeaf(leaf, slot(tables.writtenSlots[i]), vaddr(tables.writtenAddresses[i]))) count++;
    }
    this.writtenCount = count;
    this.writtenVersion = this.host.entryVersion;
  }

  /** Describes the present leaf that maps an address in a slot; false if there is none. */
  private findLeaf(leaf: Draft<ShadowLeaf>, slot: Slot, address: Vaddr): boolean {
    if (!this.hasRoot(slot)) return false;
    const word = this.leafWord(slot, address);
    if ((word & PRESENT) === 0) return false;
    this.describeLeaf(leaf, slot, (address & ~0xfff) >>> 0, this.host.words[this.tables.upperOffset], word);
    return true;
  }

  /** `EMPTY` if the slot has no leaf table there. A linked table that was freed does not count; invariants report it. */
  private leafWord(slot: Slot, address: Vaddr): number {
    try {
      return this.tables.findTable(slot, address) ? this.host.words[this.tables.leafOffset] : EMPTY;
    } catch (error) {
      if (error instanceof HostBug) return EMPTY;
      throw error;
    }
  }

  private visitLeaves(
    slot: Slot,
    frame: number,
    depth: number,
    base: number,
    upper: number,
    from: number,
    visit: (leaf: ShadowLeaf) => void,
  ): void {
    if (!this.host.isAllocated(frame)) return;
    const reach = this.tables.reach[depth];
    const isLeaf = depth === this.tables.leafDepth;
    const first = Math.max((from - base) / reach, 0);
    for (
      let index = this.host.nextPopulated(frame, isLeaf ? Math.ceil(first) : Math.floor(first));
      index < 1024;
      index = this.host.nextPopulated(frame, index + 1)
    ) {
      const word = this.host.words[this.host.offsetOf(frame, index)];
      if ((word & PRESENT) === 0) continue;
      const start = base + index * reach;
      if (isLeaf) visit(this.describeLeaf(this.leaf, slot, start, upper, word));
      else this.visitLeaves(slot, frameOf(word), depth + 1, start, word, from, visit);
    }
  }

  private countLeaves(frame: number, depth: number, base: number, from: number, to: number): number {
    if (!this.host.isAllocated(frame)) return 0;
    const isLeaf = depth === this.tables.leafDepth;
    const reach = this.tables.reach[depth];
    const first = Math.max((from - base) / reach, 0);
    const end = Math.min(Math.ceil((to - base) / reach), 1024);
    let count = 0;
    for (
      let index = this.host.nextPopulated(frame, isLeaf ? Math.ceil(first) : Math.floor(first));
      index < end;
      index = this.host.nextPopulated(frame, index + 1)
    ) {
      const word = this.host.words[this.host.offsetOf(frame, index)];
      if ((word & PRESENT) === 0) continue;
      count += isLeaf ? 1 : this.countLeaves(frameOf(word), depth + 1, base + index * reach, from, to);
    }
    return count;
  }

  private visitTables(
    slot: Slot,
    frame: number,
    depth: number,
    base: number,
    visit: (table: ShadowTable) => void,
  ): void {
    const allocated = this.host.isAllocated(frame);
    this.table.slot = slot;
    this.table.frame = frame;
    this.table.depth = depth;
    this.table.vaddr = vaddr(base);
    this.table.allocated = allocated;
    visit(this.table);
    if (!allocated || depth === this.tables.leafDepth) return;
    const reach = this.tables.reach[depth];
    for (
      let index = this.host.nextPopulated(frame, 0);
      index < 1024;
      index = this.host.nextPopulated(frame, index + 1)
    ) {
      const word = this.host.words[this.host.offsetOf(frame, index)];
      if ((word & PRESENT) !== 0) this.visitTables(slot, frameOf(word), depth + 1, base + index * reach, visit);
    }
  }

  private describeLeaf(leaf: Draft<ShadowLeaf>, slot: Slot, address: number, upper: number, word: number): ShadowLeaf {
    leaf.slot = slot;
    leaf.vaddr = vaddr(address);
    leaf.writable = (word & WRITABLE) !== 0;
    leaf.user = (word & USER) !== 0;
    leaf.upperWritable = (upper & WRITABLE) !== 0;
    leaf.upperUser = (upper & USER) !== 0;
    leaf.target = this.targetOf(frameOf(word));
    leaf.page = this.pageOf(leaf.target, frameOf(word));
    return leaf;
  }

  private targetOf(frame: number): LeafTarget {
    if (frame >= GUEST_FRAME && frame < GUEST_FRAME + this.guest.guestPages) return 'ram';
    if (frame === SWITCHER_TEXT_FRAME) return 'switcher-text';
    if (frame === SWITCHER_REGISTERS_FRAME) return 'switcher-registers';
    const cpu = frame - SWITCHER_STATE_FRAME;
    return cpu >= 0 && cpu < this.guest.hostCpus ? 'switcher-state' : 'stray';
  }

  private pageOf(target: LeafTarget, frame: number): number {
    if (target === 'ram') return frame - GUEST_FRAME;
    if (target === 'switcher-state') return frame - SWITCHER_STATE_FRAME;
    return target === 'stray' ? frame : 0;
  }
}

const emptyLeaf = (): Draft<ShadowLeaf> => ({
  slot: slot(0),
  vaddr: vaddr(0),
  target: 'stray',
  page: 0,
  writable: false,
  user: false,
  upperWritable: false,
  upperUser: false,
});
