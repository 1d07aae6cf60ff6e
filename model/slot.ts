/** A slot of the pgdir cache: a shadow root and everything under it (machine.md 1, Slots and Switcher). */

import type { Rights } from './entry.js';
import { ALL_RIGHTS, bothRights, includesRights } from './entry.js';
import type { GuestReferences, HostPages } from './host-pages.js';
import type { Cpu, Killed, PagingSizes, Paddr, Pfn, Vaddr, Vpn } from './vocabulary/index.js';
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

/** How many slots map each of the Switcher's pages. */
export interface SwitcherCounts {
  text: number;
  readonly state: number[];
  registers: number;
}

/** Where a slot's tables and references come from. All slots of a machine share it. */
export interface SlotSupplies {
  readonly sizes: PagingSizes;
  readonly hostPages: HostPages;
  readonly references: GuestReferences;
  readonly switcher: SwitcherCounts;
}

export class ShadowSlot {
  hasRoot = false;
  /** The guest root that the slot shadows. */
  gpgdir: Paddr | undefined = undefined;
  switcherMapped = false;
  /** The host CPU whose Switcher pages the slot maps. */
  switcherCpu: Cpu | undefined = undefined;
  /** PAE middle tables, by index of the top entry. */
  readonly middleTables = new Set<number>();
  /** Leaf tables, by first address / reach. The Switcher's own leaves are not in its table; the two fields above stand for them. */
  readonly leafTables = new Map<number, LeafTable>();
  private readonly supplies: SlotSupplies;

  constructor(supplies: SlotSupplies) {
    this.supplies = supplies;
  }

  /** Returns false if the host has no page. */
  allocateRoot(): boolean {
    this.hasRoot = this.supplies.hostPages.allocate();
    return this.hasRoot;
  }

  /** The leaf that maps an address, if the leaf and its upper entry allow what is needed. */
  leafAllowing(address: Vaddr, needed: Rights): ShadowLeaf | undefined {
    const table = this.leafTable(address);
    const leaf = table?.leaves.get(vpnOf(address));
    if (table === undefined || leaf === undefined) return undefined;
    return includesRights(bothRights(table.upperRights, leaf.rights), needed) ? leaf : undefined;
  }

  hasLeafTable(address: Vaddr): boolean {
    return this.leafTable(address) !== undefined;
  }

  /** Finds or makes the tables for an address, and gives their upper entry these rights (machine.md 3, demand, 6). */
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

  /** Installs a leaf whose page was taken. There is a table for it, and no leaf in its place. */
  install(address: Vaddr, leaf: ShadowLeaf): void {
    this.leafTable(address)!.leaves.set(vpnOf(address), leaf);
  }

  /** Releases the leaf for an address, if there is one, and clears it. There is a table for it. */
  releaseLeaf(address: Vaddr): void {
    this.releaseLeafOf(this.leafTable(address)!, vpnOf(address));
  }

  /**
   * Releases every leaf whose page begins in `first … end − 1`, and every table that lies wholly in that range. Other tables
   * stay, even if they become empty.
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

  /** Releases everything but the root page. */
  releaseAll(): void {
    this.release(0, ADDRESS_SPACE_BYTES);
  }

  /** Releases everything under one entry of the root. */
  releaseTopEntry(index: number): void {
    const reach = this.supplies.sizes.rootEntryReach;
    this.release(index * reach, (index + 1) * reach);
  }

  /** Releases every mapping below kernelAddress (machine.md 3, flush user half). */
  flushUserHalf(kernelAddress: Vaddr): void {
    this.release(0, kernelAddress);
  }

  /** Releases everything, and the root page too. */
  free(): void {
    this.releaseAll();
    if (this.hasRoot) this.supplies.hostPages.free();
    this.hasRoot = false;
  }

  /** Makes tables as needed, and maps the text page. A CPU's own pages follow when the guest is entered. */
  mapSwitcher(): Killed | undefined {
    const { sizes, switcher } = this.supplies;
    const killed = this.makeTables(sizes.switcherAddress, ALL_RIGHTS);
    if (killed !== undefined) return killed;
    switcher.text += 1;
    this.switcherMapped = true;
    return undefined;
  }

  /** Maps this host CPU's Switcher pages in place of another CPU's. */
  mapSwitcherFor(cpu: Cpu): void {
    if (this.switcherCpu === cpu) return;
    this.unmapSwitcherCpu();
    this.supplies.switcher.state[cpu] += 1;
    this.supplies.switcher.registers += 1;
    this.switcherCpu = cpu;
  }

  private unmapSwitcherCpu(): void {
    if (this.switcherCpu === undefined) return;
    this.supplies.switcher.state[this.switcherCpu] -= 1;
    this.supplies.switcher.registers -= 1;
    this.switcherCpu = undefined;
  }

  private unmapSwitcher(): void {
    this.unmapSwitcherCpu();
    this.supplies.switcher.text -= 1;
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

  /** Frees a table whose leaves are gone. With the Switcher's own table the slot loses the Switcher. */
  private freeLeafTable(index: number): void {
    const { sizes, hostPages } = this.supplies;
    if (vaddr(index * sizes.leafTableReach) === sizes.switcherAddress) this.unmapSwitcher();
    this.leafTables.delete(index);
    hostPages.free();
  }
}
