/** Demand faults: the shadow lacks a mapping, so the guest's tables decide (machine.md 3, demand; `demand_page`). */

import type { Outcome, Vaddr } from '../model/vocabulary/index.js';
import { FAULT_PRESENT, FAULT_USER, FAULT_WRITE, KILL } from '../model/vocabulary/index.js';
import type { GuestMemory } from './guest-memory.js';
import type { GuestState } from './guest-state.js';
import type { GuestWalk, WalkEnd } from './guest-walk.js';
import type { LeafMaker } from './leaf-maker.js';
import type { PgdirCache } from './pgdir-cache.js';
import { ACCESSED, DIRTY, EMPTY, rightsFor } from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';

type Fault = Extract<Outcome, { kind: 'fault' }>;
type DeviceAccess = Extract<Outcome, { kind: 'mmio' }>;

/** `mapped`: the shadow maps the address now. Otherwise the guest was killed, or this is the outcome of its access. */
export type DemandEnd = 'mapped' | 'killed' | Fault | DeviceAccess;

/** By its code, each fault that a guest can see. */
export const FAULTS: readonly Fault[] = Array.from(
  { length: (FAULT_PRESENT | FAULT_WRITE | FAULT_USER) + 1 },
  (_, code) => ({ kind: 'fault', code }),
);

export class Demand {
  private readonly guest: GuestState;
  private readonly ram: GuestMemory;
  private readonly walk: GuestWalk;
  private readonly cache: PgdirCache;
  private readonly tables: ShadowTables;
  private readonly maker: LeafMaker;

  constructor(parts: {
    guest: GuestState;
    ram: GuestMemory;
    walk: GuestWalk;
    cache: PgdirCache;
    tables: ShadowTables;
    maker: LeafMaker;
  }) {
    this.guest = parts.guest;
    this.ram = parts.ram;
    this.walk = parts.walk;
    this.cache = parts.cache;
    this.tables = parts.tables;
    this.maker = parts.maker;
  }

  /** `address` lies below the Switcher. `code`: `FAULT_WRITE` and `FAULT_USER`, as in the access. */
  page(address: Vaddr, code: number): DemandEnd {
    const end = this.walkGuest(address);
    if (end === 'killed') return 'killed';
    if (end === 'absent') return this.fault(address, code);
    if (!this.allowed(code)) return this.fault(address, code | FAULT_PRESENT);
    const { leafLow, leafHigh } = this.walk;
    const place = this.walk.placeOf(leafLow, leafHigh);
    if (place === 'ram') return this.installLeaf(address, leafLow | ACCESSED | (code & FAULT_WRITE ? DIRTY : 0));
    if (place === 'device') return this.deviceAccess(address);
    this.guest.kill(KILL.badTableEntry);
    return 'killed';
  }

  walkGuest(address: Vaddr): WalkEnd {
    if (this.guest.linear) return this.walk.linear(address);
    return this.walk.checked(this.cache.guestRoot(this.guest.current), address);
  }

  /** A right must be granted at every level (machine.md 3, demand 3). */
  allowed(code: number): boolean {
    const rights = this.walk.upperRights & this.walk.leafLow;
    const needed = rightsFor(code);
    return (rights & needed) === needed;
  }

  /** Machine.md 3, demand 6. `low`: lower half of the guest's leaf, with A and D set as the access sets them. */
  installLeaf(address: Vaddr, low: number): 'mapped' | 'killed' {
    const { current } = this.guest;
    if (!this.tables.makeTable(current, address, this.walk.upperRights)) return 'killed';
    this.tables.refreshUpper(this.walk.upperRights);
    const offset = this.tables.leafOffset;
    this.tables.release(offset);
    const leaf = this.maker.make(low);
    if (leaf === EMPTY) return 'killed';
    this.tables.install(current, address, offset, leaf);
    if (!this.guest.linear) this.ram.writeBack(this.walk.leafAddress, low >>> 0, this.walk.leafHigh);
    return 'mapped';
  }

  /** `code`: with `FAULT_PRESENT` according to the guest's own tables. */
  fault(_address: Vaddr, code: number): Fault {
    return FAULTS[code];
  }

  deviceAccess(address: Vaddr): DeviceAccess {
    return { kind: 'mmio', paddr: this.walk.physical(address) };
  }
}
