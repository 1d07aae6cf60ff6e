/** A slot of the pgdir cache: a shadow root and everything under it (machine.md 1, Slots and Switcher). */

import type { Rights } from './entry.js';
import { ALL_RIGHTS, bothRights, includesRights } from './entry.js';
import { FACT } from './facts.js';
import type { HostPages } from './host-pages.js';
import type { GuestReferences } from './references.js';
import type { Cpu, Killed, PagingSizes, Paddr, Pfn, Slot, StateSink, Vaddr, Vpn } from './vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, KILL, vaddr, vaddrOf, vpnOf } from './vocabulary/index.js';

/** A present shadow leaf. It holds one reference on its page. */
export interface ShadowLeaf {
  readonly page: Pfn;
  readonly rights: Rights;
}

interface LeafTable {
  /** RW and US of the upper entry: the PGD entry in 2-level, the PMD entry in PAE. */
  upperRights: Rights;
  readonly leaves: Map<Vpn, ShadowLeaf>;
}

/** References on the Switcher's pages, by slots that map them. */
export interface SwitcherCounts {
  text: number;
  readonly state: number[];
  registers: number;
}

/** Where a slot's tables and references come from; all slots of a machine share it. */
export interface SlotSupplies {
  readonly sizes: PagingSizes;
  readonly hostPages: HostPages;
  readonly references: GuestReferences;
  readonly switcher: SwitcherCounts;
}

export class ShadowSlot {
  hasRoot = false;
  /** The guest root that it shadows. */
  gpgdir: Paddr | undefined = undefined;
  switcherMapped = false;
  /** The host CPU whose Switcher pages it maps. */
  switcherCpu: Cpu | undefined = undefined;
  /** PAE middle tables, by index of the top entry. */
  private readonly middleTables = new Set<number>();
  /** Leaf tables, by first address / reach. Of the Switcher's the leaves are not listed: two fields above say them. */
  private readonly leafTables = new Map<number, LeafTable>();
  private readonly supplies: SlotSupplies;

  constructor(supplies: SlotSupplies) {
    this.supplies = supplies;
  }

  /** Answers false if the host has no page. */
  allocateRoot(): boolean {
    this.hasRoot = this.supplies.hostPages.allocate();
    return this.hasRoot;
  }

  /** The leaf that maps an address, if it and its upper entry allow what is needed. */
  leafAllowing(address: Vaddr, needed: Rights): ShadowLeaf | undefined {
    const table = this.leafTable(address);
    const leaf = table?.leaves.get(vpnOf(address));
    if (table === undefined || leaf === undefined) return undefined;
    return includesRights(bothRights(table.upperRights, leaf.rights), needed) ? leaf : undefined;
  }

  hasLeafTable(address: Vaddr): boolean {
    return this.leafTable(address) !== undefined;
  }

  /** Finds or makes the tables for an address, and gives their upper entry these rights. */
  makeTables(address: Vaddr, upperRights: Rights): Killed | undefined {
    const { sizes, hostPages } = this.supplies;
    if (sizes.paging === 'pae') {
      const top = Math.floor(address / sizes.rootEntryReach);
      if (!this.middleTables.has(top)) {
        if (!hostPages.allocate()) return KILL.noPteTable;
        this.middleTables.add(top);
      }
    }
    const table = this.leafTable(address);
    if (table === undefined) {
      if (!hostPages.allocate()) return sizes.paging === 'pae' ? KILL.noPmdTable : KILL.noPteTable;
      this.leafTables.set(Math.floor(address / sizes.leafTableReach), { upperRights, leaves: new Map() });
    } else {
      table.upperRights = upperRights;
    }
    return undefined;
  }

  /** Installs a leaf whose page was taken, where a table is and no leaf. */
  install(address: Vaddr, leaf: ShadowLeaf): void {
    const table = this.leafTable(address);
    if (table === undefined) throw new Error(`the model has no table for ${address}`);
    table.leaves.set(vpnOf(address), leaf);
  }

  /** Releases the leaf for an address, if there is one, and clears it. */
  releaseLeaf(address: Vaddr): void {
    const table = this.leafTable(address);
    if (table !== undefined) this.releaseLeafOf(table, vpnOf(address));
  }

  /**
   * Releases every leaf whose page begins in `first … end − 1`, and every table that lies wholly there. Other tables
   * stay, even when they become empty.
   */
  release(first: number, end: number): void {
    const { sizes, hostPages } = this.supplies;
    for (const [index, table] of this.leafTables) {
      const from = index * sizes.leafTableReach;
      const to = from + sizes.leafTableReach;
      if (to <= first || end <= from) continue;
      for (const page of table.leaves.keys()) {
        const begin = vaddrOf(page);
        if (first <= begin && begin < end) this.releaseLeafOf(table, page);
      }
      if (first <= from && to <= end) this.freeLeafTable(index);
    }
    for (const index of this.middleTables) {
      const from = index * sizes.rootEntryReach;
      if (first <= from && from + sizes.rootEntryReach <= end) {
        this.middleTables.delete(index);
        hostPages.free();
      }
    }
  }

  /** Everything but the root page. */
  releaseAll(): void {
    this.release(0, ADDRESS_SPACE_BYTES);
  }

  /** Everything under one entry of the root. */
  releaseTopEntry(index: number): void {
    const reach = this.supplies.sizes.rootEntryReach;
    this.release(index * reach, (index + 1) * reach);
  }

  /** Every mapping below kernelAddress (machine.md 3, flush user half). */
  flushUserHalf(kernelAddress: Vaddr): void {
    this.release(0, kernelAddress);
  }

  /** Releases everything, and the root page too. */
  free(): void {
    this.releaseAll();
    if (this.hasRoot) this.supplies.hostPages.free();
    this.hasRoot = false;
  }

  /** Where it is not mapped: tables as needed, then the text page. A CPU's own pages come when the guest is entered. */
  mapSwitcher(): Killed | undefined {
    const { sizes, switcher } = this.supplies;
    const killed = this.makeTables(sizes.switcherAddress, ALL_RIGHTS);
    if (killed !== undefined) return killed;
    switcher.text += 1;
    this.switcherMapped = true;
    return undefined;
  }

  /** Maps this host CPU's Switcher pages instead of whichever CPU's the slot has. */
  mapSwitcherFor(cpu: Cpu): void {
    if (this.switcherCpu === cpu) return;
    this.unmapSwitcherCpu();
    this.supplies.switcher.state[cpu] += 1;
    this.supplies.switcher.registers += 1;
    this.switcherCpu = cpu;
  }

  /** `number`: which of the four it is. */
  tellState(number: Slot, current: boolean, sink: StateSink): void {
    sink.slotFact(FACT.slot, number);
    sink.flag(current);
    sink.flag(this.hasRoot);
    sink.flag(this.switcherMapped);
    if (this.gpgdir !== undefined) {
      sink.slotFact(FACT.gpgdir, number);
      sink.address(this.gpgdir);
    }
    if (this.switcherCpu !== undefined) {
      sink.slotFact(FACT.switcherCpu, number);
      sink.cpu(this.switcherCpu);
    }
    this.tellTables(number, sink);
  }

  private tellTables(number: Slot, sink: StateSink): void {
    for (const index of this.middleTables) {
      sink.slotFact(FACT.middleTable, number);
      sink.number(index);
    }
    for (const [index, { upperRights, leaves }] of this.leafTables) {
      sink.slotFact(FACT.leafTable, number);
      sink.number(index);
      sink.number(upperRights);
      for (const [page, leaf] of leaves) {
        sink.slotFact(FACT.leaf, number);
        sink.number(page);
        sink.page(leaf.page);
        sink.number(leaf.rights);
      }
    }
  }

  private unmapSwitcherCpu(): void {
    if (this.switcherCpu === undefined) return;
    this.supplies.switcher.state[this.switcherCpu] -= 1;
    this.supplies.switcher.registers -= 1;
    this.switcherCpu = undefined;
  }

  private unmapSwitcher(): void {
    this.unmapSwitcherCpu();
    if (this.switcherMapped) this.supplies.switcher.text -= 1;
    this.switcherMapped = false;
  }

  private leafTable(address: Vaddr): LeafTable | undefined {
    return this.leafTables.get(Math.floor(address / this.supplies.sizes.leafTableReach));
  }

  private releaseLeafOf(table: LeafTable, page: Vpn): void {
    const leaf = table.leaves.get(page);
    if (leaf === undefined) return;
    table.leaves.delete(page);
    this.supplies.references.putBack(leaf.page);
  }

  /** Frees a table whose leaves are gone; the Switcher's goes with all that the slot has of the Switcher. */
  private freeLeafTable(index: number): void {
    const { sizes, hostPages } = this.supplies;
    if (vaddr(index * sizes.leafTableReach) === sizes.switcherAddress) this.unmapSwitcher();
    this.leafTables.delete(index);
    hostPages.free();
  }
}
