/**
 * A hostile program under construction: its layout, and its steps so far. One method for each kind of step, and choices from the layout.
 */

import type { AccessKind, AccessMode, FlushScope, GuestEntry, Protection, Step } from '../../model/vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, PAGE_BYTES, guestEntry, paddr, vaddr } from '../../model/vocabulary/index.js';
import { A, D, FLAGS, FULL, G, HINTS, P, PCD, PSE, PWT, RIGHTS, RW, US } from '../entry-bits.js';
import type { Draw } from './draw.js';
import { lottery } from './draw.js';
import type { Geometry } from './geometry.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';
import type { NumberField } from './fields.js';
import type { HostileLayout } from './hostile-layout.js';
import { neighbourOf } from './neighbours.js';

/** The last page of the physical address space. */
const LARGEST_PAGE = ADDRESS_SPACE_BYTES - PAGE_BYTES;

/** Mostly `write`, so that a protected page becomes usable again. */
const PROTECTIONS: readonly Protection[] = ['none', 'read', 'write', 'write'];

// Flags of entries, as often as they are drawn.

/** A leaf, in 32 tickets: one in sixteen is not present. */
const LEAF_FLAGS = lottery([
  [7, FULL],
  [4, RIGHTS | A],
  [5, RIGHTS],
  [2, FULL & ~RW],
  [2, P | US | A],
  [1, P | US],
  [2, FULL & ~US],
  [1, P | RW | A],
  [1, P | A | D],
  [1, P | RW],
  [1, FULL | G],
  [1, RIGHTS | G],
  [1, FULL | PWT | PCD],
  [1, RIGHTS | D],
  [1, FULL & ~P],
  [1, 0],
]);

/** An upper entry with rights: the PGD entry in 2-level, the PMD entry in PAE. */
const UPPER_FLAGS = lottery([
  [11, FULL],
  [1, RIGHTS | A],
  [1, RIGHTS],
  [1, FULL & ~US],
  [1, FULL & ~RW],
  [1, 0],
]);

/** The same while a program builds its tables: a right missing there is missing everywhere. */
const FIRST_FLAGS = lottery([
  [9, FULL],
  [1, RIGHTS | A],
  [1, RIGHTS],
  [1, FULL & ~US],
]);

/** A PAE top entry, which has no rights. */
const TOP_FLAGS = lottery([
  [31, P],
  [1, 0],
]);

export class HostileGuest {
  readonly draw: Draw;
  readonly layout: HostileLayout;
  readonly geometry: Geometry;
  readonly steps: Step[] = [];
  /** The root of the last switch, if any, and the host CPU of the last migration. */
  currentRoot: number | undefined = undefined;
  cpu = 0;

  constructor(draw: Draw, layout: HostileLayout) {
    this.draw = draw;
    this.layout = layout;
    this.geometry = layout.geometry;
  }

  // Choices from the layout.

  root(): number {
    return this.draw.pick(this.layout.roots);
  }

  region(): number {
    return this.draw.pick(this.layout.regions);
  }

  /** The index of a root entry: mostly one in use, sometimes the last one, which covers the Switcher. */
  top(): number {
    return this.draw.bits(2) === 0 ? this.geometry.rootEntries - 1 : this.draw.pick(this.layout.tops);
  }

  /** The first address of a page outside RAM: right behind it, the last one, or one between. */
  outsideRam(): number {
    return this.draw.pick([this.layout.machine.guestPages * PAGE_BYTES, LARGEST_PAGE, this.highBitPage()]);
  }

  /** The first address of a page outside most RAMs, which becomes page 0 where a high bit is lost. */
  highBitPage(): number {
    return 2 ** this.draw.between(24, 31);
  }

  /** A neighbour of what a field would usually hold. */
  near(field: NumberField, value: number): number {
    return neighbourOf(this.draw, value, field, this.layout.machine);
  }

  /** An address in a page of the layout, as a `set-pte` may name the page: mostly its first address. */
  announcedAddress(): number {
    const bits = this.draw.word();
    const { regions, pteIndexes } = this.layout;
    const region = regions[((bits & 0xff) * regions.length) >> 8];
    const pteIndex = pteIndexes[(((bits >>> 8) & 0xff) * pteIndexes.length) >> 8];
    return addressOf(this.geometry, region, pteIndex) + (bits >>> 29 === 0 ? (bits >>> 16) & FLAGS : 0);
  }

  /** An address within a page of the layout. */
  address(): number {
    const bits = this.draw.word();
    const { regions, pteIndexes, stackPteIndex } = this.layout;
    const region = regions[((bits & 0xff) * regions.length) >> 8] ?? 0;
    const pteIndex =
      (bits & 0xf00) === 0 ? stackPteIndex : pteIndexes[(((bits >>> 12) & 0xff) * pteIndexes.length) >> 8];
    return (addressOf(this.geometry, region, pteIndex ?? 0) | (bits >>> 20)) >>> 0;
  }

  /** An entry that names a page. If it is not present, all its other bits may be random. */
  entry(page: number, flags: number): GuestEntry {
    const low = page * PAGE_BYTES + flags;
    if ((flags & P) !== 0) return guestEntry(low);
    const noise = this.draw.word();
    const high = this.geometry.paging === 'pae' ? noise : 0;
    return guestEntry(noise < 0 ? low ^ (noise & FLAGS & ~P) : low, high);
  }

  /** A leaf: mostly of RAM, sometimes of a device; one in eight with hints, and one in 32 with any flags that a good leaf may have. */
  leaf(): GuestEntry {
    const { machine, data } = this.layout;
    const bits = this.draw.word();
    const device = machine.devicePages > 0 && bits >>> 28 === 0;
    const page = device ? machine.guestPages + this.draw.below(machine.devicePages) : this.draw.pick(data);
    const flags = LEAF_FLAGS[bits & 31];
    if ((bits & 0x0e000000) !== 0) return this.entry(page, flags);
    const varied = (bits & 0x01800000) === 0 ? FLAGS & ~(P | PSE) : HINTS;
    return this.entry(page, flags ^ ((bits >>> 5) & varied));
  }

  // Steps.

  store(address: number, value: GuestEntry): void {
    this.steps.push({ op: 'store', paddr: paddr(address), value });
  }

  storeLeaf(value: GuestEntry): void {
    this.store(
      entryAddress(this.geometry, this.draw.pick(this.layout.leaves), this.draw.pick(this.layout.pteIndexes)),
      value,
    );
  }

  /** A root entry: PGD in 2-level, top entry in PAE. */
  storeTop(root: number, region: number, flags = UPPER_FLAGS): void {
    const { geometry, layout } = this;
    const value =
      geometry.paging === 'pae'
        ? this.entry(this.draw.pick(layout.middles), this.draw.pick(TOP_FLAGS))
        : this.entry(this.draw.pick(layout.leaves), this.draw.pick(flags));
    this.store(root + topOf(geometry, region) * geometry.entryBytes, value);
  }

  /** An entry of a middle table; PAE only. */
  storeMiddle(page: number, region: number, flags = UPPER_FLAGS): void {
    const value = this.entry(this.draw.pick(this.layout.leaves), this.draw.pick(flags));
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

  /** A stack whose first page every leaf table of the layout maps for the kernel. */
  setUsualStack(pages: number): void {
    const page = addressOf(this.geometry, this.layout.stackRegion, this.layout.stackPteIndex);
    this.setStack(page + this.offsetOfStack(), pages);
  }

  /** Where a stack in a page begins: at the page's end, one byte into it, or anywhere between. */
  offsetOfStack(): number {
    const choice = this.draw.bits(2);
    if (choice <= 1) return PAGE_BYTES;
    return choice === 2 ? 1 : this.draw.between(1, PAGE_BYTES);
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
    this.cpu = this.draw.below(this.layout.machine.hostCpus);
    this.steps.push({ op: 'migrate', cpu: this.cpu });
  }

  failAlloc(count: number): void {
    this.steps.push({ op: 'fail-alloc', count });
  }

  protect(page: number, access = this.draw.pick(PROTECTIONS)): void {
    this.steps.push({ op: 'protect', page, access });
  }

  // Several steps that belong together.

  /** Touches an address, mostly in the mode of its half. */
  touch(address: number): void {
    const bits = this.draw.bits(5);
    const kernelHalf = address >= this.layout.kernelAddress;
    const odd = (bits & 0xe) === 0;
    this.access(address, (bits & 1) === 0 ? 'read' : 'write', kernelHalf === odd ? 'user' : 'kernel');
  }

  /** Links every table of the layout, then fills the leaves, so that every address of the layout is mapped somehow. */
  buildTables(roots: readonly number[]): void {
    const { layout } = this;
    for (const root of roots) this.linkRoot(root);
    for (const middle of layout.middles)
      for (const region of layout.regions) this.storeMiddle(middle, region, FIRST_FLAGS);
    for (const table of layout.leaves) {
      for (const pteIndex of layout.pteIndexes) this.store(entryAddress(this.geometry, table, pteIndex), this.leaf());
      this.store(entryAddress(this.geometry, table, layout.stackPteIndex), this.stackLeaf());
    }
  }

  linkRoot(root: number): void {
    for (const top of this.layout.tops) this.storeTop(root, top << this.geometry.topBits, FIRST_FLAGS);
  }

  private stackLeaf(): GuestEntry {
    return guestEntry(this.draw.pick(this.layout.data) * PAGE_BYTES + (FULL & ~US));
  }
}
