/**
 * The Switcher: the hypervisor's own window in every slot that the guest runs on (machine.md 1 and 3;
 * `allocate_switcher_mapping`, `map_switcher_in_guest`). Its pages are supervisor. While the guest runs, its slot maps the
 * pages of the current host CPU and of no other.
 */

import type { Slot, Vaddr } from '../model/vocabulary/index.js';
import { SLOTS, vaddr } from '../model/vocabulary/index.js';
import type { GuestState } from './guest-state.js';
import { HostBug } from './host-memory.js';
import type { PageReferences } from './page-references.js';
import {
  ACCESSED,
  DIRTY,
  FULL_RIGHTS,
  PRESENT,
  SWITCHER_REGISTERS_FRAME,
  SWITCHER_STATE_FRAME,
  SWITCHER_TEXT_FRAME,
  WRITABLE,
  packed,
} from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';

export const NO_CPU = 255;
const READ_ONLY = PRESENT | ACCESSED;
const READ_WRITE = PRESENT | WRITABLE | ACCESSED | DIRTY;

export class Switcher {
  private readonly mapped = new Uint8Array(SLOTS);
  /** By slot, the host CPU whose pages it maps, or `NO_CPU`. */
  readonly cpus = new Uint8Array(SLOTS);
  private readonly guest: GuestState;
  private readonly tables: ShadowTables;
  private readonly references: PageReferences;

  constructor(parts: { guest: GuestState; tables: ShadowTables; references: PageReferences }) {
    this.guest = parts.guest;
    this.tables = parts.tables;
    this.references = parts.references;
  }

  reset(): void {
    for (let slot = 0; slot < SLOTS; slot++) this.forget(slot as Slot);
  }

  isMapped(slot: Slot): boolean {
    return this.mapped[slot] === 1;
  }

  /** The tables under the slot's Switcher were released. */
  forget(slot: Slot): void {
    this.mapped[slot] = 0;
    this.forgetCpu(slot);
  }

  /** The slot maps no CPU's pages any more. */
  forgetCpu(slot: Slot): void {
    this.cpus[slot] = NO_CPU;
  }

  /** Maps the text page, with the tables it needs. Returns false and kills the guest if the host has no memory. */
  map(slot: Slot): boolean {
    const address = this.guest.sizes.switcherAddress;
    if (!this.tables.makeTable(slot, address, FULL_RIGHTS)) return false;
    const offset = this.tables.leafOffset;
    this.references.take(SWITCHER_TEXT_FRAME);
    this.tables.install(slot, address, offset, packed(SWITCHER_TEXT_FRAME, READ_ONLY));
    this.mapped[slot] = 1;
    return true;
  }

  /** Makes the current slot map the current CPU's pages and no other's (machine.md 3, access). */
  enterGuest(): void {
    const { current, cpu } = this.guest;
    if (this.cpus[current] !== cpu) this.switchCpu(current, cpu);
  }

  switchCpu(slot: Slot, cpu: number): void {
    const old = this.cpus[slot];
    if (old !== NO_CPU) this.unmapCpu(slot, old);
    this.mapPage(slot, this.registersAddress(cpu), packed(SWITCHER_REGISTERS_FRAME, READ_WRITE));
    this.references.take(SWITCHER_REGISTERS_FRAME);
    this.mapPage(slot, this.stateAddress(cpu), packed(SWITCHER_STATE_FRAME + cpu, READ_ONLY));
    this.references.take(SWITCHER_STATE_FRAME + cpu);
    this.cpus[slot] = cpu;
  }

  unmapCpu(slot: Slot, cpu: number): void {
    this.tables.release(this.offsetAt(slot, this.registersAddress(cpu)));
    this.tables.release(this.offsetAt(slot, this.stateAddress(cpu)));
  }

  registersAddress(cpu: number): Vaddr {
    return vaddr(this.guest.sizes.switcherAddress + 4096 + 8192 * cpu);
  }

  stateAddress(cpu: number): Vaddr {
    return vaddr(this.registersAddress(cpu) + 4096);
  }

  mapPage(slot: Slot, address: Vaddr, word: number): void {
    this.tables.install(slot, address, this.offsetAt(slot, address), word);
  }

  private offsetAt(slot: Slot, address: Vaddr): number {
    if (!this.tables.findTable(slot, address)) throw new HostBug('the guest was entered without a Switcher');
    return this.tables.leafOffset;
  }
}
