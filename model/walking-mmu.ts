/**
 * A CPU's paging with nothing cached: every access walks the guest's own tables (machine.md 6). It has no shadow, no slots and no
 * hypervisor, so it can be checked by eye against the manual: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3A,
 * chapter "Paging". Section numbers are those of the editions in which it is chapter 4.
 *
 * An entry, as far as the profile knows it (tables 4-5, 4-6 and 4-8 to 4-11):
 *
 *     63  62      52 51                      12 11 9  8   7   6   5   4 3   2   1   0
 *    +---+----------+--------------------------+----+---+---+---+---+-----+---+---+---+
 *    |XD | reserved |  page of table or data   |    | G |PS | D | A |     |U/S|R/W| P |
 *    +---+----------+--------------------------+----+---+---+---+---+-----+---+---+---+
 *
 * D and G are those of an entry that maps a page: a PTE, or a PDE with PS, which maps a large one. An entry of the PAE root (table 4-8) has
 * P and the page, and nothing else. 32-bit entries end with bit 31.
 */

import type {
  AccessKind,
  AccessStep,
  EntryChange,
  Feature,
  GuestEntry,
  Machine,
  MachineConfig,
  Observation,
  Outcome,
  Paddr,
  Paging,
  Step,
  Vaddr,
} from './vocabulary/index.js';
import { guestEntry, hasFeature, paddr, pagingSizes, reservedBytes, ZERO_ENTRY } from './vocabulary/index.js';

export const P = 1 << 0;
export const RW = 1 << 1;
export const US = 1 << 2;
const A = 1 << 5;
const D = 1 << 6;
const PS = 1 << 7;
/** Bits 52 to 62 and 63, in the high half of an entry. */
const BEYOND_ADDRESS = 0x7ff00000;
const XD = 0x80000000;

/** The page-fault error code (4.7, figure 4-12). */
export const FAULT_P = 1 << 0;
export const FAULT_WRITE = 1 << 1;
export const FAULT_USER = 1 << 2;
const FAULT_RSVD = 1 << 3;
const FAULT_FETCH = 1 << 4;

const ASKED: Readonly<Record<AccessKind, number>> = { read: 0, write: FAULT_WRITE, execute: FAULT_FETCH };

/** One level of the tables. */
export interface MmuLevel {
  readonly name: 'PDPTE' | 'PDE' | 'PTE';
  /** Which bits of an address index its tables: the lowest one, and how many. */
  readonly lowestBit: number;
  readonly bits: number;
  /** The level below; undefined for the last one, whose entries map pages. */
  readonly below: MmuLevel | undefined;
}

/** 32-bit paging (4.3, figure 4-2) with 4-KByte pages: 10 bits, 10 bits, and 12 bits within the page. */
const TWO_LEVEL: MmuLevel = {
  name: 'PDE',
  lowestBit: 22,
  bits: 10,
  below: { name: 'PTE', lowestBit: 12, bits: 10, below: undefined },
};

/** PAE paging (4.4.2, figure 4-5) with 4-KByte pages: 2 bits, 9 bits, 9 bits, and 12 bits within the page. */
const PAE: MmuLevel = {
  name: 'PDPTE',
  lowestBit: 30,
  bits: 2,
  below: { name: 'PDE', lowestBit: 21, bits: 9, below: { name: 'PTE', lowestBit: 12, bits: 9, below: undefined } },
};

export const ROOT_LEVEL: Readonly<Record<Paging, MmuLevel>> = { '2-level': TWO_LEVEL, pae: PAE };

/** An entry that a walk used. */
export interface MmuEntry {
  readonly level: MmuLevel;
  readonly at: Paddr;
  readonly value: GuestEntry;
}

const OK: Outcome = { kind: 'ok' };

export class WalkingMmu implements Machine {
  readonly walksAlways = true;
  private config: MachineConfig | undefined = undefined;
  /** Guest RAM: the words that were written. All others are zero. */
  private readonly words = new Map<Paddr, GuestEntry>();
  /** CR3; undefined while the guest has not loaded it, and every address is its own for the supervisor. */
  private root: Paddr | undefined = undefined;
  /** Words in which the last step set A or D. */
  private stores: EntryChange[] = [];

  create(config: MachineConfig): Observation {
    this.config = config;
    this.words.clear();
    this.root = undefined;
    this.stores = [];
    return this.observation({ kind: 'created' });
  }

  apply(step: Step): Observation {
    this.stores = [];
    return this.observation(this.perform(step));
  }

  destroy(): Observation {
    this.stores = [];
    return this.observation({ kind: 'destroyed' });
  }

  private perform(step: Step): Outcome {
    switch (step.op) {
      case 'store':
        this.words.set(step.paddr, step.value);
        return OK;
      case 'init':
        return { kind: 'initialized', reserved: reservedBytes(this.machine.paging) };
      case 'new-pgtable':
        this.root = step.root;
        return OK;
      // Nothing is cached, so there is nothing to invalidate (4.10.4), and nothing that is global stays behind (4.10.2.4).
      case 'flush-tlb':
      case 'set-pmd':
      case 'set-pte':
      case 'set-pgd':
        return OK;
      case 'access':
        return this.access(step);
      case 'set-stack':
      case 'guest-pa':
      case 'migrate':
      case 'fail-alloc':
      case 'protect':
        throw new RangeError(`a CPU has no step ${step.op}`);
      default:
        return step satisfies never;
    }
  }

  private access({ vaddr, kind, mode }: AccessStep): Outcome {
    const asked = ASKED[kind] | (mode === 'user' ? FAULT_USER : 0);
    const fault = (present: number): Outcome => ({ kind: 'fault', code: asked | present });
    // Nothing of the guest's is mapped in the window at the top.
    if (vaddr >= pagingSizes(this.machine.paging).switcherAddress) return fault(0);
    if (this.root === undefined) return mode === 'user' ? fault(FAULT_P) : { kind: 'mapped', paddr: paddr(vaddr) };

    const path = this.walk(ROOT_LEVEL[this.machine.paging], this.root, vaddr);
    const last = path[path.length - 1];
    if ((last.value.low & P) === 0) return fault(0);
    if (this.hasReserved(last)) return fault(FAULT_P | FAULT_RSVD);
    // 4.6.1: a user-mode access needs U/S in every entry, and a write R/W in every entry, unless CR0.WP is 0 and it is the supervisor's.
    const isGuarded = mode === 'user' || !this.has('write-protect-off');
    if (mode === 'user' && !this.allow(path, US)) return fault(FAULT_P);
    if (kind === 'write' && isGuarded && !this.allow(path, RW)) return fault(FAULT_P);
    // 4.6.1: a fetch needs XD clear in every entry.
    if (kind === 'execute' && !this.allowFetch(path)) return fault(FAULT_P);
    for (const entry of path) this.mark(entry, kind);
    const pageBytes = 2 ** last.level.lowestBit;
    return { kind: 'mapped', paddr: paddr(pageOf(last.value) + (vaddr % pageBytes)) };
  }

  /** The entries from a table down to the first that ends the walk: it maps a page, is not present, or has reserved bits set. */
  protected walk(level: MmuLevel, table: Paddr, address: Vaddr): readonly MmuEntry[] {
    const index = (address >>> level.lowestBit) & ((1 << level.bits) - 1);
    const at = paddr(table + index * pagingSizes(this.machine.paging).entryBytes);
    const value = this.words.get(at) ?? ZERO_ENTRY;
    const entry: MmuEntry = { level, at, value };
    const { below } = level;
    if (below === undefined || (value.low & P) === 0 || this.hasReserved(entry) || this.maps(entry)) return [entry];
    return [entry, ...this.walk(below, paddr(pageOf(value)), address)];
  }

  /** Whether a present entry maps a page: a PTE does, and a PDE with PS (tables 4-4 and 4-9), if CR4.PSE is 1. */
  protected maps({ level, value }: MmuEntry): boolean {
    return level.name === 'PTE' || (level.name === 'PDE' && (value.low & PS) !== 0 && this.has('large-pages'));
  }

  /**
   * Of the bits that are reserved in a present entry those that are so on every CPU, whatever its MAXPHYADDR: bits 52 to 62 of a PAE entry,
   * and 63 if EFER.NXE is 0 (tables 4-9 to 4-11); in a PDE that maps a large page, bits 13 to 20 (PAE) or 21 (table 4-4).
   */
  protected hasReserved(entry: MmuEntry): boolean {
    const { level, value } = entry;
    if (level.name === 'PDPTE') return false;
    const isPae = this.machine.paging === 'pae';
    const inHigh = BEYOND_ADDRESS | (this.has('no-execute') ? 0 : XD);
    const inLow = level.name === 'PDE' && this.maps(entry) ? (isPae ? 0x1fe000 : 0x200000) : 0;
    return (isPae && (value.high & inHigh) !== 0) || (value.low & inLow) !== 0;
  }

  /** Whether every entry on the path grants a right. A PDPTE has no rights, and restricts none (4.4.1, 4.6). */
  protected allow(path: readonly MmuEntry[], right: number): boolean {
    return path.every(({ level, value }) => level.name === 'PDPTE' || (value.low & right) !== 0);
  }

  protected allowFetch(path: readonly MmuEntry[]): boolean {
    return path.every(({ level, value }) => level.name === 'PDPTE' || (value.high & XD) === 0);
  }

  /** 4.8: A in every entry that the translation used, and D in the one that maps the page, if it was written. A PDPTE has neither. */
  protected mark(entry: MmuEntry, kind: AccessKind): void {
    const { level, at, value } = entry;
    if (level.name === 'PDPTE') return;
    const dirty = this.maps(entry) && kind === 'write' ? D : 0;
    this.write(at, guestEntry(value.low | A | dirty, value.high));
  }

  /** Writes a word of RAM, and reports it if it changed. */
  private write(at: Paddr, value: GuestEntry): void {
    if (this.words.get(at)?.low === value.low) return;
    this.words.set(at, value);
    this.stores.push({ paddr: at, value });
  }

  /** By control bits: CR0.WP is 0, CR4.PSE, CR4.PGE, EFER.NXE (4.1.3, 4.1.4). */
  protected has(feature: Feature): boolean {
    return hasFeature(this.machine, feature);
  }

  protected get machine(): MachineConfig {
    if (this.config === undefined) throw new Error('no machine was created');
    return this.config;
  }

  private observation(outcome: Outcome): Observation {
    return {
      outcome,
      references: [],
      stores: this.stores,
      tables: 0,
      switcher: { text: 0, state: [], registers: 0 },
      fresh: outcome.kind === 'mapped' || outcome.kind === 'fault' ? outcome : undefined,
    };
  }
}

/** The physical address in an entry: bits 12 to 31, and in PAE up to bit 43. Programs have large pages at address 0 alone. */
export const pageOf = ({ low, high }: GuestEntry): number => (high & 0xfff) * 2 ** 32 + (low - (low % 4096));
