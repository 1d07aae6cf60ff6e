/**
 * The walk of the guest's own tables, which may hold anything (machine.md 3, demand 2; `demand_page`, `check_gpgd`,
 * `check_gpmd`). Entries are read as 32-bit halves:
 *
 *     2-level   31                     12 11 … 9   8   7   6   5   4   3   2   1   0
 *              ┌─────────────────────────┬──────┬───┬───┬───┬───┬───┬───┬───┬───┬───┐
 *              │ page                    │ free │ G │PSE│ D │ A │PCD│PWT│ US│ RW│ P │
 *              └─────────────────────────┴──────┴───┴───┴───┴───┴───┴───┴───┴───┴───┘
 *     PAE      63                     44 43     32
 *              ┌─────────────────────────┬────────┐
 *              │ reserved                │ page   │  above the same lower half
 *              └─────────────────────────┴────────┘
 *
 * Guest and device pages together number at most 8192, so an entry with any bit set in its upper half names neither.
 */

import type { Killed, Paddr, Vaddr } from '../model/vocabulary/index.js';
import { KILL, paddr } from '../model/vocabulary/index.js';
import type { GuestMemory } from './guest-memory.js';
import type { GuestState } from './guest-state.js';
import { ACCESSED, DIRTY, FULL_RIGHTS, LARGE, PRESENT, USER, WRITABLE } from './shadow-entry.js';

const TABLE_FLAGS = PRESENT | WRITABLE | USER | ACCESSED | DIRTY;
const FLAGS = 0xfff;

/** Which kind of page a leaf names. */
export type LeafPlace = 'ram' | 'device' | 'bad';
export type WalkEnd = 'leaf' | 'absent' | 'killed';

/** The fields describe the entries that the last walk found. They are valid after it returned `leaf`, until the next walk. */
export class GuestWalk {
  /** RW and US of the entry that names the leaf table; the PAE top entry has none. */
  upperRights = 0;
  leafLow = 0;
  leafHigh = 0;
  /** Not set by `linear`, where no leaf lies in guest RAM. */
  leafAddress: Paddr = paddr(0);

  private readonly guest: GuestState;
  private readonly ram: GuestMemory;

  constructor(parts: { guest: GuestState; ram: GuestMemory }) {
    this.guest = parts.guest;
    this.ram = parts.ram;
  }

  /** In linear mode every address has an entry of its own: present, writable, supervisor (machine.md 3, demand 1). */
  linear(address: Vaddr): WalkEnd {
    this.upperRights = FULL_RIGHTS;
    this.leafLow = ((address & ~FLAGS) | PRESENT | WRITABLE) >>> 0;
    this.leafHigh = 0;
    return 'leaf';
  }

  /** Walks from a root, checking every level. */
  checked(root: Paddr, address: Vaddr): WalkEnd {
    return this.guest.pae ? this.checkedPae(root, address) : this.checkedTwoLevel(root, address);
  }

  /** Walks without checks of flags or page numbers, for the host's own use (machine.md 3, guest-pa; `__guest_pa`). */
  unchecked(root: Paddr, address: Vaddr): WalkEnd {
    const top = this.topAddress(root, address);
    if (!this.readable(top)) return 'killed';
    let table = this.ram.low(top);
    if ((table & PRESENT) === 0) return 'absent';
    if (this.guest.pae) {
      const middle = this.middleAddress(table, address);
      if (!this.readable(middle)) return 'killed';
      table = this.ram.low(middle);
      if ((table & PRESENT) === 0) return 'absent';
    }
    const leaf = this.guest.pae ? this.paeLeafAddress(table, address) : this.leafAddressIn(table, address);
    if (!this.readable(leaf)) return 'killed';
    return this.readLeaf(leaf);
  }

  /** The guest-physical address that the leaf of the last walk gives an address. */
  physical(address: Vaddr): Paddr {
    return paddr((this.leafLow & ~FLAGS) | (address & FLAGS));
  }

  /** The kind of page that an entry names as a leaf (machine.md 3, demand 4 and 5). */
  placeOf(low: number, high: number): LeafPlace {
    if ((low & LARGE) !== 0 || high !== 0) return 'bad';
    const page = low >>> 12;
    if (page < this.guest.guestPages) return 'ram';
    return page < this.guest.guestPages + this.guest.devicePages ? 'device' : 'bad';
  }

  /** A top entry must name RAM and have no flags but these (machine.md 3, demand 2). */
  topIsBad(low: number, high: number): boolean {
    const allowed = this.guest.pae ? PRESENT : TABLE_FLAGS;
    return (low & FLAGS & ~allowed) !== 0 || this.beyondRam(low, high);
  }

  middleIsBad(low: number, high: number): boolean {
    return (low & FLAGS & ~TABLE_FLAGS) !== 0 || this.beyondRam(low, high);
  }

  private checkedTwoLevel(root: Paddr, address: Vaddr): WalkEnd {
    const top = this.topAddress(root, address);
    if (!this.readable(top)) return 'killed';
    const low = this.ram.low(top);
    if ((low & PRESENT) === 0) return 'absent';
    if (this.topIsBad(low, 0)) return this.killed(KILL.badDirectoryEntry);
    this.upperRights = low & (WRITABLE | USER);
    return this.readLeaf(this.leafAddressIn(low, address));
  }

  private checkedPae(root: Paddr, address: Vaddr): WalkEnd {
    const top = this.topAddress(root, address);
    if (!this.readable(top)) return 'killed';
    const topLow = this.ram.low(top);
    if ((topLow & PRESENT) === 0) return 'absent';
    if (this.topIsBad(topLow, this.ram.high(top))) return this.killed(KILL.badDirectoryEntry);
    const middle = this.middleAddress(topLow, address);
    const low = this.ram.low(middle);
    if ((low & PRESENT) === 0) return 'absent';
    if (this.middleIsBad(low, this.ram.high(middle))) return this.killed(KILL.badMiddleEntry);
    this.upperRights = low & (WRITABLE | USER);
    return this.readLeaf(this.paeLeafAddress(low, address));
  }

  private readLeaf(address: Paddr): WalkEnd {
    this.leafAddress = address;
    this.leafLow = this.ram.low(address);
    this.leafHigh = this.guest.pae ? this.ram.high(address) : 0;
    return (this.leafLow & PRESENT) === 0 ? 'absent' : 'leaf';
  }

  private beyondRam(low: number, high: number): boolean {
    return high !== 0 || low >>> 12 >= this.guest.guestPages;
  }

  private readable(address: Paddr): boolean {
    if (this.guest.inRam(address)) return true;
    this.guest.kill(KILL.badRead(address, this.guest.sizes.entryBytes));
    return false;
  }

  private killed(kill: Killed): WalkEnd {
    this.guest.kill(kill);
    return 'killed';
  }

  private topAddress(root: Paddr, address: Vaddr): Paddr {
    return paddr(this.guest.pae ? root + (address >>> 30) * 8 : root + (address >>> 22) * 4);
  }

  private leafAddressIn(table: number, address: Vaddr): Paddr {
    return paddr((table & ~FLAGS) | (((address >>> 12) & 0x3ff) * 4));
  }

  private middleAddress(table: number, address: Vaddr): Paddr {
    return paddr((table & ~FLAGS) | (((address >>> 21) & 0x1ff) * 8));
  }

  private paeLeafAddress(table: number, address: Vaddr): Paddr {
    return paddr((table & ~FLAGS) | (((address >>> 12) & 0x1ff) * 8));
  }
}
