/**
 * The Switcher: the hypervisor's own window in every slot that the guest runs on (machine.md 1 and 3;
 * `allocate_switcher_mapping`, `map_switcher_in_guest`). Its pages are supervisor, and of the CPUs' pages only those of the
 * CPU that the guest runs on are there.
 */

import type { Slot, StateSink, Vaddr } from '../model/vocabulary/index.js';
import { SLOTS, vaddr } from '../model/vocabulary/index.js';
import { FACT } from './facts.js';
import { SWITCHER_REGISTERS_FRAME, SWITCHER_STATE_FRAME, SWITCHER_TEXT_FRAME } from './frames.js';
import type { GuestState } from './guest-state.js';
import { HostBug } from './host-bug.js';
import type { PageReferences } from './page-references.js';
import { ACCESSED, DIRTY, FULL_RIGHTS, PRESENT, WRITABLE, packed } from './shadow-entry.js';
import type { ShadowTables } from './shadow-tables.js';

const NO_CPU = 255;
const READ_ONLY = PRESENT | ACCESSED;
const READ_WRITE = PRESENT | WRITABLE | ACCESSED | DIRTY;

export class Switcher {
  private readonly mapped = new Uint8Array(SLOTS);
  /** Whose pages a slot maps. */
  private readonly cpus = new Uint8Array(SLOTS);
  private readonly guest: GuestState;
  private readonly tables: ShadowTables;
  private readonly references: PageReferences;

  constructor(guest: GuestState, tables: ShadowTables, references: PageReferences) {
    this.guest = guest;
    this.tables = tables;
    this.references = references;
  }

  reset(): void {
    for (let slot = 0; slot < SLOTS; slot++) this.forget(slot as Slot);
  }

  isMapped(slot: Slot): boolean {
    return this.mapped[slot] === 1;
  }

  /** The slot lost the tables under the Switcher. */
  forget(slot: Slot): void {
    this.mapped[slot] = 0;
    this.forgetCpu(slot);
  }

  /** The slot maps no CPU's pages. */
  forgetCpu(slot: Slot): void {
    this.cpus[slot] = NO_CPU;
  }

  /** Maps the text page, with the tables it needs. False, and the guest is killed, when the host has no memory. */
  map(slot: Slot): boolean {
    const address = this.guest.sizes.switcherAddress;
    if (!this.tables.makeTable(slot, address, FULL_RIGHTS)) return false;
    const offset = this.tables.leafOffset;
    this.references.take(SWITCHER_TEXT_FRAME);
    this.tables.install(slot, address, offset, packed(SWITCHER_TEXT_FRAME, READ_ONLY));
    this.mapped[slot] = 1;
    return true;
  }

  /** Before the guest runs: exactly the current CPU's pages are mapped in the current slot (machine.md 3, access). */
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

  tellState(slot: Slot, sink: StateSink): void {
    if (this.cpus[slot] === NO_CPU) return;
    sink.slotFact(FACT.switcherCpu, slot);
    sink.cpu(this.cpus[slot]);
  }

  private offsetAt(slot: Slot, address: Vaddr): number {
    if (!this.tables.findTable(slot, address)) throw new HostBug('the guest was entered without a Switcher');
    return this.tables.leafOffset;
  }
}
