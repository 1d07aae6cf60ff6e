/**
 * The optimized machine: lguest's `page_tables.c` rebuilt on typed arrays. A tour, in the order of an access:
 *
 *   1. `switcher.ts`       maps the hypervisor's own window for the CPU that the guest runs on;
 *   2. `shadow-tables.ts`  the CPU's lookup, in tables on pages of `host-memory.ts`. A hit ends here and allocates nothing;
 *   3. `demand.ts`         a miss: `guest-walk.ts` reads the guest's own tables, `leaf-maker.ts` takes the page;
 *   4. `paging-calls.ts`   what the guest announces, with `pgdir-cache.ts` and `stack.ts`;
 *   5. `page-references.ts`, `guest-memory.ts`  the side effects that are compared with the model's.
 *
 * Every part is an object whose methods can be replaced. That is how `defects/` plants a bug in one machine and leaves all
 * others as they are, and as fast.
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
import { Demand, FAULTS } from './demand.js';
import { GuestMemory } from './guest-memory.js';
import { GuestState } from './guest-state.js';
import { GuestWalk } from './guest-walk.js';
import { HostBug, HostMemory } from './host-memory.js';
import { LeafMaker } from './leaf-maker.js';
import { MachineView } from './machine-view.js';
import { PageReferences } from './page-references.js';
import { PagingCalls } from './paging-calls.js';
import { PgdirCache } from './pgdir-cache.js';
import { NO_FRAME, rightsFor } from './shadow-entry.js';
import { tellState } from './shadow-machine-state.js';
import { ShadowTables, signed } from './shadow-tables.js';
import { Stack } from './stack.js';
import { Switcher } from './switcher.js';

/** An observation that is reused from step to step. */
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
  // A part is built from the parts above it.
  readonly tables = new ShadowTables(this);
  readonly walk = new GuestWalk(this);
  readonly maker = new LeafMaker(this);
  readonly cache = new PgdirCache(this);
  readonly demand = new Demand(this);
  readonly stack = new Stack(this);
  readonly switcher = new Switcher(this);
  readonly calls = new PagingCalls(this);
  readonly shadow = new MachineView(this);

  /** The outcome of every later step, once the machine can take no more. */
  private end: Outcome | undefined = undefined;
  private readonly observation: Draft = {
    outcome: ABSENT,
    references: [],
    stores: [],
    tables: 0,
    switcher: this.references.switcher,
  };
  /** Reused at every access, so that a hit allocates nothing. */
  private readonly mapped = { kind: 'mapped' as const, paddr: paddr(0) };

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

  tellState(sink: StateSink): void {
    tellState(this, sink);
  }

  private reset(config: MachineConfig): void {
    this.guest.reset(config);
    this.host.reset(this.guest.sizes.tableEntries);
    this.ram.reset(config.guestPages, this.guest.pae);
    this.references.reset(config.hostCpus);
    this.tables.reset();
    this.cache.reset();
    this.stack.reset();
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

  /** Frees everything that a failed creation allocated (machine.md 2). */
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

  /** Like `guarded`, without a closure for every step. */
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
    return { kind: 'host-bug', reason: error.message, cause: error.kind };
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
    // Read once: the lookup is slow, because steps have many shapes.
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
        this.stack.set(step.esp, step.pages);
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

  /** Kills a guest that makes a hypercall before `init` (machine.md 3). */
  private isRefused(op: Op): boolean {
    if (op === 'init' || !isHypercall(op)) return false;
    this.guest.kill(KILL.beforeInit(op));
    return true;
  }

  private access({ vaddr, kind, mode }: AccessStep): Outcome {
    const { current, sizes } = this.guest;
    this.switcher.enterGuest();
    const code = accessCode(kind, mode);
    if (vaddr >= sizes.switcherAddress) return FAULTS[code];
    const rights = rightsFor(code);
    const address = signed(vaddr);
    if (!this.tables.translates(current, address, rights)) {
      const end = this.demand.page(address, code);
      // The kill becomes the outcome in `apply`.
      if (end === 'killed') return OK;
      if (end !== 'mapped') return end;
      if (!this.tables.permits(rights)) return STUCK;
    }
    this.mapped.paddr = this.tables.physical(address);
    return this.mapped;
  }

  /** Machine.md 3, guest-pa; `guest_pa`. */
  private guestPhysical(address: Vaddr): Outcome {
    if (this.guest.linear) return { kind: 'physical', paddr: address as number as Paddr };
    const end = this.walk.unchecked(this.cache.guestRoot(this.guest.current), address);
    if (end === 'absent') this.guest.kill(KILL.badAddress(address));
    return { kind: 'physical', paddr: this.walk.physical(address) };
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
