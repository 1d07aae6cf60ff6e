/**
 * The contract of coherent guests (machine.md 5), checked on a list of steps. It follows the guest's stores and announcements and knows
 * nothing of the hypervisor. It is strict: it rejects some programs that keep the contract in spirit, but a program that it accepts never
 * uses a mapping that it has changed without an announcement.
 *
 * A window is the time between two steps that may access guest memory. What the hypervisor may have cached when a window begins are the
 * tables as they were then (`places`); every store to those must be announced before the window ends. Stores to other pages are free,
 * because an entry that links such a page as a table must itself be announced.
 */

import type { AccessStep, GuestEntry, MachineConfig, Program, SetPteStep, Step } from '../model/vocabulary/index.js';
import { PAGE_BYTES, hasFeature, sameEntry } from '../model/vocabulary/index.js';
import type { ContractRule, Flaw, GlobalTranslation, Place } from './contract-tables.js';
import { ContractTables } from './contract-tables.js';
import { isPresent } from './entry-bits.js';
import type { Profile } from './profile.js';
import { raceFlaw } from './race-rules.js';

export type { ContractRule } from './contract-tables.js';

/** The step at which a rule of machine.md 5 (Coherent) is found broken; 0 is the first one. */
export interface Breach extends Flaw {
  readonly step: number;
}

/** A store that has not been announced yet. */
interface Pending {
  readonly place: Place;
  /** The root that the word belongs to; `kernel`: all roots. */
  readonly owner: number | 'kernel';
  /** The first address that the word translates. */
  readonly vaddr: number;
  readonly value: GuestEntry;
  /** When the window began. */
  readonly before: GuestEntry;
}

class ContractCheck {
  private readonly machine: MachineConfig;
  private readonly profile: Profile;
  private readonly tables: ContractTables;
  /** By the address of the word. */
  private readonly pending = new Map<number, Pending>();
  /** Roots that were run on and have not been retired since. */
  private readonly roots = new Set<number>();
  /** `undefined` in linear mode, which uses no tables. */
  private current: number | undefined = undefined;
  private initialized = false;
  /** Global translations of the kernel half that may be cached, by their first address; none without the feature. */
  private readonly globals = new Map<number, GlobalTranslation>();
  /** The tables may have changed since `globals` was filled. */
  private globalsStale = false;
  /** The tables have changed since `places` was filled. */
  private reshaped = false;

  constructor(machine: MachineConfig, profile: Profile) {
    this.machine = machine;
    this.profile = profile;
    this.tables = new ContractTables(machine, profile);
  }

  /** The step does what no CPU has a name for, so that it is none of the profile `architecture` (machine.md 6). */
  outsideFlaw(step: Step): Flaw | undefined {
    if (this.profile !== 'architecture') return undefined;
    const reason = this.diesOf(step) ? 'a hypercall before init' : this.whyOutside(step);
    return reason === undefined ? undefined : { rule: 'architecture', reason };
  }

  private whyOutside(step: Step): string | undefined {
    const { tables, machine } = this;
    switch (step.op) {
      case 'init':
        if (this.initialized) return 'a second init';
        return tables.inWindow(step.kernelAddress) ? 'the kernel half begins in the window at the top' : undefined;
      case 'set-pmd':
        return machine.paging === 'pae' ? undefined : '2-level paging has no middle table';
      case 'set-pgd':
        return step.index < tables.sizes.rootEntries ? undefined : `a root has no entry ${step.index}`;
      case 'set-pte':
        if (tables.inWindow(step.vaddr)) return 'the address lies in the window at the top';
        return this.announcedFlaw(step)?.reason;
      case 'access':
        if (tables.inWindow(step.vaddr)) return 'the address lies in the window at the top';
        if (this.current !== undefined) return undefined;
        if (step.kind === 'execute') return 'an instruction is fetched in linear mode';
        return step.vaddr < machine.guestPages * PAGE_BYTES ? undefined : 'the address is beyond RAM, in linear mode';
      default:
        return undefined;
    }
  }

  /** It may be the entry of a large page. */
  private announcedFlaw({ root, vaddr, pte }: SetPteStep): Flaw | undefined {
    const { tables } = this;
    const isLarge = tables.isLarge(pte, tables.directoryRole) || this.largeStored(root, vaddr) !== undefined;
    const isUser = vaddr < tables.userEntries * tables.sizes.rootEntryReach;
    return tables.entryFlaw(pte, isLarge ? tables.directoryRole : 'leaf', isUser);
  }

  /** A hypercall before `init` kills the guest (machine.md 3), so the contract holds from then on. */
  diesOf(step: Step): boolean {
    switch (step.op) {
      case 'new-pgtable':
      case 'flush-tlb':
      case 'set-stack':
      case 'set-pmd':
      case 'set-pte':
      case 'set-pgd':
        return !this.initialized;
      default:
        return false;
    }
  }

  /** Follows a guest that need not keep the contract. */
  follow(step: Step): void {
    if (step.op === 'init') this.init(step.kernelAddress);
    if (step.op === 'new-pgtable') this.current = step.root;
  }

  take(step: Step): Flaw | undefined {
    switch (step.op) {
      case 'store':
        return this.store(step.paddr, step.value);
      case 'init':
        return this.init(step.kernelAddress);
      case 'new-pgtable':
        return this.settle() ?? this.run(step.root);
      case 'flush-tlb':
        return step.scope === 'all' ? this.flushAll() : this.flushUser();
      case 'set-pmd':
        return this.announceMiddle(step.pmd, step.index);
      case 'set-pte':
        return this.announceLeaf(step);
      case 'set-pgd':
        return this.announceTop(step.root, step.index);
      case 'access':
        return this.settle() ?? this.targetFlaw(step);
      case 'set-stack':
        return this.settle();
      case 'guest-pa':
      case 'migrate':
      case 'fail-alloc':
      case 'protect':
        return undefined;
      default:
        return step satisfies never;
    }
  }

  private targetFlaw({ vaddr, kind }: AccessStep): Flaw | undefined {
    if (this.machine.features === undefined || this.current === undefined) return undefined;
    const reason = this.tables.targetFlaw(this.current, vaddr, kind === 'execute');
    return reason === undefined ? undefined : { rule: 'architecture', reason };
  }

  private init(kernelAddress: number): Flaw | undefined {
    if (this.initialized) return undefined;
    this.initialized = true;
    return this.tables.setKernelAddress(kernelAddress);
  }

  private store(address: number, value: GuestEntry): Flaw | undefined {
    const place = this.tables.places.get(Math.floor(address / PAGE_BYTES));
    if (place?.role === 'root') this.retireIfIdle(this.tables.rootAt(address));
    const before = this.pending.get(address)?.before ?? this.tables.words.at(address);
    this.tables.words.set(address, value);
    this.globalsStale = hasFeature(this.machine, 'global-pages');
    if (place === undefined) return undefined;
    const pending = this.pendingStore(address, { value, before }, place);
    if (pending === undefined) return undefined;
    this.pending.set(address, pending);
    // A leaf changes no shape, unless it maps a table.
    if (place.role !== 'leaf' || (isPresent(value) && this.tables.places.has(this.tables.linkedPage(value))))
      this.reshaped = true;
    return this.tables.entryFlaw(value, place.role, pending.owner !== 'kernel');
  }

  private pendingStore(address: number, entries: Pick<Pending, 'value' | 'before'>, place: Place): Pending | undefined {
    const { sizes } = this.tables;
    const index = (address % PAGE_BYTES) / sizes.entryBytes;
    if (place.role === 'leaf') return { place, owner: place.owner, vaddr: place.base + index * PAGE_BYTES, ...entries };
    if (place.role === 'middle') {
      return { place, owner: place.owner, vaddr: place.base + index * sizes.leafTableReach, ...entries };
    }
    const root = this.tables.rootAt(address);
    if (!this.roots.has(root)) return undefined;
    const top = (address - root) / sizes.entryBytes;
    const owner = top < this.tables.userEntries ? root : 'kernel';
    return { place, owner, vaddr: top * sizes.rootEntryReach, ...entries };
  }

  // Announcements.

  /** Rule 1: a leaf is announced with the value that was stored, for the root and the address that it maps. */
  private announceLeaf({ root, vaddr, pte }: SetPteStep): Flaw | undefined {
    if (this.current === undefined) return undefined;
    const kernel = vaddr >= this.tables.userEntries * this.tables.sizes.rootEntryReach;
    // An announcement for the kernel half is one for every root, whichever it names.
    const leaf = this.tables.leafAddress(kernel ? this.current : root, vaddr);
    if (leaf !== undefined && !sameEntry(this.tables.words.at(leaf), pte)) {
      return { rule: 1, reason: `what is announced for 0x${vaddr.toString(16)} is not what is stored` };
    }
    const owner = kernel ? 'kernel' : root;
    const page = vaddr - (vaddr % PAGE_BYTES);
    const large = this.largeStored(kernel ? this.current : root, vaddr);
    this.settlePending((word, at) =>
      word.place.role === 'leaf' ? word.owner === owner && word.vaddr === page : at === large,
    );
    this.forgetGlobal(vaddr);
    return undefined;
  }

  /** The word that mapped a large page when the window began, and has been stored since, if that covers the address and links no table. */
  private largeStored(root: number, vaddr: number): number | undefined {
    const { tables } = this;
    const at = tables.directoryAddress(root, vaddr);
    const word = at === undefined ? undefined : this.pending.get(at);
    if (at === undefined || word === undefined || !tables.isLarge(word.before, tables.directoryRole)) return undefined;
    return isPresent(word.value) && !tables.isLarge(word.value, tables.directoryRole) ? undefined : at;
  }

  // Global pages, which nothing but a `set-pte` drops (SDM 4.10.4.1).

  private forgetGlobal(vaddr: number): void {
    const { leafTableReach } = this.tables.sizes;
    const page = vaddr - (vaddr % PAGE_BYTES);
    const large = vaddr - (vaddr % leafTableReach);
    this.globals.delete(page);
    if (this.globals.get(large)?.isLarge === true) this.globals.delete(large);
  }

  /** What may be cached as global from here on; a flaw if some of it is out of date. */
  private settleGlobals(): Flaw | undefined {
    if (!this.globalsStale || this.current === undefined) return undefined;
    this.globalsStale = false;
    const now = this.tables.globalTranslations(this.current);
    for (const [vaddr, { path }] of this.globals) {
      if (now.get(vaddr)?.path === path) continue;
      const reason = `the global page at 0x${vaddr.toString(16)} has changed, and no set-pte announced it`;
      return { rule: 2, reason };
    }
    for (const [vaddr, translation] of now) this.globals.set(vaddr, translation);
    return undefined;
  }

  /** Rule 1 for root entries of the user half: the hypervisor drops everything under the entry. Kernel entries need a full flush. */
  private announceTop(root: number, index: number): undefined {
    if (index >= this.tables.userEntries) return;
    this.forget(root, index * this.tables.sizes.rootEntryReach, this.tables.sizes.rootEntryReach, 'root');
  }

  /** Rule 1 for middle entries. The hypervisor drops everything, then pins the stack through the tables as they are now. */
  private announceMiddle(table: number, index: number): Flaw | undefined {
    const { sizes } = this.tables;
    const page = Math.floor(table / PAGE_BYTES);
    const word = this.pending.get(page * PAGE_BYTES + index * sizes.entryBytes);
    if (index < sizes.tableEntries && word?.place.role === 'middle' && word.owner !== 'kernel') {
      this.forget(word.owner, word.vaddr, sizes.leafTableReach, 'middle');
    }
    return this.look();
  }

  private flushUser(): undefined {
    if (this.current !== undefined) this.forget(this.current, 0, Infinity, 'root');
  }

  private flushAll(): Flaw | undefined {
    this.pending.clear();
    this.retireIdle();
    return this.look();
  }

  /**
   * The hypervisor has dropped what `root` maps in this range: entries from `level` down count as announced, and the tables under them
   * are free until the window ends.
   */
  private forget(root: number, base: number, reach: number, level: 'root' | 'middle'): void {
    const within = (vaddr: number): boolean => vaddr >= base && vaddr - base < reach;
    const below = level === 'root' ? ['middle', 'leaf'] : ['leaf'];
    this.settlePending(
      (word) => word.owner === root && within(word.vaddr) && (level === 'root' || word.place.role !== 'root'),
    );
    for (const [page, place] of this.tables.places) {
      if (place.owner === root && within(place.base) && below.includes(place.role)) this.tables.places.delete(page);
    }
    this.reshaped = true;
  }

  private settlePending(announced: (word: Pending, at: number) => boolean): void {
    for (const [address, word] of this.pending) if (announced(word, address)) this.pending.delete(address);
  }

  // Windows.

  /** A step is about to access guest memory, so every store must have been announced. */
  settle(): Flaw | undefined {
    for (const [address, word] of this.pending) return this.unannounced(address, word);
    this.retireIdle();
    return this.look() ?? this.settleGlobals();
  }

  private unannounced(address: number, { place, owner, value }: Pending): Flaw {
    const where = `0x${address.toString(16)}`;
    if (place.role !== 'root') {
      const rule: ContractRule = owner === 'kernel' && place.role === 'middle' ? 2 : 1;
      return { rule, reason: `the ${place.role} entry at ${where} was stored and not announced` };
    }
    if (owner === 'kernel') return { rule: 2, reason: `the kernel entry at ${where} was stored without a full flush` };
    const retiring = owner !== this.current && !isPresent(value);
    return { rule: retiring ? 4 : 1, reason: `the root entry at ${where} was stored and not announced` };
  }

  /** Looks at the tables again if they have changed. */
  private look(): Flaw | undefined {
    if (!this.reshaped || this.current === undefined) return undefined;
    // While stores are pending, the tables are still changing.
    this.reshaped = this.pending.size > 0;
    return this.tables.scan(this.roots, this.current);
  }

  private retireIdle(): void {
    if (this.reshaped) for (const root of this.roots) this.retireIfIdle(root);
  }

  /** Rule 4: once its user half is empty and that was announced, a root that is not current is a page like any other. */
  private retireIfIdle(root: number): void {
    if (root === this.current || !this.roots.has(root) || !this.tables.userHalfEmpty(root)) return;
    for (const { owner } of this.pending.values()) if (owner === root) return;
    this.roots.delete(root);
    this.reshaped = true;
  }

  /** Switches roots. The old one stays in use, so its kernel half is still compared. */
  private run(root: number): Flaw | undefined {
    if (!this.tables.rootInRam(root)) return { rule: 3, reason: `root 0x${root.toString(16)} is not in RAM` };
    this.current = root;
    this.roots.add(root);
    this.reshaped = true;
    this.globalsStale = hasFeature(this.machine, 'global-pages');
    return this.look();
  }
}

/**
 * The first step that breaks the contract or reveals that it was broken; in the profile `architecture` also one that no CPU has a name for
 * (machine.md 6).
 */
export const breachOf = ({ machine, steps }: Program, profile: Profile = 'lguest'): Breach | undefined => {
  const check = new ContractCheck(machine, profile);
  for (const [index, step] of steps.entries()) {
    const outside = check.outsideFlaw(step);
    if (outside !== undefined) return { step: index, ...outside };
    if (check.diesOf(step)) return undefined;
    const flaw = check.take(step);
    if (flaw !== undefined) return { step: index, ...flaw };
  }
  return undefined;
};

/** Whether a program is one of a racy guest, which may announce its changes late or never (machine.md 6); one that keeps the contract is. */
export const isRacy = (program: Program): boolean => {
  const check = new ContractCheck(program.machine, 'architecture');
  for (const step of program.steps) {
    if (check.outsideFlaw(step) !== undefined) return false;
    check.follow(step);
  }
  return raceFlaw(program) === undefined;
};

/** Whether the guest keeps the contract (machine.md 5, Coherent; and 6, in its profile) until the program ends or kills it. */
export const keepsContract = (program: Program, profile: Profile = 'lguest'): boolean =>
  breachOf(program, profile) === undefined;

/** Whether a program that keeps the contract has announced every store by its end. */
export const endsAnnounced = ({ machine, steps }: Program): boolean => {
  const check = new ContractCheck(machine, 'lguest');
  for (const step of steps) check.take(step);
  return check.settle() === undefined;
};
