/**
 * A guest that keeps the contract (machine.md 5, Coherent): it remembers what it stored, and announces every change before
 * anybody can touch what has changed. Macros lower to its methods. Of a macro's two numbers, `where` chooses root, region and
 * slot, and `what` the rest. Roots, regions, tops and slots are indexes of the layout's lists.
 */

import type { FlushScope, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, guestEntry, paddr, vaddr } from '../../model/vocabulary/index.js';
import { A, D, FULL, P, RIGHTS, RW, US } from '../entry-bits.js';
import type { CoherentLayout } from './coherent-layout.js';
import { choose, kernelLeaf, stackLeaf, userLeaf } from './coherent-leaves.js';
import { CoherentPlaces } from './coherent-places.js';
import { middleOf } from './geometry.js';

export class CoherentGuest {
  readonly steps: Step[] = [];
  private readonly layout: CoherentLayout;
  private readonly places: CoherentPlaces;
  private readonly pae: boolean;
  /** The root that the guest runs on. */
  private current = 0;
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
  /** Leaf tables in nobody's use, and which ones ever held anything. */
  private readonly freeTables: number[] = [];
  private readonly filled: boolean[];

  constructor(layout: CoherentLayout) {
    this.layout = layout;
    this.places = new CoherentPlaces(layout);
    this.pae = layout.geometry.paging === 'pae';
    this.leafWidth = layout.slots.length + 2;
    this.leafWords = new Array<number>(layout.leafTables * this.leafWidth).fill(0);
    this.upperWords = new Array<number>(layout.roots.length * layout.userRegions.length).fill(0);
    this.kernelWords = new Array<number>(layout.kernelRegions.length).fill(0);
    this.topLinked = new Array<boolean>(layout.roots.length * layout.userTops.length).fill(false);
    this.built = new Array<boolean>(layout.roots.length).fill(false);
    this.known = new Array<boolean>(layout.roots.length).fill(false);
    this.filled = new Array<boolean>(layout.leafTables).fill(false);
    for (let table = layout.leafTables - 1; table >= 0; table--) this.freeTables.push(table);
  }

  // Beginning.

  /** Everything up to and including the first root. */
  start(): void {
    const { bits, kernelAddress, kernelRegions, linearSteps } = this.layout;
    this.steps.push({ op: 'init', kernelAddress: vaddr(kernelAddress) });
    for (let i = 0; i < linearSteps; i++) this.touchLinear(Math.imul(bits, 2 * i + 1));
    for (let region = 0; region < kernelRegions.length; region++) this.buildKernelRegion(region, bits);
    this.switchTo(0, bits >>> 0);
  }

  private touchLinear(bits: number): void {
    const address = this.linearAddress(bits);
    if ((bits & 0x38) === 0x38) this.steps.push({ op: 'guest-pa', vaddr: vaddr(address) });
    else this.pushAccess(address, (bits & 1) !== 0, (bits & 6) === 0);
  }

  /** In RAM, seldom in a device or behind it, or the Switcher's. */
  private linearAddress(bits: number): number {
    const { machine, geometry } = this.layout;
    const { guestPages, devicePages } = machine;
    const rare = bits >>> 25;
    const anywhere = bits >>> 4;
    if (rare === 0) return geometry.switcherAddress + (anywhere & 0xffff);
    if (rare === 1) return (guestPages + devicePages) * PAGE_BYTES + (anywhere & 0xffff);
    if (rare <= 8 && devicePages > 0) return guestPages * PAGE_BYTES + (anywhere % (devicePages * PAGE_BYTES));
    return anywhere % (guestPages * PAGE_BYTES);
  }

  private buildKernelRegion(region: number, bits: number): void {
    const table = this.freeTables.pop();
    if (table === undefined) return;
    const width = this.layout.slots.length;
    this.filled[table] = true;
    for (let slot = 0; slot < width; slot++) {
      this.storeLeaf(table, slot, kernelLeaf(this.layout, Math.imul(bits, 2 * slot + 3)));
    }
    if (region === 0) {
      this.storeLeaf(table, width, stackLeaf(this.layout, bits));
      this.storeLeaf(table, width + 1, stackLeaf(this.layout, bits >>> 8));
    }
    this.kernelWords[region] = this.places.leafTablePage(table) * PAGE_BYTES + FULL;
    if (this.pae) this.store(this.places.kernelMiddle(region), this.kernelWords[region]);
  }

  // User leaves.

  map(where: number, what: number): void {
    const root = this.someRoot(where);
    const region = this.userRegion(where);
    const table = this.tableFor(root, region, what);
    if (table !== undefined) this.changeLeaf(root, region, table, this.slot(where), userLeaf(this.layout, what));
  }

  unmap(where: number, what: number): void {
    this.editLeaf(where, (old) => (what & 0x300 ? 0 : old & ~P));
  }

  changeRights(where: number, what: number): void {
    this.editLeaf(where, (old) => old ^ (what & (RW | US)));
  }

  age(where: number, what: number): void {
    this.editLeaf(where, (old) => old & ~(what & 1 ? A | D : D));
  }

  private editLeaf(where: number, edit: (old: number) => number): void {
    const root = this.someRoot(where);
    const region = this.userRegion(where);
    const table = this.tableOf(root, region);
    if (table === undefined) return;
    const slot = this.slot(where);
    this.changeLeaf(root, region, table, slot, edit(this.leafWord(table, slot)));
  }

  private changeLeaf(root: number, region: number, table: number, slot: number, value: number): void {
    this.storeLeaf(table, slot, value);
    this.tellLeaf(root, this.layout.userRegions[region] ?? 0, slot, value);
  }

  /** A leaf that names no page; not accessed, so that it is noticed only when it is touched. */
  blunder(where: number, what: number): void {
    const region = this.userRegion(where);
    const table = this.tableFor(this.current, region, what);
    if (table === undefined) return;
    const { guestPages, devicePages } = this.layout.machine;
    const slot = this.slot(where);
    const flags = RIGHTS;
    this.changeLeaf(this.current, region, table, slot, (guestPages + devicePages) * PAGE_BYTES + flags);
    const page = this.places.page(this.layout.userRegions[region] ?? 0, slot);
    this.pushAccess(page + (what >>> 20), (what & 1) !== 0, (what & 2) !== 0);
  }

  // User tables.

  /** The leaf table of a root's region; it is made and linked if there is none, unless tables have run out. */
  private tableFor(root: number, region: number, what: number): number | undefined {
    this.buildRoot(root);
    if (this.pae) this.linkTop(root, this.places.userTop(region));
    return this.tableOf(root, region) ?? this.linkFreshTable(root, region, what);
  }

  private linkFreshTable(root: number, region: number, what: number): number | undefined {
    const table = this.freeTables.pop();
    if (table === undefined) return undefined;
    this.fillTable(table, what);
    this.storeUpper(root, region, this.places.leafTablePage(table) * PAGE_BYTES + FULL, what);
    return table;
  }

  /**
   * Only once: later the table comes back as it was left. Nobody walks an unlinked table, so that nothing need be announced.
   */
  private fillTable(table: number, what: number): void {
    if (this.filled[table]) return;
    this.filled[table] = true;
    for (let slot = 0; slot < this.layout.slots.length; slot++) {
      this.storeLeaf(table, slot, userLeaf(this.layout, Math.imul(what, 2 * slot + 3)));
    }
  }

  /** Exchanges the leaf table of a region, or takes it away. */
  swapTable(where: number, what: number): void {
    const root = this.someRoot(where);
    const region = this.userRegion(where);
    const old = this.tableOf(root, region);
    if (old === undefined) return;
    if (what & 1) this.storeUpper(root, region, 0, what);
    else if (this.linkFreshTable(root, region, what) === undefined) return;
    this.freeTables.push(old);
  }

  changeUpperRights(where: number, what: number): void {
    const root = this.someRoot(where);
    const region = this.userRegion(where);
    const old = this.upperWord(root, region);
    // Mostly back to full rights, or user pages would soon be out of reach.
    const flags = what & 0x300 ? FULL : FULL & ~(what & (RW | US | A | D));
    if (old !== 0) this.storeUpper(root, region, (old & -PAGE_BYTES) | flags, what);
  }

  toggleTop(where: number): void {
    if (!this.pae) return;
    const root = this.someRoot(where);
    const top = choose(where, this.layout.userTops.length);
    if (this.isTopLinked(root, top)) this.unlinkTop(root, top);
    else if (this.built[root]) this.linkTop(root, top);
  }

  private linkTop(root: number, top: number): void {
    if (this.isTopLinked(root, top)) return;
    this.storeTop(root, top, true, this.places.middlePage(root, top) * PAGE_BYTES + P);
  }

  private unlinkTop(root: number, top: number): void {
    this.storeTop(root, top, false, 0);
  }

  private storeTop(root: number, top: number, linked: boolean, value: number): void {
    const number = this.layout.userTops[top] ?? 0;
    this.topLinked[root * this.layout.userTops.length + top] = linked;
    this.store(this.places.rootEntry(root, number), value);
    if (this.known[root]) this.tellTop(root, number);
  }

  /** Stores the upper entry of a root's region and announces it. */
  private storeUpper(root: number, region: number, value: number, what: number): void {
    this.upperWords[root * this.layout.userRegions.length + region] = value;
    this.store(this.places.upper(root, region), value);
    if (this.known[root]) this.tellUpper(root, region, (what >>> 24) & 0x1f);
  }

  /** Seldom by a flush that says more than need be. */
  private tellUpper(root: number, region: number, variant: number): void {
    if (variant === 0) this.flush('all');
    else if (variant <= 2 && root === this.current) this.flush('user');
    else if (this.pae) this.tellMiddle(root, region);
    else this.tellTop(root, this.layout.userRegions[region] ?? 0);
  }

  // The kernel half.

  mapKernel(where: number, what: number): void {
    const region = this.kernelRegion(where);
    const stack = region === 0 && (what & 0x7000000) === 0;
    const slot = stack ? this.layout.slots.length + ((what >>> 30) & 1) : this.slot(where);
    this.changeKernelLeaf(region, slot, (stack ? stackLeaf : kernelLeaf)(this.layout, what), where);
  }

  unmapKernel(where: number): void {
    this.changeKernelLeaf(this.kernelRegion(where), this.slot(where), 0, where);
  }

  private changeKernelLeaf(region: number, slot: number, value: number, where: number): void {
    this.storeLeaf(this.kernelTable(region), slot, value);
    // Any root will do: kernel pages are everybody's.
    this.tellLeaf(this.anyRoot(where), this.layout.kernelRegions[region] ?? 0, slot, value);
  }

  /** Copies a kernel leaf table, puts the copy into every root, and has everything forgotten. */
  exchangeKernelTable(where: number, what: number): void {
    const region = this.kernelRegion(where);
    const old = this.kernelTable(region);
    const copy = this.freeTables.pop();
    if (copy === undefined) return;
    this.filled[copy] = true;
    const width = region === 0 ? this.leafWidth : this.layout.slots.length;
    for (let slot = 0; slot < width; slot++) this.storeLeaf(copy, slot, this.leafWord(old, slot));
    this.storeLeaf(copy, this.slot(where), kernelLeaf(this.layout, what));
    this.linkKernelTable(region, this.places.leafTablePage(copy) * PAGE_BYTES + (FULL & ~(what & US)));
    this.flush('all');
    this.freeTables.push(old);
  }

  private linkKernelTable(region: number, upper: number): void {
    this.kernelWords[region] = upper;
    if (this.pae) return this.store(this.places.kernelMiddle(region), upper);
    const number = this.layout.kernelRegions[region] ?? 0;
    for (let root = 0; root < this.built.length; root++) {
      if (this.built[root]) this.store(this.places.rootEntry(root, number), upper);
    }
  }

  // Roots.

  switch(where: number, what: number): void {
    this.switchTo(this.anyRoot(where), what >>> 0);
  }

  /** The switch's own allocation may fail, and later ones do not. */
  switchUnderPressure(where: number, what: number): void {
    this.buildRoot(this.anyRoot(where));
    this.steps.push({ op: 'fail-alloc', count: 1 });
    this.switch(where, what);
    this.steps.push({ op: 'fail-alloc', count: 0 });
  }

  private switchTo(root: number, draw: number): void {
    this.buildRoot(root);
    this.steps.push({ op: 'new-pgtable', root: paddr(this.places.root(root)), draw });
    this.current = root;
    this.known[root] = true;
  }

  /** Gives a root the kernel half; its user half is empty until somebody maps there. */
  private buildRoot(root: number): void {
    if (this.built[root]) return;
    this.built[root] = true;
    const { kernelRegions, kernelTops, firstMiddle } = this.layout;
    if (this.pae) {
      for (let index = 0; index < kernelTops.length; index++) {
        const address = this.places.rootEntry(root, kernelTops[index] ?? 0);
        this.store(address, (firstMiddle + index) * PAGE_BYTES + P);
      }
    } else {
      for (let region = 0; region < kernelRegions.length; region++) {
        this.store(this.places.rootEntry(root, kernelRegions[region] ?? 0), this.kernelWords[region] ?? 0);
      }
    }
  }

  /** Takes a root out of use: its user entries go, and are announced as gone (rule 4). */
  retire(where: number): void {
    const root = this.anyRoot(where);
    if (root === this.current || !this.built[root]) return;
    for (let top = 0; this.pae && top < this.layout.userTops.length; top++) this.unlinkTop(root, top);
    for (let region = 0; region < this.layout.userRegions.length; region++) this.releaseRegion(root, region);
    this.built[root] = false;
    this.known[root] = false;
  }

  /** In PAE the middle table is unlinked by now, and nothing in it need be announced. */
  private releaseRegion(root: number, region: number): void {
    const old = this.upperWord(root, region);
    if (old === 0) return;
    this.upperWords[root * this.layout.userRegions.length + region] = 0;
    this.store(this.places.upper(root, region), 0);
    if (!this.pae) this.tellTop(root, this.layout.userRegions[region] ?? 0);
    this.freeTables.push(this.places.leafTableAt(old));
  }

  // Everything else.

  access(where: number, what: number): void {
    // Regions without a table are touched less often: there is little to see.
    const empty = !this.reachable(this.current, this.userRegion(where)) && (where & 0x1c000000) !== 0;
    const kernel = empty || (where & 0x3000000) === 0;
    const odd = (what & 0x1c) === 0;
    this.pushAccess(this.somewhere(where, what, kernel), (what & 1) !== 0, kernel === odd);
  }

  private somewhere(where: number, what: number, kernel: boolean): number {
    const { geometry, kernelRegions, userRegions } = this.layout;
    const rare = (what >>> 5) & 0x7f;
    if (rare === 0) return geometry.switcherAddress + ((what >>> 12) & 0xffff);
    if (rare <= 3) return where >>> 0;
    const regions = kernel ? kernelRegions : userRegions;
    return this.places.page(regions[choose(where, regions.length)] ?? 0, this.slot(where)) + (what >>> 20);
  }

  /** Asks only for what is mapped: asking for anything else is deadly. */
  guestPa(where: number, what: number): void {
    const region = this.userRegion(where);
    const table = this.tableOf(this.current, region);
    const slot = this.slot(where);
    if (table === undefined || !this.reachable(this.current, region)) return;
    if ((this.leafWord(table, slot) & P) === 0) return;
    const page = this.places.page(this.layout.userRegions[region] ?? 0, slot);
    this.steps.push({ op: 'guest-pa', vaddr: vaddr(page + (what >>> 20)) });
  }

  setStack(what: number): void {
    const unused = what & 0x100 ? 0 : what >>> 20;
    this.steps.push({ op: 'set-stack', esp: vaddr(this.places.stackTop - unused), pages: choose(what, 3) });
  }

  migrate(what: number): void {
    this.steps.push({ op: 'migrate', cpu: choose(what, this.layout.machine.hostCpus) });
  }

  flush(scope: FlushScope): void {
    this.steps.push({ op: 'flush-tlb', scope });
  }

  // What `where` chooses.

  private anyRoot(where: number): number {
    return choose(where >>> 16, this.layout.roots.length);
  }

  /** Three times in four the root that the guest runs on. */
  private someRoot(where: number): number {
    return (where & 0x30000) !== 0 ? this.current : this.anyRoot(where);
  }

  private userRegion(where: number): number {
    return choose(where, this.layout.userRegions.length);
  }

  private kernelRegion(where: number): number {
    return choose(where, this.layout.kernelRegions.length);
  }

  private slot(where: number): number {
    return choose(where >>> 8, this.layout.slots.length);
  }

  // What the guest remembers.

  private isTopLinked(root: number, top: number): boolean {
    return this.topLinked[root * this.layout.userTops.length + top] ?? false;
  }

  private upperWord(root: number, region: number): number {
    return this.upperWords[root * this.layout.userRegions.length + region] ?? 0;
  }

  /** The leaf table that a root's region has, reachable or not. */
  private tableOf(root: number, region: number): number | undefined {
    const upper = this.upperWord(root, region);
    return upper === 0 ? undefined : this.places.leafTableAt(upper);
  }

  private kernelTable(region: number): number {
    return this.places.leafTableAt(this.kernelWords[region] ?? 0);
  }

  /** A root's region has a table, and the CPU finds it. */
  private reachable(root: number, region: number): boolean {
    const linked = !this.pae || this.isTopLinked(root, this.places.userTop(region));
    return linked && this.upperWord(root, region) !== 0;
  }

  private leafWord(table: number, slot: number): number {
    return this.leafWords[table * this.leafWidth + slot] ?? 0;
  }

  // Steps.

  private store(address: number, value: number): void {
    this.steps.push({ op: 'store', paddr: paddr(address), value: guestEntry(value) });
  }

  private storeLeaf(table: number, slot: number, value: number): void {
    this.leafWords[table * this.leafWidth + slot] = value;
    this.store(this.places.leaf(table, slot), value);
  }

  /** `region` is the region's own number. */
  private tellLeaf(root: number, region: number, slot: number, value: number): void {
    const address = this.places.page(region, slot);
    this.steps.push({
      op: 'set-pte',
      root: paddr(this.places.root(root)),
      vaddr: vaddr(address),
      pte: guestEntry(value),
    });
  }

  private tellTop(root: number, number: number): void {
    this.steps.push({ op: 'set-pgd', root: paddr(this.places.root(root)), index: number });
  }

  private tellMiddle(root: number, region: number): void {
    const page = this.places.middlePage(root, this.places.userTop(region));
    const index = middleOf(this.layout.geometry, this.layout.userRegions[region] ?? 0);
    this.steps.push({ op: 'set-pmd', pmd: paddr(page * PAGE_BYTES), index });
  }

  private pushAccess(address: number, read: boolean, user: boolean): void {
    const kind = read ? 'read' : 'write';
    this.steps.push({ op: 'access', vaddr: vaddr(address), kind, mode: user ? 'user' : 'kernel' });
  }
}
