/**
 * A guest that keeps the contract (machine.md 5, Coherent): it remembers what it stored, and announces every change before the changed
 * entry can be used. Macros lower to its methods. Roots, regions, tops and leaves are numbers in the layout's lists; leaf n of a table
 * is its entry `pteIndexes[n]`, and behind those come the two stack pages.
 */

import type { FlushScope, Step } from '../../model/vocabulary/index.js';
import { PAGE_BITS, PAGE_BYTES, hasFeature, paddr, vaddr } from '../../model/vocabulary/index.js';
import { A, D, FULL, G, P, PSE, RIGHTS, US } from '../entry-bits.js';
import type { CoherentLayout } from './coherent-layout.js';
import {
  CoherentPlaces,
  dataPage,
  entryOf,
  featureBits,
  kernelLeaf,
  largePage,
  lowOf,
  stackLeaf,
  userLeaf,
} from './coherent-layout.js';
import { addressOf, middleOf } from './geometry.js';
import * as fields from './macro-fields.js';

export class CoherentGuest {
  readonly steps: Step[] = [];
  private readonly layout: CoherentLayout;
  private readonly places: CoherentPlaces;
  private readonly pae: boolean;
  /** The root that the guest runs on. */
  private current = 0;
  /** The words of each leaf table, `leafWidth` of them. */
  private readonly leafWords: number[];
  private readonly leafWidth: number;
  /** The upper entry of each root's user regions: the PGD entry in 2-level, the PMD entry in PAE. */
  private readonly upperWords: number[];
  /** The upper entries of the kernel's regions, which all roots share. */
  private readonly kernelWords: number[];
  /** PAE: whether a root's top entry over its own middle table is present. */
  private readonly topLinked: boolean[] = [];
  /** Which roots have the kernel half. */
  private readonly built: boolean[] = [];
  /** The guest has run on this root since it was built, so the hypervisor may have cached its mappings. */
  private readonly known: boolean[] = [];
  /** Leaf tables that no root uses, and which tables were ever filled. */
  private readonly freeTables: number[] = [];
  private readonly filled: boolean[] = [];

  constructor(layout: CoherentLayout) {
    this.layout = layout;
    this.places = new CoherentPlaces(layout);
    this.pae = layout.geometry.paging === 'pae';
    this.leafWidth = layout.pteIndexes.length + 2;
    this.leafWords = new Array<number>(layout.leafTables * this.leafWidth).fill(0);
    this.upperWords = new Array<number>(layout.roots.length * layout.userRegions.length).fill(0);
    this.kernelWords = new Array<number>(layout.kernelRegions.length).fill(0);
    for (let table = layout.leafTables - 1; table >= 0; table--) this.freeTables.push(table);
  }

  // Startup.

  /** Everything up to and including the switch to the first root. */
  start(): void {
    const { bits, kernelAddress, kernelRegions, linearSteps } = this.layout;
    this.steps.push({ op: 'init', kernelAddress: vaddr(kernelAddress) });
    for (let i = 0; i < linearSteps; i++) this.touchLinear(Math.imul(bits, 2 * i + 1));
    for (let region = 0; region < kernelRegions.length; region++) this.buildKernelRegion(region, bits);
    this.switchTo(0, bits >>> 0);
  }

  private touchLinear(bits: number): void {
    const address = this.linearAddress(bits);
    const isQuestion = !this.isCpu && (bits & 0x38) === 0x38;
    if (isQuestion) this.steps.push({ op: 'guest-pa', vaddr: vaddr(address) });
    else this.pushAccess(address, (bits & 1) !== 0, (bits & 6) === 0);
  }

  /** Mostly in RAM, rarely in or past the devices or in the Switcher's window; in the profile `architecture` always in RAM. */
  private linearAddress(bits: number): number {
    const { machine, geometry } = this.layout;
    const { guestPages, devicePages } = machine;
    const rare = this.isCpu ? Infinity : bits >>> 25;
    const anywhere = bits >>> 4;
    if (rare === 0) return geometry.switcherAddress + (anywhere & 0xffff);
    if (rare === 1) return (guestPages + devicePages) * PAGE_BYTES + (anywhere & 0xffff);
    if (rare <= 8 && devicePages > 0) return guestPages * PAGE_BYTES + (anywhere % (devicePages * PAGE_BYTES));
    return anywhere % (guestPages * PAGE_BYTES);
  }

  private buildKernelRegion(region: number, bits: number): void {
    const table = this.freeTables.pop();
    if (table === undefined) return;
    const width = this.layout.pteIndexes.length;
    this.filled[table] = true;
    for (let leaf = 0; leaf < width; leaf++) {
      this.storeLeaf(table, leaf, kernelLeaf(this.layout, Math.imul(bits, 2 * leaf + 3)));
    }
    if (region === 0) {
      this.storeLeaf(table, width, stackLeaf(this.layout, bits));
      this.storeLeaf(table, width + 1, stackLeaf(this.layout, bits >>> 8));
    }
    this.kernelWords[region] = this.places.leafTablePage(table) * PAGE_BYTES + FULL;
    if (this.pae) this.store(this.places.kernelMiddle(region), this.kernelWords[region]);
  }

  // User leaves.

  map(target: number, choice: number): void {
    const root = this.someRoot(target);
    const region = this.userRegion(target);
    const table = this.tableFor(root, region, choice);
    if (table !== undefined) this.changeLeaf(root, region, table, target, userLeaf(this.layout, choice));
  }

  unmap(target: number, choice: number): void {
    this.editLeaf(target, (old) => (fields.isWhole(choice) ? 0 : old & ~P));
  }

  changeRights(target: number, choice: number): void {
    this.editLeaf(target, (old) => old ^ fields.rights(choice));
  }

  age(target: number, choice: number): void {
    this.editLeaf(target, (old) => old & ~(fields.isRemoval(choice) ? A | D : D));
  }

  private editLeaf(target: number, edit: (old: number) => number): void {
    const root = this.someRoot(target);
    const region = this.userRegion(target);
    const table = this.tableOf(root, region);
    if (table === undefined) return;
    const old = this.leafWord(table, this.leaf(target));
    const low = lowOf(old);
    this.changeLeaf(root, region, table, target, old - low + edit(low));
  }

  private changeLeaf(root: number, region: number, table: number, target: number, value: number): void {
    const leaf = this.leaf(target);
    this.storeLeaf(table, leaf, value);
    const page = this.places.page(this.layout.userRegions[region] ?? 0, leaf);
    this.announceLeaf(root, page + fields.announcedOffset(target), value);
  }

  /** Maps a page past the devices and touches it. The leaf is not accessed, so its announcement does not kill yet. */
  blunder(target: number, choice: number): void {
    const region = this.userRegion(target);
    const table = this.tableFor(this.current, region, choice);
    if (table === undefined) return;
    const { guestPages, devicePages } = this.layout.machine;
    this.changeLeaf(this.current, region, table, target, (guestPages + devicePages) * PAGE_BYTES + RIGHTS);
    const page = this.places.page(this.layout.userRegions[region] ?? 0, this.leaf(target));
    this.pushAccess(page + fields.offset(choice), fields.isRead(choice), fields.isUser(choice));
  }

  // User tables.

  /** The leaf table of a root's region, made and linked if there is none; undefined if the guest has no table left. */
  private tableFor(root: number, region: number, choice: number): number | undefined {
    this.buildRoot(root);
    if (this.pae) this.linkTop(root, this.places.userTop(region));
    return this.tableOf(root, region) ?? this.linkFreshTable(root, region, choice);
  }

  private linkFreshTable(root: number, region: number, choice: number): number | undefined {
    const table = this.freeTables.pop();
    if (table === undefined) return undefined;
    this.fillTable(table, choice);
    this.storeUpper(root, region, this.places.leafTablePage(table) * PAGE_BYTES + FULL, choice);
    return table;
  }

  /** Fills a table when it is first used; later it returns as it was left. No entry leads to it yet, so nothing is announced. */
  private fillTable(table: number, choice: number): void {
    if (this.filled[table]) return this.clearGlobals(table);
    this.filled[table] = true;
    for (let leaf = 0; leaf < this.layout.pteIndexes.length; leaf++) {
      this.storeLeaf(table, leaf, userLeaf(this.layout, Math.imul(choice, 2 * leaf + 3)));
    }
  }

  /** The table may have been the kernel's. */
  private clearGlobals(table: number): void {
    if (!hasFeature(this.layout.machine, 'global-pages')) return;
    for (let leaf = 0; leaf < this.leafWidth; leaf++) {
      const word = this.leafWord(table, leaf);
      if ((word & G) !== 0) this.storeLeaf(table, leaf, word - G);
    }
  }

  /** Exchanges the leaf table of a region, or removes it. */
  swapTable(target: number, choice: number): void {
    const root = this.someRoot(target);
    const region = this.userRegion(target);
    const old = this.tableOf(root, region);
    if (old === undefined) return;
    if (fields.isRemoval(choice)) this.storeUpper(root, region, 0, choice);
    else if (this.linkFreshTable(root, region, choice) === undefined) return;
    this.freeTables.push(old);
  }

  changeUpperRights(target: number, choice: number): void {
    const root = this.someRoot(target);
    const region = this.userRegion(target);
    const old = this.upperWord(root, region);
    // Mostly back to full rights, or user pages would soon be out of reach.
    const lost = fields.isWhole(choice) ? 0 : fields.rights(choice) | fields.accessedDirty(choice);
    if (old === 0) return;
    const kept = (old & -PAGE_BYTES) | (old & PSE);
    this.storeUpper(root, region, (kept | (FULL & ~lost)) + featureBits(this.layout, choice), choice);
  }

  toggleTop(target: number): void {
    if (!this.pae) return;
    const root = this.someRoot(target);
    const top = fields.region(target, this.layout.userTops.length);
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
    const index = this.layout.userTops[top] ?? 0;
    this.topLinked[root * this.layout.userTops.length + top] = linked;
    this.store(this.places.rootEntry(root, index), value);
    if (this.known[root]) this.announceTop(root, index);
  }

  /** Stores the upper entry of a root's region and announces it. */
  private storeUpper(root: number, region: number, value: number, choice: number): void {
    const old = this.upperWord(root, region);
    this.upperWords[root * this.layout.userRegions.length + region] = value;
    this.store(this.places.upper(root, region), value);
    if (!this.known[root]) return;
    const variant = fields.announcement(choice);
    if (variant >= 16 && isLarge(old) && (value === 0 || isLarge(value)))
      this.announceLargePage(root, this.layout.userRegions[region] ?? 0, variant, value);
    else this.announceUpper(root, region, variant);
  }

  /** By any of its addresses. */
  private announceLargePage(root: number, region: number, variant: number, value: number): void {
    this.announceLeaf(root, addressOf(this.layout.geometry, region, variant), value);
  }

  // Large pages, on a CPU that has them.

  changeLargePage(target: number, choice: number): void {
    const root = this.someRoot(target);
    const region = this.userRegion(target);
    this.buildRoot(root);
    if (this.pae) this.linkTop(root, this.places.userTop(region));
    const table = this.tableOf(root, region);
    const old = this.upperWord(root, region);
    if (isLarge(old) && !fields.isWhole(choice)) return this.storeUpper(root, region, 0, choice);
    this.storeUpper(root, region, largePage(this.layout, choice, false), choice);
    if (table !== undefined) this.freeTables.push(table);
  }

  changeKernelLargePage(target: number, choice: number): void {
    const region = this.kernelRegion(target);
    const table = this.kernelTable(region);
    const old = this.kernelWords[region] ?? 0;
    if (table === undefined && !fields.isWhole(choice)) return this.exchangeKernelTable(target, choice);
    this.linkKernelTable(region, largePage(this.layout, choice, true), table, old);
    if (table !== undefined) this.freeTables.push(table);
  }

  /** Rarely by a flush, which announces more than necessary. */
  private announceUpper(root: number, region: number, variant: number): void {
    if (variant === 0) this.flush('all');
    else if (variant <= 2 && root === this.current) this.flush('user');
    else if (this.pae) this.announceMiddle(root, region);
    else this.announceTop(root, this.layout.userRegions[region] ?? 0);
  }

  // The kernel half.

  mapKernel(target: number, choice: number): void {
    const region = this.kernelRegion(target);
    if (this.kernelTable(region) === undefined) return;
    const stack = region === 0 && fields.isStack(choice);
    const leaf = stack ? this.layout.pteIndexes.length + fields.stackPage(choice) : this.leaf(target);
    this.changeKernelLeaf(region, leaf, (stack ? stackLeaf : kernelLeaf)(this.layout, choice), target);
  }

  unmapKernel(target: number): void {
    this.changeKernelLeaf(this.kernelRegion(target), this.leaf(target), 0, target);
  }

  private changeKernelLeaf(region: number, leaf: number, value: number, target: number): void {
    const table = this.kernelTable(region);
    if (table === undefined) return;
    this.storeLeaf(table, leaf, value);
    // Any root will do: all of them share the kernel's leaves.
    const page = this.places.page(this.layout.kernelRegions[region] ?? 0, leaf);
    this.announceLeaf(this.anyRoot(target), page + fields.announcedOffset(target), value);
  }

  /** Copies a kernel leaf table, or fills one in the place of a large page, puts it into every root, and flushes everything (rule 2). */
  exchangeKernelTable(target: number, choice: number): void {
    const region = this.kernelRegion(target);
    const old = this.kernelTable(region);
    const copy = this.freeTables.pop();
    if (copy === undefined) return;
    this.filled[copy] = true;
    const width = region === 0 ? this.leafWidth : this.layout.pteIndexes.length;
    for (let leaf = 0; leaf < width; leaf++) {
      const word =
        old === undefined ? kernelLeaf(this.layout, Math.imul(choice, 2 * leaf + 3)) : this.leafWord(old, leaf);
      this.storeLeaf(copy, leaf, word);
    }
    this.storeLeaf(copy, this.leaf(target), kernelLeaf(this.layout, choice));
    const lost = fields.rights(choice) & US;
    const before = this.kernelWords[region] ?? 0;
    this.linkKernelTable(region, this.places.leafTablePage(copy) * PAGE_BYTES + (FULL & ~lost), old, before);
    if (old !== undefined) this.freeTables.push(old);
  }

  /** `table`: the one that was there before. */
  private linkKernelTable(region: number, upper: number, table: number | undefined, before: number): void {
    this.kernelWords[region] = upper;
    if (this.pae) this.store(this.places.kernelMiddle(region), upper);
    else this.storeInRoots(this.layout.kernelRegions[region] ?? 0, upper);
    this.flush('all');
    if (hasFeature(this.layout.machine, 'global-pages')) this.announceGlobals(region, table, before);
  }

  private storeInRoots(index: number, upper: number): void {
    for (let root = 0; root < this.layout.roots.length; root++) {
      if (this.built[root]) this.store(this.places.rootEntry(root, index), upper);
    }
  }

  /** What a region mapped as global outlives the flush: each page of the table, or the large page, that it had before. */
  private announceGlobals(region: number, table: number | undefined, before: number): void {
    const number = this.layout.kernelRegions[region] ?? 0;
    for (let leaf = 0; leaf < this.leafWidth; leaf++) {
      const old = table === undefined ? before : this.leafWord(table, leaf);
      if ((old & (P | G)) !== (P | G)) continue;
      this.announceLeaf(this.current, this.places.page(number, leaf), this.kernelWord(region, leaf));
      if (table === undefined) return;
    }
  }

  /** The entry that maps a kernel address. */
  private kernelWord(region: number, leaf: number): number {
    const table = this.kernelTable(region);
    return table === undefined ? (this.kernelWords[region] ?? 0) : this.leafWord(table, leaf);
  }

  // Roots.

  switch(target: number, choice: number): void {
    this.switchTo(this.anyRoot(target), fields.draw(choice));
  }

  /** The next host allocation fails, and only that of the switch can meet it. */
  switchUnderPressure(target: number, choice: number): void {
    this.buildRoot(this.anyRoot(target));
    this.steps.push({ op: 'fail-alloc', count: 1 });
    this.switch(target, choice);
    this.steps.push({ op: 'fail-alloc', count: 0 });
  }

  private switchTo(root: number, draw: number): void {
    this.buildRoot(root);
    this.steps.push({ op: 'new-pgtable', root: paddr(this.places.root(root)), draw });
    this.current = root;
    this.known[root] = true;
  }

  /** Gives a root the kernel half; its user half stays empty until the guest maps something there. */
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

  /** Retires a root: clears its user entries and announces that (rule 4). */
  retire(target: number): void {
    const root = this.anyRoot(target);
    if (root === this.current || !this.built[root]) return;
    for (let top = 0; this.pae && top < this.layout.userTops.length; top++) this.unlinkTop(root, top);
    for (let region = 0; region < this.layout.userRegions.length; region++) this.releaseRegion(root, region);
    this.built[root] = false;
    this.known[root] = false;
  }

  /** In PAE the middle table is unlinked by now, so its entries need no announcement. */
  private releaseRegion(root: number, region: number): void {
    const old = this.upperWord(root, region);
    if (old === 0) return;
    this.upperWords[root * this.layout.userRegions.length + region] = 0;
    this.store(this.places.upper(root, region), 0);
    if (!this.pae) this.announceTop(root, this.layout.userRegions[region] ?? 0);
    if (!isLarge(old)) this.freeTables.push(this.places.leafTableAt(old));
  }

  // Everything else.

  access(target: number, choice: number): void {
    // Regions without a table are touched less often: every access there faults.
    const avoided = !this.reachable(this.current, this.userRegion(target)) && !fields.mayBeEmpty(target);
    const kernel = avoided || fields.isKernel(target);
    const user = kernel === fields.isOddMode(choice);
    this.pushAccess(this.inRam(this.somewhere(target, choice, kernel)), fields.isRead(choice), user);
    if (hasFeature(this.layout.machine, 'no-execute') && fields.isFetch(choice)) this.fetchInstead();
  }

  private fetchInstead(): void {
    const last = this.steps.pop();
    if (last?.op === 'access') this.steps.push({ ...last, kind: 'execute' });
  }

  /** A large page reaches beyond RAM and over all tables; the guest uses the data pages in it alone. */
  private inRam(address: number): number {
    const { layout } = this;
    if (!hasFeature(layout.machine, 'large-pages')) return address;
    const region = address >>> layout.geometry.regionBits;
    const user = layout.userRegions.indexOf(region);
    const upper =
      user === -1 ? (this.kernelWords[layout.kernelRegions.indexOf(region)] ?? 0) : this.upperWord(this.current, user);
    if (!isLarge(upper)) return address;
    const page = dataPage(layout, address >>> PAGE_BITS);
    return addressOf(layout.geometry, region, page) + (address % PAGE_BYTES);
  }

  private somewhere(target: number, choice: number, kernel: boolean): number {
    const { geometry, kernelRegions, userRegions } = this.layout;
    const rare = fields.place(choice);
    if (rare <= 3 && this.isCpu) return fields.address(target) % geometry.switcherAddress;
    if (rare === 0) return geometry.switcherAddress + fields.switcherOffset(choice);
    if (rare <= 3) return fields.address(target);
    const regions = kernel ? kernelRegions : userRegions;
    const region = regions[fields.region(target, regions.length)] ?? 0;
    return this.places.page(region, this.leaf(target)) + fields.offset(choice);
  }

  /** Queries mapped addresses only: any other query kills the guest. */
  guestPa(target: number, choice: number): void {
    const region = this.userRegion(target);
    const table = this.tableOf(this.current, region);
    const leaf = this.leaf(target);
    if (table === undefined || !this.reachable(this.current, region)) return;
    if ((this.leafWord(table, leaf) & P) === 0) return;
    const page = this.places.page(this.layout.userRegions[region] ?? 0, leaf);
    this.steps.push({ op: 'guest-pa', vaddr: vaddr(page + fields.offset(choice)) });
  }

  setStack(choice: number): void {
    const pages = fields.oneOf(choice, 3);
    this.steps.push({ op: 'set-stack', esp: vaddr(this.places.stackTop - fields.unusedStack(choice)), pages });
  }

  migrate(choice: number): void {
    this.steps.push({ op: 'migrate', cpu: fields.oneOf(choice, this.layout.machine.hostCpus) });
  }

  flush(scope: FlushScope): void {
    this.steps.push({ op: 'flush-tlb', scope });
  }

  /** In the profile `architecture` the guest does nothing that a CPU has no name for, and leaves the window at the top alone. */
  private get isCpu(): boolean {
    return this.layout.profile === 'architecture';
  }

  // Targets.

  private anyRoot(target: number): number {
    return fields.root(target, this.layout.roots.length);
  }

  private someRoot(target: number): number {
    return fields.isCurrentRoot(target) ? this.current : this.anyRoot(target);
  }

  private userRegion(target: number): number {
    return fields.region(target, this.layout.userRegions.length);
  }

  private kernelRegion(target: number): number {
    return fields.region(target, this.layout.kernelRegions.length);
  }

  private leaf(target: number): number {
    return fields.leaf(target, this.layout.pteIndexes.length);
  }

  // What the guest remembers.

  private isTopLinked(root: number, top: number): boolean {
    return this.topLinked[root * this.layout.userTops.length + top] ?? false;
  }

  private upperWord(root: number, region: number): number {
    return this.upperWords[root * this.layout.userRegions.length + region] ?? 0;
  }

  /** The leaf table of a root's region, whether the root's tables lead there or not. */
  private tableOf(root: number, region: number): number | undefined {
    const upper = this.upperWord(root, region);
    return upper === 0 || isLarge(upper) ? undefined : this.places.leafTableAt(upper);
  }

  /** Undefined for a large page. */
  private kernelTable(region: number): number | undefined {
    const upper = this.kernelWords[region] ?? 0;
    return isLarge(upper) ? undefined : this.places.leafTableAt(upper);
  }

  /** A root's region has a table, and a walk finds it. */
  private reachable(root: number, region: number): boolean {
    const linked = !this.pae || this.isTopLinked(root, this.places.userTop(region));
    return linked && this.upperWord(root, region) !== 0;
  }

  private leafWord(table: number, leaf: number): number {
    return this.leafWords[table * this.leafWidth + leaf] ?? 0;
  }

  // Steps.

  private store(address: number, value: number): void {
    this.steps.push({ op: 'store', paddr: paddr(address), value: entryOf(value) });
  }

  private storeLeaf(table: number, leaf: number, value: number): void {
    this.leafWords[table * this.leafWidth + leaf] = value;
    this.store(this.places.leaf(table, leaf), value);
  }

  private announceLeaf(root: number, address: number, value: number): void {
    const pte = entryOf(value);
    this.steps.push({ op: 'set-pte', root: paddr(this.places.root(root)), vaddr: vaddr(address), pte });
  }

  private announceTop(root: number, index: number): void {
    this.steps.push({ op: 'set-pgd', root: paddr(this.places.root(root)), index });
  }

  private announceMiddle(root: number, region: number): void {
    const page = this.places.middlePage(root, this.places.userTop(region));
    const index = middleOf(this.layout.geometry, this.layout.userRegions[region] ?? 0);
    this.steps.push({ op: 'set-pmd', pmd: paddr(page * PAGE_BYTES), index });
  }

  private pushAccess(address: number, read: boolean, user: boolean): void {
    const kind = read ? 'read' : 'write';
    this.steps.push({ op: 'access', vaddr: vaddr(address), kind, mode: user ? 'user' : 'kernel' });
  }
}

const isLarge = (upper: number): boolean => (upper & PSE) !== 0;
