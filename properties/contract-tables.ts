/**
 * A guest's page tables, from its stores alone, and the rules on their shape: the role and owner of each page, and that all roots agree on
 * the kernel half (rules 2 to 4 of machine.md 5, Coherent). The hypervisor's own stores are ignored: they set A and D in leaves and change
 * no shape.
 */

import type { Feature, GuestEntry, MachineConfig, PagingSizes } from '../model/vocabulary/index.js';
import { PAGE_BYTES, ZERO_ENTRY, guestEntry, hasFeature, pagingSizes, sameEntry } from '../model/vocabulary/index.js';
import { A, BEYOND_ADDRESS, D, FLAGS, FULL, G, P, PSE, XD, isPresent, pageOf } from './entry-bits.js';
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

/** A translation that only a `set-pte` drops from a TLB. */
export interface GlobalTranslation {
  /** The entries that lead there, as a text. */
  readonly path: string;
  readonly isLarge: boolean;
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

  hasStoresIn(page: number): boolean {
    return this.pages.has(page);
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
  private readonly machine: MachineConfig;
  private readonly guestPages: number;
  private readonly rootBytes: number;
  /** Pages that leaves map, each with an address that maps it. */
  private readonly data = new Map<number, number>();
  /** The first root entry of the kernel half. */
  private kernelTop = 0;
  private readonly profile: Profile;

  constructor(machine: MachineConfig, profile: Profile) {
    this.profile = profile;
    this.machine = machine;
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

  /** The address in guest RAM of the entry that maps `vaddr`, if the tables of `root` lead to it: a leaf, or that of a large page. */
  leafAddress(root: number, vaddr: number): number | undefined {
    const upper = this.directoryAddress(root, vaddr);
    if (upper === undefined) return undefined;
    const entry = this.words.at(upper);
    if (this.isLarge(entry, this.directoryRole)) return upper;
    return this.isLink(entry) ? this.leafIn(entry, vaddr) : undefined;
  }

  /** Where the entry lies that links the leaf table for `vaddr`. */
  directoryAddress(root: number, vaddr: number): number | undefined {
    const { sizes } = this;
    const at = root + Math.floor(vaddr / sizes.rootEntryReach) * sizes.entryBytes;
    if (sizes.tableLevels === 1) return at;
    const entry = this.words.at(at);
    if (!this.isLink(entry)) return undefined;
    const index = Math.floor((vaddr % sizes.rootEntryReach) / sizes.leafTableReach);
    return this.linkedPage(entry) * PAGE_BYTES + index * sizes.entryBytes;
  }

  private leafIn(link: GuestEntry, vaddr: number): number {
    const { sizes } = this;
    const index = Math.floor((vaddr % sizes.leafTableReach) / PAGE_BYTES);
    return this.linkedPage(link) * PAGE_BYTES + index * sizes.entryBytes;
  }

  /** The role of entries that link leaf tables, or map large pages. */
  get directoryRole(): Place['role'] {
    return this.sizes.tableLevels === 1 ? 'root' : 'middle';
  }

  isLarge(entry: GuestEntry, role: Place['role']): boolean {
    return role === this.directoryRole && (entry.low & PSE) !== 0 && isPresent(entry) && this.has('large-pages');
  }

  /** Why an access may not go where the tables lead it (machine.md 6, Features). */
  targetFlaw(root: number, vaddr: number, isFetch: boolean): string | undefined {
    const at = this.leafAddress(root, vaddr);
    const entry = at === undefined ? ZERO_ENTRY : this.words.at(at);
    if (!isPresent(entry)) return undefined;
    const isLarge = at === this.directoryAddress(root, vaddr);
    const page = isLarge ? Math.floor((vaddr % this.sizes.leafTableReach) / PAGE_BYTES) : pageOf(entry) % 2 ** 20;
    if (isLarge && page >= this.guestPages) return 'the address leads beyond RAM, in a large page';
    if (isLarge && this.places.has(page)) return `the address leads to a table, page ${page}, in a large page`;
    return isFetch && this.words.hasStoresIn(page) ? `page ${page}, which has stored words, is executed` : undefined;
  }

  private has(feature: Feature): boolean {
    return hasFeature(this.machine, feature);
  }

  /** Pages and large pages of the kernel half that are global, by their first address. */
  globalTranslations(root: number): ReadonlyMap<number, GlobalTranslation> {
    const found = new Map<number, GlobalTranslation>();
    const { entryBytes, rootEntryReach, leafTableReach } = this.sizes;
    const text = ({ low, high }: GuestEntry): string => `${high},${low};`;
    const visit = (entry: GuestEntry, role: Place['role'], base: number, path: string): undefined => {
      if (!isPresent(entry)) return;
      if (role === 'leaf' || this.isLarge(entry, role)) {
        if ((entry.low & G) !== 0) found.set(base, { path: path + text(entry), isLarge: role !== 'leaf' });
        return;
      }
      const below = role === this.directoryRole ? 'leaf' : 'middle';
      const reach = below === 'leaf' ? PAGE_BYTES : leafTableReach;
      this.words.firstFlaw(pageOf(entry) % 2 ** 20, 0, PAGE_BYTES, (value, byte) =>
        visit(value, below, base + (byte / entryBytes) * reach, path + text(entry)),
      );
    };
    this.scanRoot(root, this.kernelTop, this.sizes.rootEntries, (value, top) =>
      visit(value, 'root', top * rootEntryReach, ''),
    );
    return found;
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

  /** The page that an entry leads to: without XD, which restricts what it maps, and not where that lies. */
  linkedPage(entry: GuestEntry): number {
    const { low, high } = entry;
    return pageOf(this.has('no-execute') ? guestEntry(low, high & ~XD) : entry);
  }

  /**
   * In the profile `architecture` a present entry leads into RAM and has no flag but those that its role and the features allow.
   * `isUser`: it belongs to the user half, where nothing may be global.
   */
  entryFlaw(given: GuestEntry, role: Place['role'], isUser: boolean): Flaw | undefined {
    if (this.profile !== 'architecture' || !isPresent(given)) return undefined;
    const entry = this.withoutFeatures(given, role);
    if (pageOf(entry) >= this.guestPages)
      return { rule: 'architecture', reason: `a ${role} entry leads to page ${pageOf(entry)}, which is not in RAM` };
    if (this.isLarge(entry, role) && pageOf(entry) !== 0)
      return { rule: 'architecture', reason: `a large page begins at page ${pageOf(entry)}, not at 0` };
    const copied = role === 'root' && role === this.directoryRole && !isUser && this.has('global-pages');
    const needed = this.isLarge(entry, role) ? A | D : A;
    if (copied && (entry.low & needed) !== needed)
      return { rule: 'architecture', reason: 'a kernel entry of a root lacks A or D, which global pages need there' };
    const others = entry.low & FLAGS & ~this.allowedIn(entry, role, isUser);
    if (others === 0) return undefined;
    return { rule: 'architecture', reason: `a ${role} entry has the flags 0x${others.toString(16)}` };
  }

  /** The entry without the bits beyond its page that the features allow. */
  private withoutFeatures(entry: GuestEntry, role: Place['role']): GuestEntry {
    if (role === 'root' && this.sizes.tableLevels === 2) return entry;
    const isPae = this.sizes.tableLevels === 2;
    const reserved = this.has('reserved-bits');
    const high = (isPae && reserved ? BEYOND_ADDRESS : 0) | (isPae && (reserved || this.has('no-execute')) ? XD : 0);
    const low = reserved && this.isLarge(entry, role) ? (isPae ? 0x1fe000 : 0x200000) : 0;
    return guestEntry(entry.low & ~low, entry.high & ~high);
  }

  private allowedIn(entry: GuestEntry, role: Place['role'], isUser: boolean): number {
    const isLarge = this.isLarge(entry, role);
    const global = isUser && this.has('global-pages') ? 0 : G;
    if (role === 'leaf' || isLarge) return (FLAGS & ~G & ~(isLarge ? 0 : PSE)) | global;
    return role === 'root' && this.sizes.tableLevels === 2 ? P : FULL;
  }

  private isLink(entry: GuestEntry): boolean {
    return isPresent(entry) && this.linkedPage(entry) < this.guestPages;
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
        this.entryFlaw(value, 'root', owner !== 'kernel') ??
        this.scanLink(value, 'root', { role, owner, base: top * this.sizes.rootEntryReach }),
    );
  }

  /** Scans the table that an entry links. */
  private scanLink(entry: GuestEntry, from: Place['role'], place: Place): Flaw | undefined {
    if (!this.isLink(entry) || this.isLarge(entry, from)) return undefined;
    const page = this.linkedPage(entry);
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
        this.entryFlaw(value, 'middle', place.owner !== 'kernel') ??
        this.scanLink(value, 'middle', {
          role: 'leaf',
          owner: place.owner,
          base: place.base + (byte / entryBytes) * leafTableReach,
        }),
    );
  }

  private scanLeaves(page: number, place: Place): Flaw | undefined {
    return this.words.firstFlaw(page, 0, PAGE_BYTES, (value, byte) => {
      if (isPresent(value))
        this.data.set(pageOf(value) % 2 ** 20, place.base + (byte / this.sizes.entryBytes) * PAGE_BYTES);
      return this.entryFlaw(value, 'leaf', place.owner !== 'kernel');
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
