/**
 * What the hypervisor does, rule by rule, in the order of machine.md 2 and 3: read the two side by side. A rule that can kill
 * the guest returns the kill, or `undefined` if it did not.
 */

import {
  allowsWriting,
  bothRights,
  hasReservedBits,
  includesRights,
  isAccessed,
  isLarge,
  isPresent,
  neededRights,
  pageNumber,
  rightsOf,
  shadowRights,
  touched,
} from './entry.js';
import { GuestRam } from './guest-ram.js';
import { GuestReferences, HostPages } from './host-pages.js';
import type { SwitcherCounts } from './slot.js';
import { ShadowSlot } from './slot.js';
import type {
  AccessKind,
  AccessMode,
  AccessStep,
  Cpu,
  FlushTlbStep,
  GuestEntry,
  GuestPaStep,
  Hypercall,
  InitStep,
  Killed,
  MachineConfig,
  NewPgtableStep,
  Op,
  Outcome,
  Paddr,
  PagingSizes,
  Pfn,
  SetPgdStep,
  SetPteStep,
  SetStackStep,
  Step,
  Vaddr,
} from './vocabulary/index.js';
import {
  accessCode,
  cpu,
  FAULT_PRESENT,
  HYPERCALL_NUMBERS,
  KILL,
  MOST_STACK_PAGES,
  paddr,
  PAGE_BYTES,
  pagingSizes,
  pfn,
  reservedBytes,
  SLOTS,
  vaddr,
} from './vocabulary/index.js';
import type { Level, Strictness, Translation, Walk } from './walk.js';
import { linearTranslation, TOP_LEVEL, walkGuest } from './walk.js';

const OK: Outcome = { kind: 'ok' };

export class Hypervisor {
  readonly ram: GuestRam;
  readonly references = new GuestReferences();
  readonly hostPages = new HostPages();
  readonly switcher: SwitcherCounts;
  readonly slots: readonly ShadowSlot[];
  current: ShadowSlot;
  linearMode = true;
  initialized = false;
  /** 0 until `initialized`. */
  kernelAddress = vaddr(0);
  esp = vaddr(0);
  stackPages = 0;
  hostCpu: Cpu = cpu(0);
  /**
   * If the last step was an access or a guest-pa: the outcome that a walk of the guest's own tables gave, whatever was handed
   * out earlier. Valid until the next step.
   */
  fresh: Outcome | undefined = undefined;

  private readonly config: MachineConfig;
  private readonly sizes: PagingSizes;
  private readonly topLevel: Level;

  constructor(config: MachineConfig) {
    this.config = config;
    this.sizes = pagingSizes(config.paging);
    this.topLevel = TOP_LEVEL[config.paging];
    this.ram = new GuestRam(config.guestPages, this.sizes.entryBytes);
    this.switcher = { text: 0, state: new Array<number>(config.hostCpus).fill(0), registers: 0 };
    const { sizes, hostPages, references, switcher } = this;
    this.slots = Array.from({ length: SLOTS }, () => new ShadowSlot({ sizes, hostPages, references, switcher }));
    this.current = this.slotDrawn(config.draw);
  }

  // Creation and end (machine.md 2).

  create(): Outcome {
    this.hostPages.failNth(this.config.failAllocation);
    const created = this.current.allocateRoot() && this.current.mapSwitcher() === undefined;
    this.hostPages.failNth(0);
    if (created) return { kind: 'created' };
    this.current.free();
    return { kind: 'no-memory' };
  }

  destroy(): Outcome {
    for (const slot of this.slots) slot.free();
    return { kind: 'destroyed' };
  }

  // The table of steps (machine.md 3).

  perform(step: Step): Outcome {
    this.fresh = undefined;
    if (!this.initialized && needsInit(step.op)) return KILL.beforeInit(step.op);
    switch (step.op) {
      case 'store':
        this.ram.store(step.paddr, step.value);
        return OK;
      case 'init':
        return this.init(step);
      case 'new-pgtable':
        return this.newPgtable(step) ?? OK;
      case 'flush-tlb':
        return this.flushTlb(step) ?? OK;
      case 'set-stack':
        return this.setStack(step) ?? OK;
      case 'set-pmd':
        return this.setPmd() ?? OK;
      case 'set-pte':
        return this.setPte(step) ?? OK;
      case 'set-pgd':
        return this.setPgd(step) ?? OK;
      case 'access':
        return this.access(step);
      case 'guest-pa':
        return this.guestPa(step);
      case 'migrate':
        this.hostCpu = cpu(step.cpu);
        return OK;
      case 'fail-alloc':
        this.hostPages.failNext(step.count);
        return OK;
      case 'protect':
        this.references.protect(pfn(step.page), step.access);
        return OK;
      default:
        return step satisfies never;
    }
  }

  // Hypercalls.

  private init(step: InitStep): Outcome {
    if (this.initialized) return KILL.alreadyInitialized;
    this.initialized = true;
    this.kernelAddress = step.kernelAddress;
    if (this.kernelAddress >= this.sizes.switcherAddress) return KILL.badKernelAddress(this.kernelAddress);
    return this.clearAll() ?? { kind: 'initialized', reserved: reservedBytes(this.config.paging) };
  }

  private newPgtable(step: NewPgtableStep): Killed | undefined {
    if (this.linearMode) this.leaveLinearMode();
    const hit = this.slotShadowing(step.root);
    if (hit === undefined) return this.newPgtableMissed(step);
    this.current = hit;
    return this.mapSwitcherUnlessMapped();
  }

  /** No slot shadows a root yet, so whichever root the guest asks for is a miss. */
  private leaveLinearMode(): void {
    for (const slot of this.slots) slot.releaseAll();
    this.linearMode = false;
  }

  private newPgtableMissed(step: NewPgtableStep): Killed | undefined {
    const candidate = this.slotDrawn(step.draw);
    const blank = !candidate.hasRoot && candidate.allocateRoot();
    if (candidate.hasRoot) this.current = candidate;
    this.current.gpgdir = step.root;
    this.current.flushUserHalf(this.kernelAddress);
    return (blank ? this.pinStack() : undefined) ?? this.mapSwitcherUnlessMapped();
  }

  private flushTlb(step: FlushTlbStep): Killed | undefined {
    if (step.scope === 'all') return this.clearAll();
    this.current.flushUserHalf(this.kernelAddress);
    return undefined;
  }

  private setStack(step: SetStackStep): Killed | undefined {
    if (step.pages > MOST_STACK_PAGES) return KILL.badStackPages(step.pages);
    this.esp = step.esp;
    this.stackPages = step.pages;
    return this.pinStack();
  }

  private setPmd(): Killed | undefined {
    if (this.config.paging !== 'pae') return KILL.badHypercall('set-pmd');
    return this.clearAll();
  }

  private setPte(step: SetPteStep): Killed | undefined {
    if (step.vaddr >= this.sizes.switcherAddress) return KILL.setPteInSwitcher;
    if (this.linearMode) return undefined;
    if (step.vaddr >= this.kernelAddress) return this.broadcastPte(step.vaddr, step.pte);
    const slot = this.slotShadowing(step.root);
    return slot === undefined ? undefined : this.setPteIn(slot, step.vaddr, step.pte);
  }

  /** A kernel mapping is the same in every root. */
  private broadcastPte(address: Vaddr, pte: GuestEntry): Killed | undefined {
    for (const slot of this.slots) {
      const killed = slot.hasRoot ? this.setPteIn(slot, address, pte) : undefined;
      if (killed !== undefined) return killed;
    }
    return undefined;
  }

  private setPteIn(slot: ShadowSlot, address: Vaddr, pte: GuestEntry): Killed | undefined {
    if (!slot.hasLeafTable(address)) return undefined;
    slot.releaseLeaf(address);
    if (!isPresent(pte) || !isAccessed(pte)) return undefined;
    switch (this.targetOf(pte)) {
      case 'device':
        return undefined;
      case 'bad':
        return KILL.badTableEntry;
      case 'ram':
        return this.install(slot, address, pte);
    }
  }

  private setPgd(step: SetPgdStep): Killed | undefined {
    if (step.index >= this.sizes.rootEntries) return KILL.badPgdIndex(step.index, this.sizes.rootEntries);
    const slot = this.slotShadowing(step.root);
    if (slot === undefined) return undefined;
    slot.releaseTopEntry(step.index);
    // If it was another slot's Switcher, that one gets it back when the guest switches to it.
    return this.mapSwitcherUnlessMapped();
  }

  // What hypercalls are made of.

  private clearAll(): Killed | undefined {
    for (const slot of this.slots) slot.releaseAll();
    return this.pinStack() ?? this.current.mapSwitcher();
  }

  private pinStack(): Killed | undefined {
    for (let page = 0; page < this.stackPages; page++) {
      const killed = this.pinStackPage(vaddr(this.esp - 1 - PAGE_BYTES * page));
      if (killed !== undefined) return killed;
    }
    return undefined;
  }

  private pinStackPage(address: Vaddr): Killed | undefined {
    // The Switcher's window is never the guest's, whatever is mapped there (page_writable, demand_page).
    if (address >= this.sizes.switcherAddress) return KILL.badStackPage(address);
    if (this.current.leafAllowing(address, neededRights('write', 'kernel')) !== undefined) return undefined;
    const outcome = this.demand(address, 'write', 'kernel');
    if (outcome.kind === 'killed') return outcome;
    return outcome.kind === 'mapped' ? undefined : KILL.badStackPage(address);
  }

  private mapSwitcherUnlessMapped(): Killed | undefined {
    return this.current.switcherMapped ? undefined : this.current.mapSwitcher();
  }

  /** The lowest slot with a root page and this gpgdir. */
  private slotShadowing(root: Paddr): ShadowSlot | undefined {
    for (const slot of this.slots) if (slot.hasRoot && slot.gpgdir === root) return slot;
    return undefined;
  }

  private slotDrawn(draw: number): ShadowSlot {
    return this.slots[draw % SLOTS];
  }

  // Access.

  private access({ vaddr: address, kind, mode }: AccessStep): Outcome {
    this.enterGuest();
    if (address >= this.sizes.switcherAddress) return (this.fresh = fault(accessCode(kind, mode)));
    const answer = this.translate(address, kind, mode);
    this.fresh = answer.outcome;
    // A leaf that was handed out earlier decides, until the guest announces a change.
    const leaf = this.current.leafAllowing(address, neededRights(kind, mode));
    if (leaf !== undefined) return mapped(leaf.page, address);
    return this.fill(address, kind, answer);
  }

  private enterGuest(): void {
    this.current.mapSwitcherFor(this.hostCpu);
  }

  private demand(address: Vaddr, kind: AccessKind, mode: AccessMode): Outcome {
    return this.fill(address, kind, this.translate(address, kind, mode));
  }

  /** What the guest's own tables give for an access at this moment: demand, 1 to 5. It changes nothing. */
  private translate(address: Vaddr, kind: AccessKind, mode: AccessMode): TablesAnswer {
    // 1 and 2.
    const walk = this.linearMode ? linearTranslation(address) : this.walk(address, 'checked');
    if (walk.kind === 'killed') return { outcome: walk };
    if (walk.kind === 'absent') return { outcome: fault(accessCode(kind, mode)) };
    // 3.
    const rights = bothRights(walk.upperRights, rightsOf(walk.leaf));
    if (!includesRights(rights, neededRights(kind, mode))) {
      return { outcome: fault(FAULT_PRESENT | accessCode(kind, mode)) };
    }
    const page = pageNumber(walk.leaf);
    switch (this.targetOf(walk.leaf)) {
      case 'device': // 4.
        return { outcome: { kind: 'mmio', paddr: physical(page, address) } };
      case 'bad': // 5.
        return { outcome: KILL.badTableEntry };
      case 'ram':
        return { outcome: mapped(page, address), translation: walk };
    }
  }

  /** Demand, 6. */
  private fill(address: Vaddr, kind: AccessKind, { outcome, translation }: TablesAnswer): Outcome {
    if (translation === undefined) return outcome;
    const leaf = touched(translation.leaf, kind);
    const noTable = this.current.makeTables(address, translation.upperRights);
    if (noTable !== undefined) return noTable;
    this.current.releaseLeaf(address);
    const refused = this.install(this.current, address, leaf);
    if (refused !== undefined) return refused;
    if (translation.home !== undefined) this.ram.writeBack(translation.home, leaf);
    return outcome;
  }

  /** Takes the page of a leaf that targets RAM, and installs the leaf where there is none. */
  private install(slot: ShadowSlot, address: Vaddr, leaf: GuestEntry): Killed | undefined {
    const page = pageNumber(leaf);
    const rights = shadowRights(leaf);
    if (!this.references.take(page, allowsWriting(rights) ? 'write' : 'read')) return KILL.pageRefused(page);
    slot.install(address, { page, rights });
    return undefined;
  }

  private targetOf(leaf: GuestEntry): LeafTarget {
    const { guestPages, devicePages } = this.config;
    const page = pageNumber(leaf);
    if (isLarge(leaf) || hasReservedBits(leaf)) return 'bad';
    if (page < guestPages) return 'ram';
    return page < guestPages + devicePages ? 'device' : 'bad';
  }

  // guest-pa.

  private guestPa(step: GuestPaStep): Outcome {
    return (this.fresh = this.walkForHost(step));
  }

  /** guest-pa always walks, so its outcome is fresh in any case. */
  private walkForHost(step: GuestPaStep): Outcome {
    if (this.linearMode) return { kind: 'physical', paddr: paddr(step.vaddr) };
    const walk = this.walk(step.vaddr, 'unchecked');
    if (walk.kind === 'killed') return walk;
    if (walk.kind === 'absent') return KILL.badAddress(step.vaddr);
    return { kind: 'physical', paddr: physical(pageNumber(walk.leaf), step.vaddr) };
  }

  private walk(address: Vaddr, strictness: Strictness): Walk {
    const root = this.current.gpgdir;
    if (root === undefined) throw new Error('the model left linear mode without a root');
    return walkGuest(this.ram, this.topLevel, root, address, strictness);
  }
}

/** What the guest's own tables give for an access. */
interface TablesAnswer {
  readonly outcome: Outcome;
  /** Set if the outcome is `mapped`. */
  readonly translation?: Translation;
}

/** What a present leaf points at. */
type LeafTarget = 'ram' | 'device' | 'bad';

const needsInit = (op: Op): op is Exclude<Hypercall, 'init'> => op !== 'init' && op in HYPERCALL_NUMBERS;

const fault = (code: number): Outcome => ({ kind: 'fault', code });

const mapped = (page: Pfn, address: Vaddr): Outcome => ({ kind: 'mapped', paddr: physical(page, address) });

/** Modulo 2³², and exact: a page number of 52 bits times 4096 loses no bit. */
const physical = (page: Pfn, address: Vaddr): Paddr => paddr(paddr(page * PAGE_BYTES) + (address % PAGE_BYTES));
