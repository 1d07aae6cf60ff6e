/** The guest's kernel stack must be mapped whenever it runs, because traps push on it (`pin_stack_pages`, `pin_page`). */

import type { Vaddr } from '../model/vocabulary/index.js';
import { FAULT_WRITE, KILL } from '../model/vocabulary/index.js';
import type { Demand } from './demand.js';
import type { GuestState } from './guest-state.js';
import type { Mmu } from './mmu.js';
import { WRITABLE } from './shadow-entry.js';

export class Stack {
  private readonly guest: GuestState;
  private readonly mmu: Mmu;
  private readonly demand: Demand;

  constructor(guest: GuestState, mmu: Mmu, demand: Demand) {
    this.guest = guest;
    this.mmu = mmu;
    this.demand = demand;
  }

  /** Pins every stack page in the current slot; one that cannot be pinned kills the guest. */
  pin(): void {
    for (let index = 0; index < this.guest.stackPages && this.guest.killedFor === undefined; index++) {
      const address = this.guest.stackPage(index);
      if (!this.pinned(address)) this.guest.kill(KILL.badStackPage(address));
    }
  }

  /** The Switcher's addresses are never a stack. */
  pinned(address: Vaddr): boolean {
    if (address >= this.guest.sizes.switcherAddress) return false;
    return this.writable(address) || this.demand.page(address, FAULT_WRITE) === 'mapped';
  }

  writable(address: Vaddr): boolean {
    return this.mmu.translates(this.guest.current, address, WRITABLE);
  }
}
