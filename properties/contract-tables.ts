/**
 * A guest's page tables, from its stores alone, and the rules on their shape: the role and owner of each page, and that all roots agree on
 * the kernel half (rules 2 to 4 of machine.md 5, Coherent). The hypervisor's own stores are ignored: they set A and D in leaves and change
 * no shape.
 */

import type { GuestEntry, MachineConfig, PagingSizes } from '../model/vocabulary/index.js';
import { PAGE_BYTES, ZERO_ENTRY, pagingSizes, sameEntry } from '../model/vocabulary/index.js';
import { FLAGS, FULL, P, PSE, isPresent, pageOf } from './entry-bits.js';
import type { Profile } from './profile.js';

/** The numbered rules of machine.md 5, Coherent; behind them the one that the profile `architecture` adds (machine.md 6). */
export type ContractRule = 1 | 2 | 3 | 4 | 'architecture';

/** The rule that was broken, and how. */
export interface Flaw {
  readonly rule: ContractRule;
  readonly reason: string;
}

/** The role of a page of guest RAM. */
export interface Place {
  readonly role: 'root' | 'middle' | 'leaf';
  /** The root that the page belongs to; `kernel`: all roots. */
  readonly owner: number | 'kernel';
  /** The first address that it translates. */
  readonly base: number;
}

const ROOT_PLACE: Place = { role: 'root', owner: 'kernel', base: 0 };

/** Guest RAM, as the guest has written it. */
class GuestWords {
  private readonly pages = new Map<number, Map<number, GuestEntry>>();

  set(address: number, value: GuestEntry): void {
    const page = Math.floor(address / PAGE_BYTES);
    let words = this.pages.get(page);
    if (words === undefined) this.pages.set(page, (words = new Map()));
    words.set(address % PAGE_BYTES, value);
  }

  at(address: number): GuestEntry {
    return this.pages.get(Math.floor(address / PAGE_BYTES))?.get(address % PAGE_BYTES) ?? ZERO_ENTRY;
  }

  /** Visits the stored words of a page, from byte `from` to byte `to` exclusive; stops at the first flaw. */
  firstFlaw(
    page: number,
    from: number,
    to: number,
    visit: (value: GuestEntry, byte: number) => Flaw | undefined,
  ): Flaw | undefined {
    for (const [byte, value] of this.pages.get(page) ?? []) {
      const flaw = byte >= from && byte < to ? visit(value, byte) : undefined;
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }
}

export class ContractTables {
  readonly words = new GuestWords();
  readonly sizes: PagingSizes;
  /** Table pages of the roots in use, as of the last scan. */
  readonly places = new Map<number, Place>();
  private readonly guestPages: number;
  private readonly rootBytes: number;
  /** Pages that leaves map, each with an address that maps it. */
  private readonly data = new Map<number, number>();
  /** The first root entry of the kernel half. */
  private kernelTop = 0;
  private readonly profile: Profile;

  constructor(machine: MachineConfig, profile: Profile) {
    this.profile = profile;
    this.sizes = pagingSizes(machine.paging);
    this.guestPages = machine.guestPages;
    this.rootBytes = this.sizes.rootEntries * this.sizes.entryBytes;
  }

  /** The kernel half must begin at a root entry's border, or both halves would share a table. */
  setKernelAddress(kernelAddress: number): Flaw | undefined {
    if (kernelAddress % this.sizes.rootEntryReach !== 0) {
      return { rule: 2, reason: 'the kernel half begins in the middle of a root entry' };
    }
    this.kernelTop = kernelAddress / this.sizes.rootEntryReach;
    return undefined;
  }

  /** Root entries below this index are the user half. */
  get userEntries(): number {
    return this.kernelTop;
  }

  rootInRam(root: number): boolean {
    return root + this.rootBytes <= this.guestPages * PAGE_BYTES;
  }

  /** The root that holds an address. */
  rootAt(address: number): number {
    return address - (address % this.rootBytes);
  }

  /** The address in guest RAM of the leaf for `vaddr`, if the tables of `root` lead there. */
  leafAddress(root: number, vaddr: number): number | undefined {
    const { sizes } = this;
    let entry = this.words.at(root + Math.floor(vaddr / sizes.rootEntryReach) * sizes.entryBytes);
    if (sizes.tableLevels === 2) {
      if (!this.isLink(entry)) return undefined;
      const index = Math.floor((vaddr % sizes.rootEntryReach) / sizes.leafTableReach);
      entry = this.words.at(pageOf(entry) * PAGE_BYTES + index * sizes.entryBytes);
    }
    if (!this.isLink(entry)) return undefined;
    const index = Math.floor((vaddr % sizes.leafTableReach) / PAGE_BYTES);
    return pageOf(entry) * PAGE_BYTES + index * sizes.entryBytes;
  }

  /** Whether no user entry of a root is present. */
  userHalfEmpty(root: number): boolean {
    const found = this.scanRoot(root, 0, this.kernelTop, (value) =>
      isPresent(value) ? { rule: 4, reason: 'a user entry is present' } : undefined,
    );
    return found === undefined;
  }

  /** Whether an address belongs to the hypervisor's own window, or to the bare-metal guest's. */
  inWindow(vaddr: number): boolean {
    return vaddr >= this.sizes.switcherAddress;
  }

  /** Scans all tables: fills `places`, and answers the first flaw. */
  scan(roots: ReadonlySet<number>, current: number): Flaw | undefined {
    this.places.clear();
    this.data.clear();
    for (const root of roots) this.places.set(Math.floor(root / PAGE_BYTES), ROOT_PLACE);
    for (const root of roots) {
      const flaw = this.scanHalf(root, 0, this.kernelTop, root) ?? this.kernelDifference(root, current);
      if (flaw !== undefined) return flaw;
    }
    return this.scanHalf(current, this.kernelTop, this.sizes.rootEntries, 'kernel') ?? this.tableAsData();
  }

  /** In the profile `architecture` a present entry leads into RAM and has no flag but those that its role allows. */
  entryFlaw(entry: GuestEntry, role: Place['role']): Flaw | undefined {
    if (this.profile !== 'architecture' || !isPresent(entry)) return undefined;
    if (pageOf(entry) >= this.guestPages)
      return { rule: 'architecture', reason: `a ${role} entry leads to page ${pageOf(entry)}, which is not in RAM` };
    const others = entry.low & FLAGS & ~this.allowedIn(role);
    if (others === 0) return undefined;
    return { rule: 'architecture', reason: `a ${role} entry has the flags 0x${others.toString(16)}` };
  }

  private allowedIn(role: Place['role']): number {
    if (role === 'leaf') return FLAGS & ~PSE;
    return role === 'root' && this.sizes.tableLevels === 2 ? P : FULL;
  }

  private isLink(entry: GuestEntry): boolean {
    return isPresent(entry) && pageOf(entry) < this.guestPages;
  }

  private scanRoot(
    root: number,
    from: number,
    to: number,
    visit: (value: GuestEntry, top: number) => Flaw | undefined,
  ): Flaw | undefined {
    const { entryBytes } = this.sizes;
    const start = root % PAGE_BYTES;
    const page = Math.floor(root / PAGE_BYTES);
    return this.words.firstFlaw(page, start + from * entryBytes, start + to * entryBytes, (value, byte) =>
      visit(value, (byte - start) / entryBytes),
    );
  }

  private scanHalf(root: number, from: number, to: number, owner: number | 'kernel'): Flaw | undefined {
    const role = this.sizes.tableLevels === 2 ? 'middle' : 'leaf';
    return this.scanRoot(
      root,
      from,
      to,
      (value, top) =>
        this.entryFlaw(value, 'root') ?? this.scanLink(value, { role, owner, base: top * this.sizes.rootEntryReach }),
    );
  }

  /** Scans the table that an entry links. */
  private scanLink(entry: GuestEntry, place: Place): Flaw | undefined {
    if (!this.isLink(entry)) return undefined;
    const page = pageOf(entry);
    const taken = this.places.get(page);
    if (taken !== undefined) return doubleUse(page, taken);
    this.places.set(page, place);
    const { entryBytes, leafTableReach } = this.sizes;
    if (place.role === 'leaf') return this.scanLeaves(page, place);
    return this.words.firstFlaw(
      page,
      0,
      PAGE_BYTES,
      (value, byte) =>
        this.entryFlaw(value, 'middle') ??
        this.scanLink(value, {
          role: 'leaf',
          owner: place.owner,
          base: place.base + (byte / entryBytes) * leafTableReach,
        }),
    );
  }

  private scanLeaves(page: number, place: Place): Flaw | undefined {
    return this.words.firstFlaw(page, 0, PAGE_BYTES, (value, byte) => {
      if (isPresent(value)) this.data.set(pageOf(value), place.base + (byte / this.sizes.entryBytes) * PAGE_BYTES);
      return this.entryFlaw(value, 'leaf');
    });
  }

  private tableAsData(): Flaw | undefined {
    for (const [page, vaddr] of this.data) {
      const place = this.places.get(page);
      if (place !== undefined)
        return { rule: ruleOfReuse(place), reason: `0x${vaddr.toString(16)} maps a table, page ${page}` };
    }
    return undefined;
  }

  private kernelDifference(root: number, current: number): Flaw | undefined {
    if (root === current) return undefined;
    return this.kernelMissing(root, current) ?? this.kernelMissing(current, root);
  }

  /** A kernel entry of `one` that `other` lacks. */
  private kernelMissing(one: number, other: number): Flaw | undefined {
    return this.scanRoot(one, this.kernelTop, this.sizes.rootEntries, (value, top) =>
      sameEntry(value, this.words.at(other + top * this.sizes.entryBytes))
        ? undefined
        : { rule: 2, reason: `roots 0x${one.toString(16)} and 0x${other.toString(16)} differ in kernel entry ${top}` },
    );
  }
}

/** A root's page may serve as anything else only after the root has been retired (rule 4). */
const ruleOfReuse = (place: Place): ContractRule => (place.role === 'root' ? 4 : 3);

const doubleUse = (page: number, taken: Place): Flaw => ({
  rule: ruleOfReuse(taken),
  reason: `page ${page} is linked as a table, and is a ${taken.role} table already`,
});
