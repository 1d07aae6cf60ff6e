/**
 * What a CPU may answer while it may hold entries that the guest has changed since, and not announced (machine.md 6, Racy guests): each
 * translation, from entries that a CPU can have held or read together, since the last invalidation that covers it. Sections are those of
 * the manual that walking-mmu.ts names.
 *
 * Time is the number of steps taken. An entry stood in memory from the store that wrote it until the next one.
 */

import type { MmuLevel } from './walking-mmu.js';
import { FAULT_P, FAULT_USER, FAULT_WRITE, P, ROOT_LEVEL, RW, US, pageOf } from './walking-mmu.js';
import type { AccessStep, GuestEntry, MachineConfig, Outcome, Paddr, Step, Vaddr } from './vocabulary/index.js';
import { PAGE_BYTES, ZERO_ENTRY, paddr, pagingSizes } from './vocabulary/index.js';

/** An answer that is allowed, and the entries that it comes from: as they stand, as they once stood, or never at one moment. */
export interface AllowedAnswer {
  readonly outcome: Outcome;
  readonly from: 'current entries' | 'old entries' | 'a mixture';
}

/** From one moment until another, exclusive. */
interface Span {
  readonly from: number;
  readonly until: number;
}

/** A value that a word had. */
interface Version extends Span {
  readonly value: GuestEntry;
}

/** An entry that a walk used, and when it stood in memory. */
interface Used extends Version {
  readonly level: MmuLevel;
}

export class TranslationHistory {
  private readonly config: MachineConfig;
  /** The values of each word that was stored, in order. */
  private readonly words = new Map<Paddr, Version[]>();
  private now = 0;
  /** CR3, as in `WalkingMmu`. */
  private root: Paddr | undefined = undefined;
  private kernelAddress = 0;
  /** When CR3 was loaded last. */
  private loaded = 0;
  /** When something was invalidated since, in order: each time all paging-structure caches were (4.10.4.1). */
  private invalidations: number[] = [];
  /** When INVLPG was last executed for a page since, by the page's number. */
  private readonly invalidatedPages = new Map<number, number>();

  constructor(config: MachineConfig) {
    this.config = config;
  }

  take(step: Step): void {
    this.now++;
    switch (step.op) {
      case 'store':
        return this.store(step.paddr, step.value);
      case 'init':
        this.kernelAddress = step.kernelAddress;
        return;
      case 'new-pgtable':
        this.root = step.root;
        return this.load();
      case 'flush-tlb':
      case 'set-pmd':
        return this.load();
      case 'set-pgd':
        return step.root === this.root ? this.load() : undefined;
      case 'set-pte':
        return step.root === this.root || step.vaddr >= this.kernelAddress ? this.invalidate(step.vaddr) : undefined;
      default:
        return;
    }
  }

  /** The answers that an access, which is the step taken last, may have. */
  answersTo(access: AccessStep): readonly AllowedAnswer[] {
    if (this.root === undefined) return [];
    const level = ROOT_LEVEL[this.config.paging];
    return this.answersFrom(level, this.root, { from: this.loaded, until: Infinity }, [], access);
  }

  /** `readable`: when a CPU can have read this table, because it came to it or held the entry that leads here. */
  private answersFrom(
    level: MmuLevel,
    table: Paddr,
    readable: Span,
    path: readonly Used[],
    access: AccessStep,
  ): readonly AllowedAnswer[] {
    const index = (access.vaddr >>> level.lowestBit) & ((1 << level.bits) - 1);
    const at = paddr(table + index * pagingSizes(this.config.paging).entryBytes);
    return this.versionsOf(at).flatMap((version) => {
      const read: Span = {
        from: Math.max(version.from, readable.from),
        until: Math.min(version.until, readable.until),
      };
      if (read.from >= read.until) return [];
      const used = [...path, { ...version, level }];
      if ((version.value.low & P) === 0) {
        return this.mayFault(level, read) ? [this.answer(used, this.fault(access, 0))] : [];
      }
      if (level.below !== undefined) {
        const held: Span = { from: read.from, until: this.heldUntil(level, read.until) };
        return this.answersFrom(level.below, paddr(pageOf(version.value)), held, used, access);
      }
      // A translation read before the page was invalidated is no longer in the TLB (4.10.4.1).
      return read.until > this.invalidatedAt(access.vaddr) ? [this.answer(used, this.judge(used, access))] : [];
    });
  }

  /** 4.10.2.3: an entry that is not present is not cached, so the access itself has read it. A PDPTE's register may hold it (4.4.1). */
  private mayFault(level: MmuLevel, read: Span): boolean {
    return level.name === 'PDPTE' || read.until > this.now;
  }

  private versionsOf(at: Paddr): readonly Version[] {
    return this.words.get(at) ?? [{ from: 0, until: Infinity, value: ZERO_ENTRY }];
  }

  /**
   * An upper entry read until some moment is held in a paging-structure cache until the next invalidation of anything (4.10.3, 4.10.4.1). A
   * PDPTE is held in a register until CR3 is loaded (4.4.1); it may also be read anew, as QEMU does.
   */
  private heldUntil(level: MmuLevel, moment: number): number {
    if (level.name === 'PDPTE') return Infinity;
    return this.invalidations.find((invalidation) => invalidation >= moment) ?? Infinity;
  }

  private invalidatedAt(vaddr: Vaddr): number {
    return this.invalidatedPages.get(Math.floor(vaddr / PAGE_BYTES)) ?? this.loaded;
  }

  /** 4.6: as in `WalkingMmu`. A TLB may hold rights that have been extended since, so that the fault is spurious (4.10.4.3). */
  private judge(path: readonly Used[], access: AccessStep): Outcome {
    const allows = (right: number): boolean =>
      path.every(({ level, value }) => level.name === 'PDPTE' || (value.low & right) !== 0);
    if (access.mode === 'user' && !allows(US)) return this.fault(access, FAULT_P);
    if (access.kind === 'write' && !allows(RW)) return this.fault(access, FAULT_P);
    return { kind: 'mapped', paddr: paddr(pageOf(path[path.length - 1].value) + (access.vaddr % PAGE_BYTES)) };
  }

  private fault({ kind, mode }: AccessStep, present: number): Outcome {
    return { kind: 'fault', code: present | (kind === 'write' ? FAULT_WRITE : 0) | (mode === 'user' ? FAULT_USER : 0) };
  }

  private answer(path: readonly Used[], outcome: Outcome): AllowedAnswer {
    if (path.every(({ until }) => until === Infinity)) return { outcome, from: 'current entries' };
    const first = Math.max(...path.map(({ from }) => from));
    const last = Math.min(...path.map(({ until }) => until));
    return { outcome, from: first < last ? 'old entries' : 'a mixture' };
  }

  private store(at: Paddr, value: GuestEntry): void {
    const versions = [...this.versionsOf(at)];
    const last = versions.pop()!;
    this.words.set(at, [...versions, { ...last, until: this.now }, { from: this.now, until: Infinity, value }]);
  }

  private load(): void {
    this.loaded = this.now;
    this.invalidations = [];
    this.invalidatedPages.clear();
  }

  private invalidate(vaddr: Vaddr): void {
    this.invalidations.push(this.now);
    this.invalidatedPages.set(Math.floor(vaddr / PAGE_BYTES), this.now);
  }
}
