/**
 * A guest that keeps the contract (machine.md 5, Coherent): it remembers what it stored, and announces every change before
 * anybody can touch what has changed. Macros lower to its methods.
 */

import type { Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, guestEntry, paddr, vaddr } from '../../model/vocabulary/index.js';
import type { CoherentLayout } from './coherent-layout.js';
import { ACCESSED, DIRTY, FULL, KERNEL_FULL, PRESENT, USER, WRITABLE } from './entry-flags.js';
import type { Geometry } from './geometry.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';

/** Leaves of user pages: one in sixteen is for the kernel alone, a quarter is read-only, half are not aged or not dirty. */
const USER_LEAF_FLAGS: readonly number[] = [
  ...[0x67, 0x67, 0x67, 0x67, 0x27, 0x27, 0x07, 0x07],
  ...[0x07, 0x65, 0x25, 0x05, 0x63, 0x7f, 0x47, 0x66],
];
const KERNEL_LEAF_FLAGS: readonly number[] = [0x63, 0x63, 0x163, 0x163, 0x23, 0x03, 0x61, 0x101, 0x67, 0x67, 0x07, 0x65];

/** Which of `count` things eight bits choose. */
const choose = (byte: number, count: number): number => ((byte & 0xff) * count) >> 8;

export class CoherentGuest {
  readonly steps: Step[] = [];
  /** The root that the guest runs on: an index of `layout.roots`. */
  current = 0;

  private readonly layout: CoherentLayout;
  private readonly geometry: Geometry;
  private readonly pae: boolean;
  /** What each leaf table holds: for each table the slots, then the two stack pages. */
  private readonly leafWords: number[];
  private readonly leafWidth: number;
  /** What the upper entry of a root's user region holds: the PGD entry in 2-level, the PMD entry in PAE. */
  private readonly upperWords: number[];
  /** The same of the kernel's regions, which all roots share. */
  private readonly kernelWords: number[];
  /** PAE: whether a root's top entry over its own middle table is present. */
  private readonly topLinked: boolean[];
  private readonly built: boolean[];
  /** The root was run on since it was built: somebody may have cached what it maps. */
  private readonly known: boolean[];
  private readonly freeTables: number[] = [];

  constructor(layout: CoherentLayout) {
    this.layout = layout;
    this.geometry = layout.geometry;
    this.pae = layout.geometry.paging === 'pae';
    this.leafWidth = layout.slots.length + 2;
    this.leafWords = new Array<number>(layout.leafTables * this.leafWidth).fill(0);
    this.upperWords = new Array<number>(layout.roots.length * layout.userRegions.length).fill(0);
    this.kernelWords = new Array<number>(layout.kernelRegions.length).fill(0);
    this.topLinked = new Array<boolean>(layout.roots.length * layout.userTops.length).fill(false);
    this.built = new Array<boolean>(layout.roots.length).fill(false);
    this.known = new Array<boolean>(layout.roots.length).fill(false);
    for (let table = layout.leafTables - 1; table >= 0; table--) this.freeTables.push(table);
  }

  // Beginning.

  /** Everything up to and including the first root. */
  start(): void {
    const { layout } = this;
    this.steps.push({ op: 'init', kernelAddress: vaddr(layout.kernelAddress) });
    for (let i = 0; i < layout.linearSteps; i++) this.touchLinear(Math.imul(layout.bits, 2 * i + 1));
    for (let region = 0; region < layout.kernelRegions.length; region++) this.buildKernelRegion(region, layout.bits);
    this.switchTo(0, layout.bits >>> 0);
  }

  private touchLinear(bits: number): void {
    const address = (bits >>> 4) % (this.layout.machine.guestPages * PAGE_BYTES);
    this.steps.push({
      op: 'access',
      vaddr: vaddr(address),
      kind: bits & 1 ? 'read' : 'write',
      mode: bits & 6 ? 'kernel' : 'user',
    });
  }

  private buildKernelRegion(region: number, bits: number): void {
    const table = this.freeTables.pop();
    if (table === undefined) return;
    for (let slot = 0; slot < this.layout.slots.length; slot++) {
      this.storeLeaf(table, slot, this.kernelLeaf(Math.imul(bits, 2 * slot + 3)));
    }
    if (region === 0) this.fillStack(table, bits);
    this.kernelWords[region] = this.tablePage(table) * PAGE_BYTES + FULL;
    if (this.pae) this.storeKernelMiddle(region);
  }

  private fillStack(table: number, bits: number): void {
    const width = this.layout.slots.length;
    this.storeLeaf(table, width, this.dataPage(bits) * PAGE_BYTES + KERNEL_FULL);
    this.storeLeaf(table, width + 1, this.dataPage(bits >>> 8) * PAGE_BYTES + KERNEL_FULL);
  }

  // User leaves.

  map(where: number, what: number): void {
    const root = this.someRoot(where >>> 16);
    const region = this.userRegion(where);
    const table = this.tableFor(root, region, what);
    if (table === undefined) return;
    this.changeLeaf(root, region, table, this.slot(where), this.userLeaf(what));
  }

  unmap(where: number, what: number): void {
    this.editLeaf(where, (old) => (what & 0x300 ? 0 : old & ~PRESENT));
  }

  changeRights(where: number, what: number): void {
    this.editLeaf(where, (old) => old ^ (what & (WRITABLE | USER)));
  }

  age(where: number, what: number): void {
    this.editLeaf(where, (old) => old & ~(what & 1 ? ACCESSED | DIRTY : DIRTY));
  }

  private editLeaf(where: number, edit: (old: number) => number): void {
    const root = this.someRoot(where >>> 16);
    const region = this.userRegion(where);
    const table = this.linkedTable(root, region);
    if (table === undefined) return;
    const slot = this.slot(where);
    this.changeLeaf(root, region, table, slot, edit(this.leafWord(table, slot)));
  }

  private changeLeaf(root: number, region: number, table: number, slot: number, value: number): void {
    this.storeLeaf(table, slot, value);
    this.tellLeaf(root, this.layout.userRegions[region] ?? 0, this.layout.slots[slot] ?? 0, value);
  }

  // User tables.

  /** The leaf table of a root's region; it is made and linked if there is none, unless tables have run out. */
  private tableFor(root: number, region: number, what: number): number | undefined {
    this.buildRoot(root);
    if (this.pae) this.linkTop(root, this.userTop(region));
    const linked = this.linkedTable(root, region);
    if (linked !== undefined) return linked;
    return this.linkFreshTable(root, region, what);
  }

  private linkFreshTable(root: number, region: number, what: number): number | undefined {
    const table = this.freeTables.pop();
    if (table === undefined) return undefined;
    // Nobody walks an unlinked table: what is stored there needs no announcement.
    for (let slot = 0; slot < this.layout.slots.length; slot++) {
      this.storeLeaf(table, slot, this.userLeaf(Math.imul(what, 2 * slot + 3)));
    }
    this.storeUpper(root, region, this.tablePage(table) * PAGE_BYTES + FULL, what);
    return table;
  }

  swapTable(where: number, what: number): void {
    const root = this.someRoot(where >>> 16);
    const region = this.userRegion(where);
    const old = this.linkedTable(root, region);
    if (old === undefined) return;
    if (what & 1) this.storeUpper(root, region, 0, what);
    else if (this.linkFreshTable(root, region, what) === undefined) return;
    this.freeTables.push(old);
  }

  changeUpperRights(where: number, what: number): void {
    const root = this.someRoot(where >>> 16);
    const region = this.userRegion(where);
    const old = this.upperWord(root, region);
    // Mostly back to full rights, or user pages would soon be out of reach.
    const flags = what & 0x30 ? FULL : FULL & ~(what & (WRITABLE | USER | ACCESSED | DIRTY));
    if (old !== 0) this.storeUpper(root, region, (old & -PAGE_BYTES) | flags, what);
  }

  toggleTop(where: number): void {
    if (!this.pae) return;
    const root = this.someRoot(where >>> 16);
    const top = choose(where, this.layout.userTops.length);
    if (this.topLinked[root * this.layout.userTops.length + top]) this.unlinkTop(root, top);
    else if (this.built[root]) this.linkTop(root, top);
  }

  private linkTop(root: number, top: number): void {
    const index = root * this.layout.userTops.length + top;
    if (this.topLinked[index]) return;
    this.topLinked[index] = true;
    this.storeTop(root, this.layout.userTops[top] ?? 0, this.middlePage(root, top) * PAGE_BYTES + PRESENT);
  }

  private unlinkTop(root: number, top: number): void {
    this.topLinked[root * this.layout.userTops.length + top] = false;
    this.storeTop(root, this.layout.userTops[top] ?? 0, 0);
  }

  /** Stores a user entry of a root and announces it. */
  private storeTop(root: number, top: number, value: number): void {
    this.store(this.rootAddress(root) + top * this.geometry.entryBytes, value);
    if (this.known[root]) this.tellTop(root, top);
  }

  private tellTop(root: number, top: number): void {
    this.steps.push({ op: 'set-pgd', root: paddr(this.rootAddress(root)), index: top });
  }

  /** Stores the upper entry of a root's region and announces it. */
  private storeUpper(root: number, region: number, value: number, what: number): void {
    this.upperWords[root * this.layout.userRegions.length + region] = value;
    this.store(this.upperAddress(root, region), value);
    if (this.known[root]) this.tellUpper(root, region, (what >>> 24) & 0x1f);
  }

  private tellUpper(root: number, region: number, variant: number): void {
    const number = this.layout.userRegions[region] ?? 0;
    if (variant === 0) this.flush('all');
    else if (variant <= 2 && root === this.current) this.flush('user');
    else if (!this.pae) this.tellTop(root, number);
    else {
      const page = this.middlePage(root, this.userTop(region));
      this.steps.push({ op: 'set-pmd', pmd: paddr(page * PAGE_BYTES), index: middleOf(this.geometry, number) });
    }
  }

  // The kernel half.

  mapKernel(where: number, what: number): void {
    const region = choose(where, this.layout.kernelRegions.length);
    const stack = region === 0 && (what & 0x7000000) === 0;
    const slot = stack ? this.layout.slots.length + ((what >>> 30) & 1) : this.slot(where);
    // A stack page stays writable; whether it was touched and written is for the hypervisor to find out.
    const value = stack
      ? this.dataPage(what) * PAGE_BYTES + (KERNEL_FULL & ~(what & (ACCESSED | DIRTY)))
      : this.kernelLeaf(what);
    this.changeKernelLeaf(region, slot, value, where);
  }

  unmapKernel(where: number): void {
    const region = choose(where, this.layout.kernelRegions.length);
    this.changeKernelLeaf(region, this.slot(where), 0, where);
  }

  private changeKernelLeaf(region: number, slot: number, value: number, where: number): void {
    this.storeLeaf(this.kernelTable(region), slot, value);
    // Any root will do: kernel pages are everybody's.
    const root = choose(where >>> 16, this.layout.roots.length);
    this.tellLeaf(root, this.layout.kernelRegions[region] ?? 0, this.slotNumber(slot), value);
  }

  /** Copies a kernel leaf table, puts the copy into every root, and has everything forgotten. */
  exchangeKernelTable(where: number, what: number): void {
    const region = choose(where, this.layout.kernelRegions.length);
    const old = this.kernelTable(region);
    const copy = this.freeTables.pop();
    if (copy === undefined) return;
    const width = region === 0 ? this.leafWidth : this.layout.slots.length;
    for (let slot = 0; slot < width; slot++) this.storeLeaf(copy, slot, this.leafWord(old, slot));
    this.storeLeaf(copy, this.slot(where), this.kernelLeaf(what));
    this.kernelWords[region] = this.tablePage(copy) * PAGE_BYTES + (FULL & ~(what & USER));
    if (this.pae) this.storeKernelMiddle(region);
    else for (let root = 0; root < this.built.length; root++) if (this.built[root]) this.storeKernelTop(root, region);
    this.flush('all');
    this.freeTables.push(old);
  }

  private storeKernelMiddle(region: number): void {
    const number = this.layout.kernelRegions[region] ?? 0;
    const page = this.layout.firstMiddle + this.layout.kernelTops.indexOf(topOf(this.geometry, number));
    this.store(entryAddress(this.geometry, page, middleOf(this.geometry, number)), this.kernelWords[region] ?? 0);
  }

  private storeKernelTop(root: number, region: number): void {
    const top = this.layout.kernelRegions[region] ?? 0;
    this.store(this.rootAddress(root) + top * this.geometry.entryBytes, this.kernelWords[region] ?? 0);
  }

  // Roots.

  switch(where: number, what: number): void {
    this.switchTo(choose(where >>> 16, this.layout.roots.length), what >>> 0);
  }

  /** The switch's own allocation may fail, and later ones do not. */
  switchUnderPressure(where: number, what: number): void {
    this.buildRoot(choose(where >>> 16, this.layout.roots.length));
    this.steps.push({ op: 'fail-alloc', count: 1 });
    this.switch(where, what);
    this.steps.push({ op: 'fail-alloc', count: 0 });
  }

  private switchTo(root: number, draw: number): void {
    this.buildRoot(root);
    this.steps.push({ op: 'new-pgtable', root: paddr(this.rootAddress(root)), draw });
    this.current = root;
    this.known[root] = true;
  }

  /** Gives a root the kernel half; its user half is empty until somebody maps there. */
  private buildRoot(root: number): void {
    if (this.built[root]) return;
    this.built[root] = true;
    const { kernelRegions, kernelTops, firstMiddle } = this.layout;
    if (!this.pae) {
      for (let region = 0; region < kernelRegions.length; region++) this.storeKernelTop(root, region);
      return;
    }
    for (let index = 0; index < kernelTops.length; index++) {
      const address = this.rootAddress(root) + (kernelTops[index] ?? 0) * this.geometry.entryBytes;
      this.store(address, (firstMiddle + index) * PAGE_BYTES + PRESENT);
    }
  }

  /** Takes a root out of use: its user entries go, and are announced as gone. */
  retire(where: number): void {
    const root = choose(where >>> 16, this.layout.roots.length);
    if (root === this.current || !this.built[root]) return;
    for (let top = 0; this.pae && top < this.layout.userTops.length; top++) this.unlinkTop(root, top);
    for (let region = 0; region < this.layout.userRegions.length; region++) this.releaseRegion(root, region);
    this.built[root] = false;
    this.known[root] = false;
  }

  private releaseRegion(root: number, region: number): void {
    const index = root * this.layout.userRegions.length + region;
    const old = this.upperWords[index] ?? 0;
    if (old === 0) return;
    this.upperWords[index] = 0;
    this.store(this.upperAddress(root, region), 0);
    if (!this.pae) this.tellTop(root, this.layout.userRegions[region] ?? 0);
    this.freeTables.push(this.tableAt(old));
  }

  // Everything else.

  access(where: number, what: number): void {
    const kernel = (where & 0x3000000) === 0;
    const address = this.somewhere(where, what, kernel);
    const odd = (what & 0x1c) === 0;
    this.steps.push({
      op: 'access',
      vaddr: vaddr(address),
      kind: what & 1 ? 'read' : 'write',
      mode: kernel === odd ? 'user' : 'kernel',
    });
  }

  private somewhere(where: number, what: number, kernel: boolean): number {
    const { geometry, layout } = this;
    const rare = (what >>> 5) & 0x7f;
    if (rare === 0) return geometry.switcherAddress + ((what >>> 12) & 0xffff);
    if (rare <= 3) return where >>> 0;
    const regions = kernel ? layout.kernelRegions : layout.userRegions;
    const region = regions[choose(where, regions.length)] ?? 0;
    return addressOf(geometry, region, layout.slots[this.slot(where)] ?? 0) + (what >>> 20);
  }

  /** Asks only for what is mapped: asking for anything else is deadly. */
  guestPa(where: number, what: number): void {
    const region = choose(where, this.layout.userRegions.length);
    const table = this.linkedTable(this.current, region);
    const slot = this.slot(where);
    if (table === undefined || (this.leafWord(table, slot) & PRESENT) === 0) return;
    const address = addressOf(this.geometry, this.layout.userRegions[region] ?? 0, this.layout.slots[slot] ?? 0);
    this.steps.push({ op: 'guest-pa', vaddr: vaddr(address + (what >>> 20)) });
  }

  setStack(what: number): void {
    const top = addressOf(this.geometry, this.layout.kernelRegions[0] ?? 0, this.layout.stackSlot + 1);
    const esp = top + (what & 0x100 ? PAGE_BYTES : 1 + (what >>> 20));
    this.steps.push({ op: 'set-stack', esp: vaddr(esp), pages: choose(what, 3) });
  }

  migrate(what: number): void {
    this.steps.push({ op: 'migrate', cpu: choose(what, this.layout.machine.hostCpus) });
  }

  flush(scope: 'all' | 'user'): void {
    this.steps.push({ op: 'flush-tlb', scope });
  }

  // What the numbers of a macro mean.

  /** Three times in four the root that the guest runs on. */
  private someRoot(byte: number): number {
    return (byte & 0x3) !== 0 ? this.current : choose(byte, this.layout.roots.length);
  }

  private userRegion(where: number): number {
    return choose(where, this.layout.userRegions.length);
  }

  private slot(where: number): number {
    return choose(where >>> 8, this.layout.slots.length);
  }

  private dataPage(what: number): number {
    const { firstData, machine } = this.layout;
    // A few of them only, or no two leaves would ever map the same page.
    return firstData + (what & 0xffff) % Math.min(machine.guestPages - firstData, 12);
  }

  /** RAM, and once in sixteen a device. */
  private target(what: number): number {
    const { machine } = this.layout;
    const device = machine.devicePages > 0 && (what & 0xf0000) === 0;
    return device ? machine.guestPages + (what & 0xffff) % machine.devicePages : this.dataPage(what);
  }

  private userLeaf(what: number): number {
    return this.target(what) * PAGE_BYTES + (USER_LEAF_FLAGS[choose(what >>> 20, USER_LEAF_FLAGS.length)] ?? 0);
  }

  private kernelLeaf(what: number): number {
    return this.target(what) * PAGE_BYTES + (KERNEL_LEAF_FLAGS[choose(what >>> 20, KERNEL_LEAF_FLAGS.length)] ?? 0);
  }

  // Where things lie.

  private rootAddress(root: number): number {
    return this.layout.roots[root] ?? 0;
  }

  /** Which of `userTops` covers a region. */
  private userTop(region: number): number {
    return this.layout.userTops.indexOf(topOf(this.geometry, this.layout.userRegions[region] ?? 0));
  }

  private middlePage(root: number, top: number): number {
    const { firstMiddle, kernelTops, userTops } = this.layout;
    return firstMiddle + kernelTops.length + root * userTops.length + top;
  }

  private upperAddress(root: number, region: number): number {
    const number = this.layout.userRegions[region] ?? 0;
    if (!this.pae) return this.rootAddress(root) + number * this.geometry.entryBytes;
    const page = this.middlePage(root, this.userTop(region));
    return entryAddress(this.geometry, page, middleOf(this.geometry, number));
  }

  private tablePage(table: number): number {
    return this.layout.firstLeaf + table;
  }

  /** The table that an upper entry points at. */
  private tableAt(upper: number): number {
    return (upper >>> 12) - this.layout.firstLeaf;
  }

  private kernelTable(region: number): number {
    return this.tableAt(this.kernelWords[region] ?? 0);
  }

  private upperWord(root: number, region: number): number {
    return this.upperWords[root * this.layout.userRegions.length + region] ?? 0;
  }

  /** The leaf table that a root's region has, reachable or not. */
  private linkedTable(root: number, region: number): number | undefined {
    const upper = this.upperWord(root, region);
    return upper === 0 ? undefined : this.tableAt(upper);
  }

  private leafWord(table: number, slot: number): number {
    return this.leafWords[table * this.leafWidth + slot] ?? 0;
  }

  /** The entry of a leaf table that `slot` names: one of the layout's, or a stack page. */
  private slotNumber(slot: number): number {
    const { slots, stackSlot } = this.layout;
    return slot < slots.length ? (slots[slot] ?? 0) : stackSlot + slot - slots.length;
  }

  // Steps.

  private store(address: number, value: number): void {
    this.steps.push({ op: 'store', paddr: paddr(address), value: guestEntry(value) });
  }

  private storeLeaf(table: number, slot: number, value: number): void {
    this.leafWords[table * this.leafWidth + slot] = value;
    this.store(entryAddress(this.geometry, this.tablePage(table), this.slotNumber(slot)), value);
  }

  private tellLeaf(root: number, region: number, slotNumber: number, value: number): void {
    this.steps.push({
      op: 'set-pte',
      root: paddr(this.rootAddress(root)),
      vaddr: vaddr(addressOf(this.geometry, region, slotNumber)),
      pte: guestEntry(value),
    });
  }
}
