/** The hypercalls about page tables (machine.md 3). The guest is alive, and initialized for all but `init`. */

import type { FlushScope, GuestEntry, Paddr, Slot, Vaddr } from '../model/vocabulary/index.js';
import { KILL, SLOTS, slot } from '../model/vocabulary/index.js';
import type { GuestState } from './guest-state.js';
import type { GuestWalk } from './guest-walk.js';
import type { LeafMaker } from './leaf-maker.js';
import type { PgdirCache } from './pgdir-cache.js';
import { ACCESSED, EMPTY, PRESENT } from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';
import { signed } from './shadow-tables.js';
import type { Stack } from './stack.js';
import type { Switcher } from './switcher.js';

export class PagingCalls {
  private readonly guest: GuestState;
  private readonly tables: ShadowTables;
  private readonly cache: PgdirCache;
  private readonly switcher: Switcher;
  private readonly stack: Stack;
  private readonly walk: GuestWalk;
  private readonly maker: LeafMaker;

  constructor(parts: {
    guest: GuestState;
    tables: ShadowTables;
    cache: PgdirCache;
    switcher: Switcher;
    stack: Stack;
    walk: GuestWalk;
    maker: LeafMaker;
  }) {
    this.guest = parts.guest;
    this.tables = parts.tables;
    this.cache = parts.cache;
    this.switcher = parts.switcher;
    this.stack = parts.stack;
    this.walk = parts.walk;
    this.maker = parts.maker;
  }

  init(kernelAddress: Vaddr): void {
    if (this.guest.initialized) return this.guest.kill(KILL.alreadyInitialized);
    this.guest.initialized = true;
    this.guest.kernelAddress = kernelAddress;
    if (kernelAddress >= this.guest.sizes.switcherAddress) return this.guest.kill(KILL.badKernelAddress(kernelAddress));
    this.clearAll();
  }

  newPgtable(root: Paddr, draw: number): void {
    const known = this.guest.linear ? undefined : this.cache.find(root);
    if (this.guest.linear) this.leaveLinearMode();
    this.guest.current = known ?? this.cache.choose(root, draw);
    if (known === undefined && this.cache.blank) this.stack.pin();
    this.ensureSwitcher();
  }

  flushTlb(scope: FlushScope): void {
    if (scope === 'all') this.clearAll();
    else this.tables.releaseBelow(this.guest.current, this.guest.kernelAddress);
  }

  /** The hypervisor does not know which slots use a middle table, so all of them are cleared. */
  setPmd(): void {
    if (this.guest.pae) this.clearAll();
    else this.guest.kill(KILL.badHypercall('set-pmd'));
  }

  setPte(root: Paddr, address: Vaddr, pte: GuestEntry): void {
    if (address >= this.guest.sizes.switcherAddress) return this.guest.kill(KILL.setPteInSwitcher);
    if (this.ignoresSetPte()) return;
    if (address >= this.guest.kernelAddress) return this.broadcast(signed(address), pte);
    const target = this.cache.find(root);
    if (target !== undefined) this.setLeaf(target, signed(address), pte);
  }

  /** In linear mode every address maps to itself, whatever the guest announces. */
  ignoresSetPte(): boolean {
    return this.guest.linear;
  }

  /** Every root has the same kernel half (`guest_set_pte`). */
  broadcast(address: Vaddr, pte: GuestEntry): void {
    for (let index = 0; index < SLOTS; index++) {
      if (this.cache.hasRoot(slot(index))) this.setLeaf(slot(index), address, pte);
    }
  }

  setLeaf(target: Slot, address: Vaddr, pte: GuestEntry): void {
    if (!this.tables.findTable(target, address)) return;
    const offset = this.tables.leafOffset;
    this.tables.release(offset);
    if (!this.worthInstalling(pte)) return;
    const place = this.walk.placeOf(pte.low, pte.high);
    if (place === 'device') return;
    if (place === 'bad') return this.guest.kill(KILL.badTableEntry);
    const leaf = this.leafFor(pte);
    if (leaf !== EMPTY) this.tables.install(target, address, offset, leaf);
  }

  /** Entries with A set are installed now; the others wait for the fault that sets A. */
  worthInstalling(pte: GuestEntry): boolean {
    return this.isPresent(pte) && this.wasUsed(pte);
  }

  isPresent(pte: GuestEntry): boolean {
    return (pte.low & PRESENT) !== 0;
  }

  wasUsed(pte: GuestEntry): boolean {
    return (pte.low & ACCESSED) !== 0;
  }

  /** `EMPTY`, and the guest is killed, if the page cannot be taken. */
  leafFor(pte: GuestEntry): number {
    return this.maker.make(pte.low);
  }

  setPgd(root: Paddr, index: number): void {
    const { rootEntries } = this.guest.sizes;
    if (this.isPastRoot(index)) return this.guest.kill(KILL.badPgdIndex(index, rootEntries));
    const target = this.cache.find(root);
    if (target === undefined) return;
    this.tables.releaseRootEntry(target, index);
    this.restoreSwitcher(target, index);
  }

  isPastRoot(index: number): boolean {
    return index >= this.guest.sizes.rootEntries;
  }

  /** A slot that lost its Switcher gets it back now if it is current, else at the next switch to it. */
  restoreSwitcher(target: Slot, index: number): void {
    if (this.holdsSwitcher(index)) this.switcher.forget(target);
    this.ensureSwitcher();
  }

  holdsSwitcher(index: number): boolean {
    return index === this.guest.sizes.rootEntries - 1;
  }

  clearAll(): void {
    this.releaseAll();
    this.repopulate();
  }

  /** Maps again what the guest cannot run without (`guest_pagetable_clear_all`). */
  repopulate(): void {
    this.stack.pin();
    this.ensureSwitcher();
  }

  /** Releases the tables of every slot; root pages stay (`release_all_pagetables`). */
  releaseAll(): void {
    for (let index = 0; index < SLOTS; index++) {
      const each = slot(index);
      if (!this.cache.hasRoot(each)) continue;
      this.tables.releaseTables(each);
      this.switcher.forget(each);
    }
  }

  ensureSwitcher(): void {
    const { current } = this.guest;
    if (!this.switcher.isMapped(current)) this.switcher.map(current);
  }

  private leaveLinearMode(): void {
    this.releaseAll();
    this.guest.linear = false;
  }
}
