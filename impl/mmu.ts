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
  private readonly host: HostMemory;
  private readonly tables: ShadowTables;

  constructor(host: HostMemory, tables: ShadowTables) {
    this.host = host;
    this.tables = tables;
  }

  /** The shadow maps the address with all of `rights` (bits of `shadow-entry.ts`), at the upper entry and at the leaf. */
  translates(slot: Slot, address: Vaddr, rights: number): boolean {
    return this.tables.findTable(slot, address) && this.permits(rights);
  }

  /** The same, of the address whose table was found last. */
  permits(rights: number): boolean {
    const { words } = this.host;
    const needed = rights | PRESENT;
    return (words[this.tables.upperOffset] & words[this.tables.leafOffset] & needed) === needed;
  }

  /** Where the address that was looked up last leads, in the guest's terms. */
  translated(address: Vaddr): Paddr {
    const leaf = this.host.words[this.tables.leafOffset];
    return paddr(((frameOf(leaf) - GUEST_FRAME) << 12) | (address & 0xfff));
  }
}
