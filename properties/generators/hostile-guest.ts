/**
 * A hostile program in the making: the pool that it draws from, and the steps so far. One method a kind of step; each fills
 * in what it is not told from the pool.
 */

import type { AccessKind, AccessMode, FlushScope, GuestEntry, Protection, Step } from '../../model/vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, PAGE_BYTES, guestEntry, paddr, vaddr } from '../../model/vocabulary/index.js';
import { P } from '../entry-bits.js';
import type { Draw } from './draw.js';
import { FIRST_FLAGS, KERNEL_FULL, LEAF_FLAGS, TOP_FLAGS, UPPER_FLAGS } from './entry-flags.js';
import type { Geometry } from './geometry.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';
import type { Pool } from './pool.js';

/** The last page of the physical address space. */
const LARGEST_PAGE = ADDRESS_SPACE_BYTES - PAGE_BYTES;

/** Mostly `write`, so that what a step took away comes back. */
const PROTECTIONS: readonly Protection[] = ['none', 'read', 'write', 'write'];

export class HostileGuest {
  readonly draw: Draw;
  readonly pool: Pool;
  readonly geometry: Geometry;
  readonly steps: Step[] = [];
  /** The root of the last switch, if there was one, and the host CPU of the last migration. */
  currentRoot: number | undefined = undefined;
  cpu = 0;

  constructor(draw: Draw, pool: Pool) {
    this.draw = draw;
    this.pool = pool;
    this.geometry = pool.geometry;
  }

  // Choices from the pool.

  root(): number {
    return this.draw.pick(this.pool.roots);
  }

  region(): number {
    return this.draw.pick(this.pool.regions);
  }

  /** The number of a root entry: mostly one in use, at times the last one, under which the Switcher lies. */
  top(): number {
    return this.draw.bits(2) === 0 ? this.geometry.rootEntries - 1 : this.draw.pick(this.pool.tops);
  }

  /** The first address of a page that no RAM has. */
  outsideRam(): number {
    return this.draw.pick([this.pool.machine.guestPages * PAGE_BYTES, LARGEST_PAGE, 0x80000000]);
  }

  /** The first address of a page of the pool. */
  page(): number {
    return addressOf(this.geometry, this.region(), this.draw.pick(this.pool.slots));
  }

  /** An address within a page of the pool. */
  address(): number {
    const bits = this.draw.word();
    const { regions, slots, stackSlot } = this.pool;
    const region = regions[((bits & 0xff) * regions.length) >> 8] ?? 0;
    const slot = (bits & 0xf00) === 0 ? stackSlot : slots[(((bits >>> 12) & 0xff) * slots.length) >> 8];
    return (addressOf(this.geometry, region, slot ?? 0) | (bits >>> 20)) >>> 0;
  }

  /** An entry that points at a page, whose flags are one of the given. What is not present may hold anything above them. */
  entry(page: number, choices: readonly number[]): GuestEntry {
    const flags = this.draw.pick(choices);
    const low = page * PAGE_BYTES + flags;
    if ((flags & P) !== 0 || this.geometry.paging === '2-level') return guestEntry(low);
    return guestEntry(low, this.draw.word());
  }

  /** A leaf: mostly of RAM, at times of a device. */
  leaf(): GuestEntry {
    const { machine, data } = this.pool;
    const device = machine.devicePages > 0 && this.draw.bits(4) === 0;
    const page = device ? machine.guestPages + this.draw.below(machine.devicePages) : this.draw.pick(data);
    return this.entry(page, LEAF_FLAGS);
  }

  // Steps.

  store(address: number, value: GuestEntry): void {
    this.steps.push({ op: 'store', paddr: paddr(address), value });
  }

  storeLeaf(value: GuestEntry): void {
    this.store(entryAddress(this.geometry, this.draw.pick(this.pool.leaves), this.draw.pick(this.pool.slots)), value);
  }

  /** A root entry: PGD in 2-level, top entry in PAE. */
  storeTop(root: number, region: number, flags = UPPER_FLAGS): void {
    const { geometry, pool } = this;
    const value =
      geometry.paging === 'pae'
        ? this.entry(this.draw.pick(pool.middles), TOP_FLAGS)
        : this.entry(this.draw.pick(pool.leaves), flags);
    this.store(root + topOf(geometry, region) * geometry.entryBytes, value);
  }

  /** An entry of a middle table; PAE only. */
  storeMiddle(page: number, region: number, flags = UPPER_FLAGS): void {
    const value = this.entry(this.draw.pick(this.pool.leaves), flags);
    this.store(entryAddress(this.geometry, page, middleOf(this.geometry, region)), value);
  }

  init(kernelAddress: number): void {
    this.steps.push({ op: 'init', kernelAddress: vaddr(kernelAddress) });
  }

  newPgtable(root: number): void {
    this.currentRoot = root;
    this.steps.push({ op: 'new-pgtable', root: paddr(root), draw: this.draw.unsigned() });
  }

  flush(scope: FlushScope): void {
    this.steps.push({ op: 'flush-tlb', scope });
  }

  setStack(esp: number, pages: number): void {
    this.steps.push({ op: 'set-stack', esp: vaddr(esp), pages });
  }

  /** A stack whose first page every leaf table of the pool maps for the kernel. */
  setPoolStack(pages: number): void {
    const page = addressOf(this.geometry, this.pool.stackRegion, this.pool.stackSlot);
    this.setStack(page + (this.draw.bits(1) === 0 ? PAGE_BYTES : this.draw.between(1, PAGE_BYTES)), pages);
  }

  setPte(root: number, address: number, pte: GuestEntry): void {
    this.steps.push({ op: 'set-pte', root: paddr(root), vaddr: vaddr(address), pte });
  }

  setPgd(root: number, index: number): void {
    this.steps.push({ op: 'set-pgd', root: paddr(root), index });
  }

  setPmd(page: number, index: number): void {
    this.steps.push({ op: 'set-pmd', pmd: paddr(page * PAGE_BYTES), index });
  }

  access(address: number, kind: AccessKind, mode: AccessMode): void {
    this.steps.push({ op: 'access', vaddr: vaddr(address), kind, mode });
  }

  guestPa(address: number): void {
    this.steps.push({ op: 'guest-pa', vaddr: vaddr(address) });
  }

  migrate(): void {
    this.cpu = this.draw.below(this.pool.machine.hostCpus);
    this.steps.push({ op: 'migrate', cpu: this.cpu });
  }

  failAlloc(count: number): void {
    this.steps.push({ op: 'fail-alloc', count });
  }

  protect(page: number, access = this.draw.pick(PROTECTIONS)): void {
    this.steps.push({ op: 'protect', page, access });
  }

  // Several steps that belong together.

  /** Touches an address as those do who live there: kernel addresses mostly from the kernel. */
  touch(address: number): void {
    const bits = this.draw.bits(5);
    const kernelHalf = address >= this.pool.kernelAddress;
    const odd = (bits & 0xe) === 0;
    this.access(address, (bits & 1) === 0 ? 'read' : 'write', kernelHalf === odd ? 'user' : 'kernel');
  }

  /** Links every table that the pool has, then fills the leaves: every address of the pool is mapped somehow. */
  buildTables(roots: readonly number[]): void {
    const { pool } = this;
    for (const root of roots) this.linkRoot(root);
    for (const middle of pool.middles) for (const region of pool.regions) this.storeMiddle(middle, region, FIRST_FLAGS);
    for (const table of pool.leaves) {
      for (const slot of pool.slots) this.store(entryAddress(this.geometry, table, slot), this.leaf());
      this.store(entryAddress(this.geometry, table, pool.stackSlot), this.stackLeaf());
    }
  }

  linkRoot(root: number): void {
    for (const top of this.pool.tops) this.storeTop(root, top << this.geometry.topBits, FIRST_FLAGS);
  }

  private stackLeaf(): GuestEntry {
    return guestEntry(this.draw.pick(this.pool.data) * PAGE_BYTES + KERNEL_FULL);
  }
}
