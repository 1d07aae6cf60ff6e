/**
 * The CPU's side of the shadow tables: what a load or a store of the guest meets. It trusts the tables as hardware does, which
 * is why everything else in this folder must not let a wrong word in.
 */

import type { Paddr, Slot, Vaddr } from '../model/vocabulary/index.js';
import { paddr } from '../model/vocabulary/index.js';
import { GUEST_FRAME } from './frames.js';
import type { ShadowTables } from './shadow-tables.js';
import type { HostMemory } from './host-memory.js';
import { PRESENT, frameOf } from './shadow-entry.js';

export class Mmu {
  /** Where the last translation that went through led, in the guest's terms. */
  paddr: Paddr = paddr(0);

  private readonly host: HostMemory;
  private readonly tables: ShadowTables;

  constructor(host: HostMemory, tables: ShadowTables) {
    this.host = host;
    this.tables = tables;
  }

  /** The shadow maps the address with all of `rights` (bits of `shadow-entry.ts`), at the upper entry and at the leaf. */
  translates(slot: Slot, address: Vaddr, rights: number): boolean {
    return this.tables.findTable(slot, address) && this.permits(address, rights);
  }

  /** The same, of an address whose table `findTable` has just found. */
  permits(address: Vaddr, rights: number): boolean {
    const { words } = this.host;
    const needed = rights | PRESENT;
    const leaf = words[this.tables.leafOffset];
    if ((words[this.tables.upperOffset] & leaf & needed) !== needed) return false;
    this.paddr = paddr(((frameOf(leaf) - GUEST_FRAME) << 12) | (address & 0xfff));
    return true;
  }
}
