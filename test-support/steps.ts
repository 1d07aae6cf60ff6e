/** Machines and steps in short, from plain numbers. */

import type { AccessKind, AccessMode, FlushScope, MachineConfig, Protection, Step } from '../model/vocabulary/index.js';
import { guestEntry, paddr, vaddr } from '../model/vocabulary/index.js';

/** One page, one CPU and no device, but for what is given. */
export const machineOf = (changes: Partial<MachineConfig> = {}): MachineConfig => ({
  paging: '2-level',
  guestPages: 1,
  devicePages: 0,
  hostCpus: 1,
  draw: 0,
  failAllocation: 0,
  ...changes,
});

export const store = (address: number, low: number, high = 0): Step => ({
  op: 'store',
  paddr: paddr(address),
  value: guestEntry(low, high),
});

export const init = (kernelAddress = 0xc0000000): Step => ({ op: 'init', kernelAddress: vaddr(kernelAddress) });
export const newPgtable = (root: number, draw = 0): Step => ({ op: 'new-pgtable', root: paddr(root), draw });
export const flushTlb = (scope: FlushScope): Step => ({ op: 'flush-tlb', scope });
export const setStack = (esp: number, pages: number): Step => ({ op: 'set-stack', esp: vaddr(esp), pages });
export const setPgd = (root: number, index: number): Step => ({ op: 'set-pgd', root: paddr(root), index });

export const setPte = (root: number, address: number, low: number, high = 0): Step => ({
  op: 'set-pte',
  root: paddr(root),
  vaddr: vaddr(address),
  pte: guestEntry(low, high),
});

export const access = (address: number, kind: AccessKind = 'read', mode: AccessMode = 'kernel'): Step => ({
  op: 'access',
  vaddr: vaddr(address),
  kind,
  mode,
});

export const guestPa = (address: number): Step => ({ op: 'guest-pa', vaddr: vaddr(address) });
export const migrate = (cpu: number): Step => ({ op: 'migrate', cpu });
export const failAlloc = (count: number): Step => ({ op: 'fail-alloc', count });
export const protect = (page: number, permitted: Protection): Step => ({ op: 'protect', page, access: permitted });
