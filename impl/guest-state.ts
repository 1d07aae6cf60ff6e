/** What the hypervisor knows of its guest, apart from memory, tables and the stack. */

import type { Killed, MachineConfig, Paddr, PagingSizes, Slot, Vaddr } from '../model/vocabulary/index.js';
import { pagingSizes, slot, vaddr } from '../model/vocabulary/index.js';

export class GuestState {
  sizes: PagingSizes = pagingSizes('2-level');
  pae = false;
  guestPages = 0;
  devicePages = 0;
  hostCpus = 1;

  /** The kill that ended the guest; the first one wins. */
  killedFor: Killed | undefined = undefined;
  initialized = false;
  /** Every address maps to itself until the guest's first root. */
  linear = true;
  /** 0 until `init`, so that the user half is empty. */
  kernelAddress: Vaddr = vaddr(0);
  /** The host CPU that the guest runs on. */
  cpu = 0;
  /** The slot that the guest runs on. */
  current: Slot = slot(0);

  reset(config: MachineConfig): void {
    this.sizes = pagingSizes(config.paging);
    this.pae = config.paging === 'pae';
    this.guestPages = config.guestPages;
    this.devicePages = config.devicePages;
    this.hostCpus = config.hostCpus;
    this.killedFor = undefined;
    this.initialized = false;
    this.linear = true;
    this.kernelAddress = vaddr(0);
    this.cpu = 0;
    this.current = slot(0);
  }

  kill(kill: Killed): void {
    this.killedFor ??= kill;
  }

  inRam(address: Paddr): boolean {
    return address < this.guestPages * 4096;
  }
}
