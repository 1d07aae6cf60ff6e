/** Demand faulting: the shadow lacks a mapping, and the guest's tables decide (machine.md 3, demand; `demand_page`). */

import type { Paddr, Vaddr } from '../model/vocabulary/index.js';
import { FAULT_PRESENT, FAULT_WRITE, KILL, paddr } from '../model/vocabulary/index.js';
import type { GuestMemory } from './guest-memory.js';
import type { GuestState } from './guest-state.js';
import type { GuestWalk, WalkEnd } from './guest-walk.js';
import type { LeafMaker } from './leaf-maker.js';
import type { PgdirCache } from './pgdir-cache.js';
import { ACCESSED, DIRTY, rightsFor } from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';

export type DemandEnd = 'mapped' | 'fault' | 'mmio' | 'killed';

export class Demand {
  /** The code of the last demand that ended in `fault`. */
  faultCode = 0;
  /** The device address of the last demand that ended in `mmio`. */
  deviceAddress: Paddr = paddr(0);

  private readonly guest: GuestState;
  private readonly ram: GuestMemory;
  private readonly walk: GuestWalk;
  private readonly cache: PgdirCache;
  private readonly tables: ShadowTables;
  private readonly maker: LeafMaker;

  constructor(
    guest: GuestState,
    ram: GuestMemory,
    walk: GuestWalk,
    cache: PgdirCache,
    tables: ShadowTables,
    maker: LeafMaker,
  ) {
    this.guest = guest;
    this.ram = ram;
    this.walk = walk;
    this.cache = cache;
    this.tables = tables;
    this.maker = maker;
  }

  /** `code`: FAULT_WRITE and FAULT_USER, as the access has them. The Switcher's addresses are not for demanding. */
  page(address: Vaddr, code: number): DemandEnd {
    const end = this.walkGuest(address);
    if (end === 'killed') return 'killed';
    if (end === 'absent') return this.fault(address, code);
    if (!this.allowed(code)) return this.fault(address, code | FAULT_PRESENT);
    const { leafLow, leafHigh } = this.walk;
    const place = this.walk.placeOf(leafLow, leafHigh);
    if (place === 'ram') return this.installLeaf(address, leafLow | ACCESSED | (code & FAULT_WRITE ? DIRTY : 0));
    if (place === 'device') return this.device(address);
    this.guest.kill(KILL.badTableEntry);
    return 'killed';
  }

  walkGuest(address: Vaddr): WalkEnd {
    if (this.guest.linear) return this.walk.linear(address);
    return this.walk.checked(this.cache.guestRoot(this.guest.current), address);
  }

  /** The rights are those of every level at once. */
  allowed(code: number): boolean {
    const rights = this.walk.upperRights & this.walk.leafLow;
    const needed = rightsFor(code);
    return (rights & needed) === needed;
  }

  installLeaf(address: Vaddr, low: number): DemandEnd {
    const { current } = this.guest;
    if (!this.tables.makeTable(current, address, this.walk.upperRights)) return 'killed';
    this.tables.refreshUpper(this.walk.upperRights);
    const offset = this.tables.leafOffset;
    this.tables.release(offset);
    if (!this.maker.take(low)) return 'killed';
    this.tables.install(current, address, offset, this.maker.word);
    if (!this.guest.linear) this.ram.writeBack(this.walk.leafAddress, low >>> 0, this.walk.leafHigh);
    return 'mapped';
  }

  /** `code`: with the present bit as the guest's own tables have it. */
  fault(_address: Vaddr, code: number): DemandEnd {
    this.faultCode = code;
    return 'fault';
  }

  private device(address: Vaddr): DemandEnd {
    this.deviceAddress = paddr((this.walk.leafLow & ~0xfff) | (address & 0xfff));
    return 'mmio';
  }
}
