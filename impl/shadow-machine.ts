/**
 * The optimized machine: what lguest's `page_tables.c` does, rebuilt on typed arrays. A tour, in the order in which an access
 * meets them:
 *
 *   1. `switcher.ts`       the hypervisor's window, switched to the CPU that the guest is about to run on;
 *   2. `mmu.ts`            the CPU looks into the shadow tables: the hit path, which allocates nothing;
 *   3. `demand.ts`         a miss: `guest-walk.ts` reads the guest's own tables, `leaf-maker.ts` takes the page;
 *   4. `shadow-tables.ts`  where the leaf goes, on pages of `host-memory.ts`;
 *   5. `paging-calls.ts`   what the guest announces, with `pgdir-cache.ts` and `stack.ts`;
 *   6. `page-references.ts`, `guest-memory.ts`  what must be the same afterwards on both sides.
 *
 * Every part is an object whose methods may be replaced: that is the seam through which `defects/` put a bug into one machine
 * and leave every other machine's code as fast as it is.
 */

import type {
  AccessStep,
  Hypercall,
  Killed,
  Machine,
  MachineConfig,
  Observation,
  Op,
  Outcome,
  Paddr,
  StateSink,
  Step,
  Vaddr,
} from '../model/vocabulary/index.js';
import { HYPERCALL_NUMBERS, KILL, SLOTS, accessCode, paddr, reservedBytes, slot } from '../model/vocabulary/index.js';
import type { DemandEnd } from './demand.js';
import { Demand } from './demand.js';
import { FACT } from './facts.js';
import { NO_FRAME } from './frames.js';
import { GuestMemory } from './guest-memory.js';
import { GuestState } from './guest-state.js';
import { GuestWalk } from './guest-walk.js';
import { HostBug } from './host-bug.js';
import { HostMemory } from './host-memory.js';
import { LeafMaker } from './leaf-maker.js';
import { MachineView } from './machine-view.js';
import { Mmu } from './mmu.js';
import { PageReferences } from './page-references.js';
import { PagingCalls } from './paging-calls.js';
import { PgdirCache } from './pgdir-cache.js';
import { rightsFor } from './shadow-entry.js';
import { ShadowTables } from './shadow-tables.js';
import { signed } from './signed.js';
import { Stack } from './stack.js';
import { Switcher } from './switcher.js';

/** An observation that is filled in again at every step. */
type Draft = { -readonly [Field in keyof Observation]: Observation[Field] };

const OK: Outcome = { kind: 'ok' };
const CREATED: Outcome = { kind: 'created' };
const NO_MEMORY: Outcome = { kind: 'no-memory' };
const STUCK: Outcome = { kind: 'stuck' };
const DEAD: Outcome = { kind: 'dead' };
const DESTROYED: Outcome = { kind: 'destroyed' };
const HALTED: Outcome = { kind: 'halted' };
const ABSENT: Outcome = { kind: 'absent' };

export class ShadowMachine implements Machine {
  readonly guest = new GuestState();
  readonly host = new HostMemory();
  readonly ram = new GuestMemory();
  readonly references = new PageReferences();
  readonly tables = new ShadowTables(this.guest, this.host, this.references);
  readonly mmu = new Mmu(this.host, this.tables);
  readonly walk = new GuestWalk(this.guest, this.ram);
  readonly maker = new LeafMaker(this.guest, this.references);
  readonly cache = new PgdirCache(this.guest, this.host, this.tables);
  readonly demand = new Demand(this.guest, this.ram, this.walk, this.cache, this.tables, this.maker);
  readonly stack = new Stack(this.guest, this.mmu, this.demand);
  readonly switcher = new Switcher(this.guest, this.tables, this.references);
  readonly calls = new PagingCalls(
    this.guest,
    this.tables,
    this.cache,
    this.switcher,
    this.stack,
    this.walk,
    this.maker,
  );
  readonly shadow = new MachineView(this.guest, this.host, this.ram, this.tables, this.cache);

  /** What every later step answers, once the machine is past use. */
  private end: Outcome | undefined = undefined;
  private readonly observation: Draft = {
    outcome: ABSENT,
    references: [],
    stores: [],
    tables: 0,
    switcher: this.references.switcher,
  };
  /** Filled in again at every access, so that a hit allocates nothing. */
  private readonly mapped = { kind: 'mapped' as const, paddr: paddr(0) };
  private readonly faulted = { kind: 'fault' as const, code: 0 };

  create(config: MachineConfig): Observation {
    this.reset(config);
    return this.observe(this.guarded(() => this.createSlot(config)));
  }

  apply(step: Step): Observation {
    if (this.end !== undefined) return this.observeEnd(this.end);
    this.tables.writtenCount = 0;
    const outcome = this.attempt(step);
    return this.observe(this.guest.killedFor === undefined ? outcome : this.kill(this.guest.killedFor));
  }

  destroy(): Observation {
    if (this.end === HALTED || this.end === ABSENT) return this.observeEnd(this.end);
    this.tables.writtenCount = 0;
    const outcome = this.guarded(() => this.releaseEverything());
    this.observe(outcome);
    this.observation.references = this.references.held(this.guest.guestPages);
    return this.observation;
  }

  /**
   * All that the steps to come depend on. Not told are the counts of references, which follow from the leaves or were observed
   * not to, and which host page a table has: no sound step looks at its number.
   */
  tellState(sink: StateSink): void {
    this.guest.tellState(sink);
    this.host.tellState(sink);
    this.ram.tellState(sink);
    this.references.tellState(sink, this.guest.guestPages);
    for (let index = 0; index < SLOTS; index++) {
      const each = slot(index);
      sink.slotFact(FACT.slot, each);
      sink.flag(each === this.guest.current);
      sink.flag(this.cache.hasRoot(each));
      sink.flag(this.switcher.isMapped(each));
      this.cache.tellState(each, sink);
      this.switcher.tellState(each, sink);
      if (this.cache.hasRoot(each)) this.tables.tellState(each, sink);
    }
  }

  private reset(config: MachineConfig): void {
    this.guest.reset(config);
    this.host.reset(this.guest.sizes.tableEntries);
    this.ram.reset(config.guestPages, this.guest.pae);
    this.references.reset(config.hostCpus);
    this.tables.reset();
    this.cache.reset();
    this.switcher.reset();
    this.end = undefined;
  }

  private createSlot(config: MachineConfig): Outcome {
    if (config.failAllocation > 0) this.host.failAfter(config.failAllocation - 1, 1);
    const first = slot(config.draw % SLOTS);
    this.guest.current = first;
    const root = this.host.allocate();
    this.tables.roots[first] = root;
    const created = root !== NO_FRAME && this.switcher.map(first);
    this.host.failAfter(0, 0);
    if (created) return CREATED;
    this.undoCreation();
    this.guest.killedFor = undefined;
    this.end = ABSENT;
    return NO_MEMORY;
  }

  /** Nothing stays allocated of a machine that could not be made (machine.md 2). */
  undoCreation(): void {
    const { current } = this.guest;
    if (!this.cache.hasRoot(current)) return;
    this.tables.releaseTables(current);
    this.tables.freeRoot(current);
  }

  /** Machine.md 2, destroy; `free_guest_pagetable`. */
  releaseEverything(): Outcome {
    this.calls.releaseAll();
    for (let index = 0; index < SLOTS; index++) this.tables.freeRoot(slot(index));
    return DESTROYED;
  }

  private attempt(step: Step): Outcome {
    try {
      return this.dispatch(step);
    } catch (error) {
      return this.broken(error);
    }
  }

  private guarded(action: () => Outcome): Outcome {
    try {
      return action();
    } catch (error) {
      return this.broken(error);
    }
  }

  private broken(error: unknown): Outcome {
    if (!(error instanceof HostBug)) throw error;
    this.end = HALTED;
    this.guest.killedFor = undefined;
    return { kind: 'host-bug', reason: error.message };
  }

  private kill(kill: Killed): Outcome {
    this.end = this.stopsAt();
    return kill;
  }

  /** A kill is final (machine.md 3, Kills). */
  stopsAt(): Outcome | undefined {
    return DEAD;
  }

  private dispatch(step: Step): Outcome {
    // Read once: to find a field of so many types of object takes long.
    const { op } = step;
    if (!this.guest.initialized && this.isRefused(op)) return OK;
    switch (op) {
      case 'access':
        return this.access(step);
      case 'guest-pa':
        return this.guestPhysical(step.vaddr);
      case 'init':
        this.calls.init(step.kernelAddress);
        return { kind: 'initialized', reserved: reservedBytes(this.guest.sizes.paging) };
      case 'store':
        this.ram.store(step.paddr, step.value);
        break;
      case 'set-pte':
        this.calls.setPte(step.root, step.vaddr, step.pte);
        break;
      case 'set-pgd':
        this.calls.setPgd(step.root, step.index);
        break;
      case 'set-pmd':
        this.calls.setPmd();
        break;
      case 'new-pgtable':
        this.calls.newPgtable(step.root, step.draw);
        break;
      case 'flush-tlb':
        this.calls.flushTlb(step.scope);
        break;
      case 'set-stack':
        this.calls.setStack(step.esp, step.pages);
        break;
      case 'migrate':
        this.guest.cpu = step.cpu;
        break;
      case 'fail-alloc':
        this.host.failAfter(0, step.count);
        break;
      case 'protect':
        this.references.protect(step.page, step.access);
        break;
      default:
        step satisfies never;
    }
    return OK;
  }

  /** A guest that calls before `init` is killed. */
  private isRefused(op: Op): boolean {
    if (op === 'init' || !isHypercall(op)) return false;
    this.guest.kill(KILL.beforeInit(op));
    return true;
  }

  private access({ vaddr, kind, mode }: AccessStep): Outcome {
    const { current, sizes } = this.guest;
    this.switcher.enterGuest();
    const code = accessCode(kind, mode);
    if (vaddr >= sizes.switcherAddress) return this.fault(code);
    const rights = rightsFor(code);
    const address = signed(vaddr);
    if (!this.mmu.translates(current, address, rights)) {
      const end = this.demand.page(address, code);
      if (end !== 'mapped') return this.notMapped(end);
      if (!this.mmu.permits(rights)) return STUCK;
    }
    this.mapped.paddr = this.mmu.translated(address);
    return this.mapped;
  }

  private notMapped(end: Exclude<DemandEnd, 'mapped'>): Outcome {
    switch (end) {
      case 'fault':
        return this.fault(this.demand.faultCode);
      case 'mmio':
        return { kind: 'mmio', paddr: this.demand.deviceAddress };
      case 'killed':
        return OK;
      default:
        return end satisfies never;
    }
  }

  private fault(code: number): Outcome {
    this.faulted.code = code;
    return this.faulted;
  }

  /** Machine.md 3, guest-pa; `guest_pa`. */
  private guestPhysical(address: Vaddr): Outcome {
    if (this.guest.linear) return { kind: 'physical', paddr: address as number as Paddr };
    const end = this.walk.unchecked(this.cache.guestRoot(this.guest.current), address);
    if (end === 'absent') this.guest.kill(KILL.badAddress(address));
    return { kind: 'physical', paddr: paddr((this.walk.leafLow & ~0xfff) | (address & 0xfff)) };
  }

  private observe(outcome: Outcome): Observation {
    const { observation } = this;
    observation.outcome = outcome;
    observation.references = this.references.takeChanges();
    observation.stores = this.ram.takeChanges();
    observation.tables = this.host.tableCount;
    return observation;
  }

  private observeEnd(outcome: Outcome): Observation {
    this.tables.writtenCount = 0;
    this.observation.references = [];
    this.observation.stores = [];
    this.observation.outcome = outcome;
    return this.observation;
  }
}

const isHypercall = (op: Op): op is Hypercall => op in HYPERCALL_NUMBERS;
