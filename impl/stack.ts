/** The guest's kernel stack, which must be mapped whenever the guest runs because traps push on it (`pin_stack_pages`, `pin_page`). */

import type { Vaddr } from '../model/vocabulary/index.js';
import { FAULT_WRITE, KILL, MOST_STACK_PAGES, vaddr } from '../model/vocabulary/index.js';
import type { Demand } from './demand.js';
import type { GuestState } from './guest-state.js';
import { WRITABLE } from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';

export class Stack {
  /** The address above the stack: the first push goes below it. */
  top: Vaddr = vaddr(0);
  pages = 0;

  private readonly guest: GuestState;
  private readonly tables: ShadowTables;
  private readonly demand: Demand;

  constructor(parts: { guest: GuestState; tables: ShadowTables; demand: Demand }) {
    this.guest = parts.guest;
    this.tables = parts.tables;
    this.demand = parts.demand;
  }

  reset(): void {
    this.top = vaddr(0);
    this.pages = 0;
  }

  /** Machine.md 3, set-stack. */
  set(top: Vaddr, pages: number): void {
    if (pages > MOST_STACK_PAGES) return this.guest.kill(KILL.badStackPages(pages));
    this.top = top;
    this.pages = pages;
    this.pin();
  }

  /** Pins every stack page in the current slot. A page that cannot be pinned kills the guest (machine.md 3, pin the stack). */
  pin(): void {
    for (let index = 0; index < this.pages && this.guest.killedFor === undefined; index++) {
      const address = this.lastByteOf(index);
      if (!this.pinned(address)) this.guest.kill(KILL.badStackPage(address));
    }
  }

  /** The address of the last byte of a stack page; page 0 is the topmost. */
  lastByteOf(index: number): Vaddr {
    return vaddr(this.top - 1 - 4096 * index);
  }

  /** An address in the Switcher's window is refused, whatever is mapped there. */
  pinned(address: Vaddr): boolean {
    if (address >= this.guest.sizes.switcherAddress) return false;
    return this.writable(address) || this.demand.page(address, FAULT_WRITE) === 'mapped';
  }

  writable(address: Vaddr): boolean {
    return this.tables.translates(this.guest.current, address, WRITABLE);
  }
}
