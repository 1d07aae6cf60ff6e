import { describe, expect, it } from 'vitest';
import { ReferenceMachine } from './machine.js';
import type {
  AccessKind,
  AccessMode,
  MachineConfig,
  Observation,
  Outcome,
  Paging,
  Protection,
  Step,
  SwitcherReferences,
} from './vocabulary/index.js';
import { guestEntry, killedFor, paddr, PAGINGS, pagingSizes, vaddr } from './vocabulary/index.js';

const KERNEL = 0xc0000000;
const ROOT = 0x1000;
/** Another root. */
const OTHER = 0x6000;
const SWITCHER = { '2-level': 0xffc00000, pae: 0xffe00000 };
/** Host pages of a machine that maps nothing but the Switcher: the root and the tables for it. */
const BARE = { '2-level': 2, pae: 3 };
/** Host pages that a first user and a first kernel mapping add (in PAE the Switcher's middle table is there). */
const USER_TABLES = { '2-level': 1, pae: 2 };
const KERNEL_TABLES = 1;

const CONFIG = { guestPages: 64, devicePages: 4, hostCpus: 2, draw: 0, failAllocation: 0 };

/** A machine and the steps of its guest, each of which answers a copy of what was observed, `fresh` apart. */
class Guest {
  readonly created: Observation;
  private readonly paging: Paging;
  private readonly machine = new ReferenceMachine();
  /** Of the last step. */
  fresh: Outcome | undefined = undefined;

  constructor(paging: Paging, config: Partial<MachineConfig> = {}) {
    this.paging = paging;
    this.created = this.copyOf(this.machine.create({ paging, ...CONFIG, ...config }));
  }

  apply(step: Step): Observation {
    return this.copyOf(this.machine.apply(step));
  }

  destroy(): Observation {
    return this.copyOf(this.machine.destroy());
  }

  private copyOf({ fresh, ...observed }: Observation): Observation {
    this.fresh = fresh;
    return structuredClone(observed);
  }

  store(address: number, low: number, high = 0): Observation {
    return this.apply({ op: 'store', paddr: paddr(address), value: guestEntry(low, high) });
  }

  init(kernelAddress = KERNEL): Observation {
    return this.apply({ op: 'init', kernelAddress: vaddr(kernelAddress) });
  }

  newPgtable(root = ROOT, draw = 0): Observation {
    return this.apply({ op: 'new-pgtable', root: paddr(root), draw });
  }

  flushTlb(scope: 'all' | 'user'): Observation {
    return this.apply({ op: 'flush-tlb', scope });
  }

  setStack(esp: number, pages: number): Observation {
    return this.apply({ op: 'set-stack', esp: vaddr(esp), pages });
  }

  setPmd(): Observation {
    return this.apply({ op: 'set-pmd', pmd: paddr(0x4000), index: 0 });
  }

  setPte(address: number, low: number, high = 0, root = ROOT): Observation {
    return this.apply({ op: 'set-pte', root: paddr(root), vaddr: vaddr(address), pte: guestEntry(low, high) });
  }

  setPgd(index: number, root = ROOT): Observation {
    return this.apply({ op: 'set-pgd', root: paddr(root), index });
  }

  access(address: number, kind: AccessKind = 'read', mode: AccessMode = 'kernel'): Observation {
    return this.apply({ op: 'access', vaddr: vaddr(address), kind, mode });
  }

  guestPa(address: number): Observation {
    return this.apply({ op: 'guest-pa', vaddr: vaddr(address) });
  }

  migrate(cpu: number): Observation {
    return this.apply({ op: 'migrate', cpu });
  }

  failAlloc(count: number): Observation {
    return this.apply({ op: 'fail-alloc', count });
  }

  protect(page: number, access: Protection): Observation {
    return this.apply({ op: 'protect', page, access });
  }

  /** Lays tables: page 2 maps the lowest addresses, page 3 the lowest of the kernel's. */
  layTables(root = ROOT, userFlags = 0x67): void {
    if (this.paging === '2-level') {
      this.store(root, 0x2000 | userFlags);
      this.store(root + 768 * 4, 0x3067);
    } else {
      this.store(root, 0x4001);
      this.store(root + 3 * 8, 0x5001);
      this.store(0x4000, 0x2000 | userFlags);
      this.store(0x5000, 0x3067);
    }
  }

  /** Where the guest keeps the leaf for an address that `layTables` covers. */
  home(address: number): number {
    const { entryBytes } = pagingSizes(this.paging);
    const [table, first] = address < KERNEL ? [0x2000, 0] : [0x3000, KERNEL];
    return table + ((address - first) >>> 12) * entryBytes;
  }

  storeLeaf(address: number, low: number, high = 0): void {
    this.store(this.home(address), low, high);
  }
}

/** A guest that runs on its own tables, in slot 0, with nothing mapped. */
const running = (paging: Paging, config: Partial<MachineConfig> = {}): Guest => {
  const guest = new Guest(paging, config);
  guest.init();
  guest.layTables();
  guest.newPgtable();
  return guest;
};

const BEFORE_ENTRY: SwitcherReferences = { text: 1, state: [0, 0], registers: 0 };
const ENTERED: SwitcherReferences = { text: 1, state: [1, 0], registers: 1 };

interface Seen {
  readonly tables: number;
  readonly switcher: SwitcherReferences;
  readonly references?: readonly (readonly [page: number, count: number])[];
  readonly stores?: readonly (readonly [address: number, low: number, high?: number])[];
}

/** A whole observation; what is not given was not seen. */
const seen = (outcome: Outcome, { tables, switcher, references = [], stores = [] }: Seen) => ({
  outcome,
  references: references.map(([page, count]) => ({ page, count })),
  stores: stores.map(([address, low, high]) => ({ paddr: address, value: guestEntry(low, high) })),
  tables,
  switcher,
});

const OK: Outcome = { kind: 'ok' };
const mapped = (address: number): Outcome => ({ kind: 'mapped', paddr: paddr(address) });
const fault = (code: number): Outcome => ({ kind: 'fault', code });
const killed = killedFor;

describe.each(PAGINGS)('creation (%s)', (paging) => {
  it('allocates the root and the Switcher’s tables, and maps the text page', () => {
    const guest = new Guest(paging);
    expect(guest.created).toEqual(seen({ kind: 'created' }, { tables: BARE[paging], switcher: BEFORE_ENTRY }));
  });

  it('picks slot draw % 4', () => {
    const guest = new Guest(paging, { draw: 6 });
    guest.init();
    expect(guest.newPgtable(ROOT, 2).tables).toBe(BARE[paging]);
    expect(guest.newPgtable(OTHER, 6).tables).toBe(BARE[paging]);
    expect(guest.newPgtable(ROOT, 1).tables).toBe(2 * BARE[paging]);
  });

  it.each(Array.from({ length: BARE[paging] }, (_, n) => n + 1))('leaves nothing if allocation %i fails', (n) => {
    const guest = new Guest(paging, { failAllocation: n });
    const nothing = { text: 0, state: [0, 0], registers: 0 };
    expect(guest.created).toEqual(seen({ kind: 'no-memory' }, { tables: 0, switcher: nothing }));
    expect(guest.store(ROOT, 1).outcome).toEqual({ kind: 'absent' });
    expect(guest.init().outcome).toEqual({ kind: 'absent' });
    expect(guest.destroy().outcome).toEqual({ kind: 'absent' });
  });

  it('fails no allocation that it does not make, and none that comes later', () => {
    const guest = new Guest(paging, { failAllocation: BARE[paging] + 1 });
    expect(guest.created.outcome).toEqual({ kind: 'created' });
    expect(guest.access(0x5000).outcome).toEqual(mapped(0x5000));
  });

  it('starts afresh, whatever the last program left', () => {
    const machine = new ReferenceMachine();
    const access = { op: 'access', vaddr: vaddr(0x5000), kind: 'write', mode: 'kernel' } as const;
    machine.create({ paging, ...CONFIG });
    machine.apply(access);
    machine.apply({ op: 'migrate', cpu: 1 });
    machine.apply({ op: 'set-pgd', root: paddr(ROOT), index: 0 });
    expect(machine.apply(access).outcome).toEqual({ kind: 'dead' });
    expect(machine.create({ paging, ...CONFIG })).toEqual(
      seen({ kind: 'created' }, { tables: BARE[paging], switcher: BEFORE_ENTRY }),
    );
    expect(machine.apply(access)).toMatchObject(
      seen(mapped(0x5000), {
        tables: BARE[paging] + USER_TABLES[paging],
        switcher: ENTERED,
        references: [[5, 1]],
      }),
    );
  });
});

describe.each(PAGINGS)('destroy (%s)', (paging) => {
  const gone = seen({ kind: 'destroyed' }, { tables: 0, switcher: { text: 0, state: [0, 0], registers: 0 } });

  it('returns every reference and every table', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.storeLeaf(KERNEL, 0x9007);
    guest.access(0x7000, 'write', 'user');
    guest.access(KERNEL);
    guest.newPgtable(OTHER, 3);
    guest.migrate(1);
    guest.access(0);
    expect(guest.destroy()).toEqual(gone);
  });

  it('does so after a kill too', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    guest.setPgd(5000);
    expect(guest.destroy()).toEqual(gone);
  });

  it('leaves no machine', () => {
    const guest = running(paging);
    guest.destroy();
    expect(guest.access(0).outcome).toEqual({ kind: 'absent' });
  });
});

describe.each(PAGINGS)('kills (%s)', (paging) => {
  const nonsense: Step[] = [
    { op: 'new-pgtable', root: paddr(ROOT), draw: 0 },
    { op: 'flush-tlb', scope: 'user' },
    { op: 'set-stack', esp: vaddr(0), pages: 9 },
    { op: 'set-pmd', pmd: paddr(0), index: 0 },
    { op: 'set-pte', root: paddr(ROOT), vaddr: vaddr(0xffffffff), pte: guestEntry(0) },
    { op: 'set-pgd', root: paddr(ROOT), index: 5000 },
  ];
  const numbers = [4, 5, 7, 13, 14, 15];

  it.each(nonsense.map((step, index) => [step.op, step, numbers[index]] as const))(
    '%s before init, before anything else about it',
    (_, step, number) => {
      const guest = new Guest(paging);
      expect(guest.apply(step).outcome).toEqual(killed(`hypercall ${number} before INIT`));
    },
  );

  it('no step that is not a hypercall before init', () => {
    const guest = new Guest(paging);
    expect(guest.store(ROOT, 1).outcome).toEqual(OK);
    expect(guest.migrate(1).outcome).toEqual(OK);
    expect(guest.failAlloc(0).outcome).toEqual(OK);
    expect(guest.protect(3, 'read').outcome).toEqual(OK);
    expect(guest.guestPa(0x1234).outcome).toEqual({ kind: 'physical', paddr: 0x1234 });
    expect(guest.access(0x1234).outcome).toEqual(mapped(0x1234));
  });

  it('leave every later step dead and without effect', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.setPgd(5000);
    const dead = seen({ kind: 'dead' }, { tables: BARE[paging], switcher: BEFORE_ENTRY });
    expect(guest.access(0x7000)).toEqual(dead);
    expect(guest.init()).toEqual(dead);
    expect(guest.setPgd(5000)).toEqual(dead);
  });
});

describe.each(PAGINGS)('store (%s)', (paging) => {
  it('is not observed, and changes no mapping', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    expect(guest.store(guest.home(0x7000), 0)).toEqual(
      seen(OK, { tables: BARE[paging] + USER_TABLES[paging], switcher: ENTERED }),
    );
    expect(guest.access(0x7123).outcome).toEqual(mapped(0x5123));
  });
});

describe.each(PAGINGS)('init (%s)', (paging) => {
  const reserved = 2 ** 32 - SWITCHER[paging];

  it('answers the reserved bytes, and clears all but leaves linear mode on', () => {
    const guest = new Guest(paging);
    guest.access(0x5000);
    expect(guest.init()).toEqual(
      seen({ kind: 'initialized', reserved }, { tables: BARE[paging], switcher: BEFORE_ENTRY, references: [[5, 0]] }),
    );
    expect(guest.access(0x5000).outcome).toEqual(mapped(0x5000));
  });

  it('kills the second time', () => {
    const guest = new Guest(paging);
    guest.init();
    expect(guest.init().outcome).toEqual(killed('already have lguest_data'));
  });

  it('kills for a kernel address in the Switcher', () => {
    const text = `bad kernel address 0x${SWITCHER[paging].toString(16)}`;
    expect(new Guest(paging).init(SWITCHER[paging]).outcome).toEqual(killed(text));
    expect(new Guest(paging).init(SWITCHER[paging] - 1).outcome).toEqual({ kind: 'initialized', reserved });
  });
});

describe.each(PAGINGS)('new-pgtable (%s)', (paging) => {
  it('releases everything and leaves linear mode', () => {
    const guest = new Guest(paging);
    guest.init();
    guest.access(0x5000);
    guest.access(KERNEL - 1, 'read', 'user');
    expect(guest.newPgtable(ROOT, 0)).toEqual(
      seen(OK, { tables: BARE[paging], switcher: BEFORE_ENTRY, references: [[5, 0]] }),
    );
    expect(guest.access(0x5000).outcome).toEqual(fault(0));
  });

  it('takes no slot of linear mode for a shadow of root 0', () => {
    const guest = new Guest(paging);
    guest.init();
    // Slot 0 is let go of all but its root; slot 1 gets a root and the Switcher.
    expect(guest.newPgtable(0, 1)).toEqual(seen(OK, { tables: BARE[paging] + 1, switcher: BEFORE_ENTRY }));
  });

  it('keeps what a hit has cached', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    guest.newPgtable(OTHER, 1);
    const tables = 2 * BARE[paging] + USER_TABLES[paging];
    expect(guest.newPgtable(ROOT, 2)).toEqual(seen(OK, { tables, switcher: { text: 2, state: [1, 0], registers: 1 } }));
    guest.storeLeaf(0x7000, 0);
    expect(guest.access(0x7000).outcome).toEqual(mapped(0x5000));
  });

  it('evicts the drawn slot’s user half, and keeps its kernel half and its Switcher', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.storeLeaf(KERNEL, 0x9007);
    guest.access(0x7000);
    guest.access(KERNEL);
    const tables = BARE[paging] + KERNEL_TABLES;
    expect(guest.newPgtable(OTHER, 4)).toEqual(seen(OK, { tables, switcher: ENTERED, references: [[5, 0]] }));
    guest.storeLeaf(KERNEL, 0);
    expect(guest.access(KERNEL)).toEqual(seen(mapped(0x9000), { tables, switcher: ENTERED }));
    expect(guest.access(0x7000).outcome).toEqual(fault(0));
    // The old root is forgotten.
    expect(guest.newPgtable(ROOT, 1).tables).toBe(tables + BARE[paging]);
  });

  it('pins the stack in a blank slot', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9003);
    guest.setStack(KERNEL + 0x1000, 1);
    guest.layTables(OTHER);
    expect(guest.newPgtable(OTHER, 1)).toEqual(
      seen(OK, {
        tables: 2 * (BARE[paging] + KERNEL_TABLES),
        switcher: { text: 2, state: [0, 0], registers: 0 },
        references: [[9, 2]],
      }),
    );
  });

  it('dies in a blank slot whose root does not map the stack', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9003);
    guest.setStack(KERNEL + 0x1000, 1);
    expect(guest.newPgtable(OTHER, 1).outcome).toEqual(killed('bad stack page 0xc0000fff'));
  });

  it('does not pin the stack in a slot that is not blank', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9003);
    guest.newPgtable(OTHER, 1);
    guest.newPgtable(ROOT, 2);
    guest.setStack(KERNEL + 0x1000, 1);
    expect(guest.newPgtable(0x8000, 1).outcome).toEqual(OK);
  });

  it('takes the current slot if the root’s allocation fails, without pinning', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5003);
    guest.access(0x7000);
    guest.setStack(0x8000, 1);
    guest.failAlloc(1);
    expect(guest.newPgtable(OTHER, 1)).toEqual(
      seen(OK, { tables: BARE[paging], switcher: ENTERED, references: [[5, 0]] }),
    );
    // The current slot shadows the new root now: the old one is a miss.
    expect(guest.newPgtable(OTHER, 3).tables).toBe(BARE[paging]);
  });

  it('takes the current slot if that happens when linear mode ends', () => {
    const guest = new Guest(paging);
    guest.init();
    guest.failAlloc(1);
    expect(guest.newPgtable(ROOT, 2)).toEqual(seen(OK, { tables: BARE[paging], switcher: BEFORE_ENTRY }));
  });

  it('dies if there is no table for the Switcher', () => {
    const guest = new Guest(paging);
    guest.init();
    guest.failAlloc(1);
    expect(guest.newPgtable(ROOT, 0).outcome).toEqual(killed('out of memory allocating pte page'));
  });
});

describe.each(PAGINGS)('flush-tlb (%s)', (paging) => {
  const bothHalves = (kernelAddress = KERNEL): Guest => {
    const guest = new Guest(paging);
    guest.init(kernelAddress);
    guest.layTables();
    guest.newPgtable();
    guest.storeLeaf(0x7000, 0x5007);
    guest.storeLeaf(KERNEL, 0x9007);
    guest.storeLeaf(KERNEL + 0x2000, 0xa007);
    for (const address of [0x7000, KERNEL, KERNEL + 0x2000]) guest.access(address);
    return guest;
  };

  it('user keeps the kernel half', () => {
    expect(bothHalves().flushTlb('user')).toEqual(
      seen(OK, { tables: BARE[paging] + KERNEL_TABLES, switcher: ENTERED, references: [[5, 0]] }),
    );
  });

  it('user releases the leaves below kernelAddress in a table that straddles it', () => {
    const guest = bothHalves(KERNEL + 0x2000);
    expect(guest.flushTlb('user')).toEqual(
      seen(OK, {
        tables: BARE[paging] + KERNEL_TABLES,
        switcher: ENTERED,
        references: [
          [5, 0],
          [9, 0],
        ],
      }),
    );
    guest.storeLeaf(KERNEL + 0x2000, 0);
    expect(guest.access(KERNEL + 0x2000).outcome).toEqual(mapped(0xa000));
  });

  it('user releases the page that an unaligned kernelAddress splits, for it begins below', () => {
    expect(bothHalves(KERNEL + 0x2001).flushTlb('user')).toEqual(
      seen(OK, {
        tables: BARE[paging] + KERNEL_TABLES,
        switcher: ENTERED,
        references: [
          [5, 0],
          [9, 0],
          [10, 0],
        ],
      }),
    );
  });

  it('user frees a table that ends where kernelAddress is, and not one address sooner', () => {
    const { leafTableReach } = pagingSizes(paging);
    const kept = BARE[paging] + KERNEL_TABLES;
    expect(bothHalves(KERNEL + leafTableReach).flushTlb('user').tables).toBe(BARE[paging]);
    expect(bothHalves(KERNEL + leafTableReach - 1).flushTlb('user').tables).toBe(kept);
  });

  it('user frees nothing when all is the kernel’s', () => {
    expect(bothHalves(0).flushTlb('user').tables).toBe(BARE[paging] + USER_TABLES[paging] + KERNEL_TABLES);
  });

  it('user leaves other slots alone', () => {
    const guest = bothHalves();
    guest.newPgtable(OTHER, 1);
    expect(guest.flushTlb('user').references).toEqual([]);
  });

  it('all clears every slot, and maps the Switcher in the current one', () => {
    const guest = bothHalves();
    guest.newPgtable(OTHER, 1);
    expect(guest.flushTlb('all')).toEqual(
      seen(OK, {
        tables: BARE[paging] + 1,
        switcher: BEFORE_ENTRY,
        references: [
          [5, 0],
          [9, 0],
          [10, 0],
        ],
      }),
    );
    // The other slot keeps its gpgdir, and gets its Switcher back at the switch.
    expect(guest.newPgtable(ROOT, 2)).toEqual(
      seen(OK, { tables: 2 * BARE[paging], switcher: { text: 2, state: [0, 0], registers: 0 } }),
    );
  });

  it('all pins the stack before it maps the Switcher', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9003);
    guest.setStack(KERNEL + 0x1000, 1);
    guest.storeLeaf(KERNEL, 0xa003);
    expect(guest.flushTlb('all')).toEqual(
      seen(OK, {
        tables: BARE[paging] + KERNEL_TABLES,
        switcher: BEFORE_ENTRY,
        references: [
          [9, 0],
          [10, 1],
        ],
        stores: [[guest.home(KERNEL), 0xa063]],
      }),
    );
    guest.storeLeaf(KERNEL, 0);
    guest.failAlloc(9);
    expect(guest.flushTlb('all').outcome).toEqual(killed('bad stack page 0xc0000fff'));
  });

  it('all dies if there is no table for the Switcher', () => {
    const guest = running(paging);
    guest.failAlloc(1);
    expect(guest.flushTlb('all').outcome).toEqual(killed('out of memory allocating pte page'));
  });
});

describe('flush-tlb user in PAE', () => {
  it('frees only the leaf tables below in a middle table that straddles kernelAddress', () => {
    const guest = new Guest('pae');
    guest.init(0x00200000);
    guest.layTables();
    guest.store(0x4008, 0x3067);
    guest.newPgtable();
    guest.storeLeaf(0x7000, 0x5007);
    guest.storeLeaf(KERNEL, 0x9007);
    guest.access(0x7000);
    guest.access(0x00200000);
    expect(guest.flushTlb('user')).toEqual(seen(OK, { tables: BARE.pae + 2, switcher: ENTERED, references: [[5, 0]] }));
  });
});

describe.each(PAGINGS)('set-stack (%s)', (paging) => {
  it('pins each page below esp, for writing', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9003);
    guest.storeLeaf(KERNEL + 0x1000, 0xa003);
    expect(guest.setStack(KERNEL + 0x2000, 2)).toEqual(
      seen(OK, {
        tables: BARE[paging] + KERNEL_TABLES,
        switcher: BEFORE_ENTRY,
        references: [
          [9, 1],
          [10, 1],
        ],
        stores: [
          [guest.home(KERNEL + 0x1000), 0xa063],
          [guest.home(KERNEL), 0x9063],
        ],
      }),
    );
  });

  it('demands nothing where the shadow maps the page writable', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9003);
    guest.access(KERNEL, 'write');
    guest.storeLeaf(KERNEL, 0);
    expect(guest.setStack(KERNEL + 0x1000, 1)).toEqual(
      seen(OK, { tables: BARE[paging] + KERNEL_TABLES, switcher: ENTERED }),
    );
  });

  it('demands what the shadow maps read-only', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9003);
    guest.access(KERNEL);
    expect(guest.setStack(KERNEL + 0x1000, 1).stores).toEqual([{ paddr: 0x3000, value: guestEntry(0x9063) }]);
  });

  it('works in linear mode', () => {
    const guest = new Guest(paging);
    guest.init();
    expect(guest.setStack(0x8000, 2).references).toEqual([
      { page: 6, count: 1 },
      { page: 7, count: 1 },
    ]);
  });

  it.each([3, 2 ** 32 - 1])('kills for %i pages', (pages) => {
    expect(running(paging).setStack(0, pages).outcome).toEqual(killed(`bad stack pages ${pages}`));
  });

  it.each([
    ['is not mapped', 0],
    ['is read-only', 0x9001],
    ['is a device’s', 0x40003],
  ])('kills where the guest’s page %s', (_, leaf) => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, leaf);
    expect(guest.setStack(KERNEL + 0x123, 1).outcome).toEqual(killed('bad stack page 0xc0000122'));
  });

  it('kills for what demand kills for, if that comes first', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x50003);
    expect(guest.setStack(KERNEL + 0x1000, 1).outcome).toEqual(killed('bad page table entry'));
  });

  it('kills for a stack in the Switcher, below address 0 too', () => {
    expect(running(paging).setStack(0, 1).outcome).toEqual(killed('bad stack page 0xffffffff'));
    const guest = new Guest(paging);
    guest.init();
    expect(guest.setStack(0x1000, 2).outcome).toEqual(killed('bad stack page 0xffffffff'));
  });

  it('kills for the Switcher’s first page, though every slot maps it', () => {
    const first = SWITCHER[paging];
    expect(running(paging).setStack(first + 1, 1).outcome).toEqual(killed(`bad stack page 0x${first.toString(16)}`));
    const registers = first + 0x1000;
    const guest = running(paging);
    guest.access(0);
    expect(guest.setStack(registers + 1, 1).outcome).toEqual(killed(`bad stack page 0x${registers.toString(16)}`));
  });

  it('prints address zero as C does', () => {
    expect(running(paging).setStack(1, 1).outcome).toEqual(killed('bad stack page 0'));
  });

  it('pins nothing for 0 pages', () => {
    expect(running(paging).setStack(0, 0)).toEqual(seen(OK, { tables: BARE[paging], switcher: BEFORE_ENTRY }));
  });
});

describe('set-pmd', () => {
  it('kills in 2-level', () => {
    expect(running('2-level').setPmd().outcome).toEqual(killed('Bad hypercall 13'));
  });

  it('clears all in PAE', () => {
    const guest = running('pae');
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    expect(guest.setPmd()).toEqual(seen(OK, { tables: BARE.pae, switcher: BEFORE_ENTRY, references: [[5, 0]] }));
  });
});

describe.each(PAGINGS)('set-pte (%s)', (paging) => {
  const tables = BARE[paging] + USER_TABLES[paging];
  /** A guest whose shadow maps page 5 at 0x7000, clean. */
  const mapping = (): Guest => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    return guest;
  };

  it('kills for an address in the Switcher, in linear mode too', () => {
    const guest = new Guest(paging);
    guest.init();
    expect(guest.setPte(SWITCHER[paging], 0).outcome).toEqual(killed('attempt to set pte into Switcher pages'));
  });

  it('does nothing more in linear mode', () => {
    const guest = new Guest(paging);
    guest.init(0);
    guest.access(0x7000);
    expect(guest.setPte(0x7000, 0xfffff0ff)).toEqual(seen(OK, { tables, switcher: ENTERED }));
    expect(guest.access(0x7000).outcome).toEqual(mapped(0x7000));
  });

  it('does nothing for a root that no slot shadows', () => {
    expect(mapping().setPte(0x7000, 0, 0, OTHER)).toEqual(seen(OK, { tables, switcher: ENTERED }));
  });

  it('does nothing where the shadow has no table, whatever the entry', () => {
    const { leafTableReach } = pagingSizes(paging);
    expect(mapping().setPte(leafTableReach, 0xfffff0ff)).toEqual(seen(OK, { tables, switcher: ENTERED }));
  });

  it.each([
    ['not present', 0x5066],
    ['not accessed', 0x9007],
    ['dirty but not accessed', 0x9047],
    ['a device’s', 0x40067],
    ['a bad one that is not accessed', 0xfffff087],
  ])('clears the leaf for an entry that is %s', (_, pte) => {
    const guest = mapping();
    expect(guest.setPte(0x7000, pte)).toEqual(seen(OK, { tables, switcher: ENTERED, references: [[5, 0]] }));
    guest.storeLeaf(0x7000, 0);
    expect(guest.access(0x7000).outcome).toEqual(fault(0));
  });

  it('installs an accessed entry, read-only while it is clean', () => {
    const guest = mapping();
    const references = [
      [5, 0],
      [9, 1],
    ] as const;
    expect(guest.setPte(0x7000, 0x9027)).toEqual(seen(OK, { tables, switcher: ENTERED, references }));
    guest.storeLeaf(0x7000, 0);
    expect(guest.access(0x7000, 'read', 'user').outcome).toEqual(mapped(0x9000));
    expect(guest.access(0x7000, 'write').outcome).toEqual(fault(2));
  });

  it('takes bits 12 and up for the page, and nothing below', () => {
    const guest = running(paging, { guestPages: 2048 });
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    expect(guest.setPte(0x7000, 0x400123).references).toEqual([
      { page: 5, count: 0 },
      { page: 0x400, count: 1 },
    ]);
    expect(guest.access(0x7abc).outcome).toEqual(mapped(0x400abc));
  });

  it('installs a dirty entry writable', () => {
    const guest = mapping();
    guest.setPte(0x7000, 0x9067);
    guest.storeLeaf(0x7000, 0);
    expect(guest.access(0x7000, 'write', 'user').outcome).toEqual(mapped(0x9000));
  });

  it('observes no change where the page stays the same', () => {
    expect(mapping().setPte(0x7000, 0x5067)).toEqual(seen(OK, { tables, switcher: ENTERED }));
  });

  it('takes the page for writing only if it is dirty and writable', () => {
    const guest = mapping();
    guest.protect(9, 'read');
    expect(guest.setPte(0x7000, 0x9065).outcome).toEqual(OK);
    expect(guest.setPte(0x7000, 0x9027).outcome).toEqual(OK);
    expect(guest.setPte(0x7000, 0x9067).outcome).toEqual(killed('failed to get page 9'));
  });

  it('kills for a page that may not even be read', () => {
    const guest = mapping();
    guest.protect(9, 'none');
    expect(guest.setPte(0x7000, 0x9021).outcome).toEqual(killed('failed to get page 9'));
  });

  it.each([
    ['large', 0x50a7],
    ['a large device’s', 0x400a7],
    ['behind RAM and devices', 0x44027],
  ])('kills for an accessed entry that is %s', (_, pte) => {
    expect(mapping().setPte(0x7000, pte).outcome).toEqual(killed('bad page table entry'));
  });

  it('leaves upper rights as they are', () => {
    const guest = running(paging);
    guest.layTables(ROOT, 0x61);
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    guest.setPte(0x7000, 0x5067);
    expect(guest.access(0x7000, 'write').outcome).toEqual(fault(3));
  });

  it('goes to one slot below kernelAddress, whichever is current', () => {
    const guest = mapping();
    guest.layTables(OTHER);
    guest.newPgtable(OTHER, 1);
    guest.access(0x7000);
    expect(guest.setPte(0x7000, 0).references).toEqual([{ page: 5, count: 1 }]);
    expect(guest.setPte(0x7000, 0, 0, OTHER).references).toEqual([{ page: 5, count: 0 }]);
  });

  it('goes to every slot from kernelAddress on, whatever the root', () => {
    const guest = running(paging);
    guest.storeLeaf(KERNEL, 0x9007);
    guest.access(KERNEL);
    guest.layTables(OTHER);
    guest.newPgtable(OTHER, 2);
    guest.access(KERNEL);
    // Slot 3 shadows a root but has no table there.
    guest.newPgtable(0x8000, 3);
    expect(guest.setPte(KERNEL, 0xa067, 0, 0xff000).references).toEqual([
      { page: 9, count: 0 },
      { page: 10, count: 2 },
    ]);
  });
});

describe('set-pte in PAE', () => {
  it.each([0x1000, 0x80000000])('kills for a reserved bit (high half %i)', (high) => {
    const guest = running('pae');
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000);
    expect(guest.setPte(0x7000, 0x40027, high).outcome).toEqual(killed('bad page table entry'));
  });
});

describe.each(PAGINGS)('set-pgd (%s)', (paging) => {
  const { rootEntries } = pagingSizes(paging);
  const last = rootEntries - 1;

  it.each([rootEntries, 2 ** 32 - 1])('kills for index %i', (index) => {
    expect(running(paging).setPgd(index).outcome).toEqual(killed(`Attempt to set pgd ${index}/${rootEntries}`));
  });

  it('does nothing for a root that no slot shadows, as in linear mode', () => {
    expect(running(paging).setPgd(last, OTHER)).toEqual(seen(OK, { tables: BARE[paging], switcher: BEFORE_ENTRY }));
    const guest = new Guest(paging);
    guest.init();
    expect(guest.setPgd(last, 0)).toEqual(seen(OK, { tables: BARE[paging], switcher: BEFORE_ENTRY }));
  });

  it('releases everything under the entry, and nothing else', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.storeLeaf(KERNEL, 0x9007);
    guest.access(0x7000);
    guest.access(KERNEL);
    expect(guest.setPgd(1).references).toEqual([]);
    expect(guest.setPgd(0)).toEqual(
      seen(OK, { tables: BARE[paging] + KERNEL_TABLES, switcher: ENTERED, references: [[5, 0]] }),
    );
  });

  it('maps the Switcher again at once if it took it from the current slot', () => {
    const guest = running(paging);
    guest.access(0);
    expect(guest.setPgd(last)).toEqual(seen(OK, { tables: BARE[paging], switcher: BEFORE_ENTRY }));
    expect(guest.access(0)).toEqual(seen(fault(0), { tables: BARE[paging], switcher: ENTERED }));
  });

  it('dies if there is no table for that', () => {
    const guest = running(paging);
    guest.failAlloc(1);
    expect(guest.setPgd(last).outcome).toEqual(killed('out of memory allocating pte page'));
  });

  it('leaves another slot without the Switcher until the switch', () => {
    const guest = running(paging);
    guest.access(0);
    guest.newPgtable(OTHER, 1);
    expect(guest.setPgd(last)).toEqual(seen(OK, { tables: BARE[paging] + 1, switcher: BEFORE_ENTRY }));
    expect(guest.newPgtable(ROOT)).toEqual(
      seen(OK, { tables: 2 * BARE[paging], switcher: { text: 2, state: [0, 0], registers: 0 } }),
    );
  });
});

describe('tables that cannot be allocated', () => {
  it('in PAE name the second level pmd', () => {
    const guest = running('pae');
    guest.storeLeaf(KERNEL, 0x9007);
    guest.failAlloc(1);
    expect(guest.access(KERNEL).outcome).toEqual(killed('out of memory allocating pmd page'));
  });

  it.each(PAGINGS)('in %s name the first level pte', (paging) => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x9007);
    guest.failAlloc(1);
    expect(guest.access(0x7000).outcome).toEqual(killed('out of memory allocating pte page'));
  });
});

describe.each(PAGINGS)('entering the guest (%s)', (paging) => {
  it('maps the host CPU’s pages, also where the access faults', () => {
    expect(running(paging).access(0)).toEqual(seen(fault(0), { tables: BARE[paging], switcher: ENTERED }));
  });

  it('unmaps the pages of the CPU that it came from', () => {
    const guest = running(paging);
    guest.access(0);
    expect(guest.migrate(1).switcher).toEqual(ENTERED);
    expect(guest.access(0).switcher).toEqual({ text: 1, state: [0, 1], registers: 1 });
  });

  it('does so in each slot for itself', () => {
    const guest = running(paging, { hostCpus: 3 });
    guest.access(0);
    guest.newPgtable(OTHER, 1);
    guest.migrate(2);
    expect(guest.access(0).switcher).toEqual({ text: 2, state: [1, 0, 1], registers: 2 });
    guest.newPgtable(ROOT);
    guest.migrate(1);
    expect(guest.access(0).switcher).toEqual({ text: 2, state: [0, 1, 1], registers: 2 });
  });

  it('has room for 64 CPUs in the Switcher’s table', () => {
    const guest = running(paging, { hostCpus: 64 });
    guest.migrate(63);
    const { tables, switcher } = guest.access(0);
    expect(tables).toBe(BARE[paging]);
    expect(switcher.state.indexOf(1)).toBe(63);
  });
});

describe.each(PAGINGS)('access (%s)', (paging) => {
  it.each([
    ['read', 'kernel', 0],
    ['write', 'kernel', 2],
    ['read', 'user', 4],
    ['write', 'user', 6],
  ] as const)('to the Switcher faults: %s, %s', (kind, mode, code) => {
    const guest = new Guest(paging);
    const observation = guest.access(SWITCHER[paging], kind, mode);
    expect(observation).toEqual(seen(fault(code), { tables: BARE[paging], switcher: ENTERED }));
  });

  it('is mapped by the shadow without a look at the guest’s tables', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000, 'write', 'user');
    guest.store(ROOT, 0xffffffff);
    expect(guest.access(0x7fff, 'write', 'user')).toEqual(
      seen(mapped(0x5fff), { tables: BARE[paging] + USER_TABLES[paging], switcher: ENTERED }),
    );
  });

  it('walks on a hit too: what is stale is served, and nothing dies of the walk', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.access(0x7000, 'write', 'user');
    expect(guest.fresh).toEqual(mapped(0x5000));
    for (const [leaf, fresh] of [
      [0x9007, mapped(0x9000)],
      [0x9006, fault(6)],
      [0x9003, fault(7)],
      [0x40007, { kind: 'mmio', paddr: 0x40000 }],
      [0x9087, killed('bad page table entry')],
    ] as const) {
      guest.storeLeaf(0x7000, leaf);
      expect(guest.access(0x7000, 'write', 'user')).toEqual(
        seen(mapped(0x5000), { tables: BARE[paging] + USER_TABLES[paging], switcher: ENTERED }),
      );
      expect(guest.fresh).toEqual(fresh);
    }
    guest.store(ROOT, 0xffffffff);
    expect(guest.access(0x7000).outcome).toEqual(mapped(0x5000));
    expect(guest.fresh).toEqual(killed('bad page directory entry'));
  });

  it('walks as if the host withheld nothing', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.protect(5, 'none');
    expect(guest.access(0x7000).outcome).toEqual(killed('failed to get page 5'));
    expect(guest.fresh).toEqual(mapped(0x5000));
  });

  it('is the only step that walks, beside guest-pa, and only of a living guest', () => {
    const guest = running(paging);
    expect(guest.fresh).toBeUndefined();
    guest.access(SWITCHER[paging], 'write', 'user');
    expect(guest.fresh).toEqual(fault(6));
    guest.migrate(1);
    expect(guest.fresh).toBeUndefined();
    guest.guestPa(0x7abc);
    expect(guest.fresh).toEqual(killed('Bad address 0x7abc'));
    guest.access(0x7000);
    expect(guest.fresh).toBeUndefined();
  });

  it('demands what the leaf does not allow', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5003);
    guest.access(0x7000);
    guest.storeLeaf(0x7000, 0x9007);
    expect(guest.access(0x7000, 'read', 'user')).toEqual(
      seen(mapped(0x9000), {
        tables: BARE[paging] + USER_TABLES[paging],
        switcher: ENTERED,
        references: [
          [5, 0],
          [9, 1],
        ],
        stores: [[guest.home(0x7000), 0x9027]],
      }),
    );
  });

  it('demands what the upper entry does not allow', () => {
    const guest = running(paging);
    guest.layTables(ROOT, 0x1);
    guest.storeLeaf(0x7000, 0x5067);
    guest.access(0x7000);
    guest.setPte(0x7000, 0x5067);
    guest.layTables(ROOT, 0x7);
    guest.storeLeaf(0x7000, 0x9067);
    expect(guest.access(0x7000).outcome).toEqual(mapped(0x5000));
    expect(guest.access(0x7000, 'write').outcome).toEqual(mapped(0x9000));
  });
});

describe.each(PAGINGS)('demand in linear mode (%s)', (paging) => {
  const tables = BARE[paging] + USER_TABLES[paging];

  it('maps an address to itself, and writes nothing back', () => {
    const guest = new Guest(paging);
    expect(guest.access(0x5abc)).toEqual(seen(mapped(0x5abc), { tables, switcher: ENTERED, references: [[5, 1]] }));
    expect(guest.access(0x5abc, 'write')).toEqual(seen(mapped(0x5abc), { tables, switcher: ENTERED }));
  });

  it('maps for the kernel only', () => {
    const guest = new Guest(paging);
    expect(guest.access(0x5000, 'write', 'user').outcome).toEqual(fault(7));
    expect(guest.access(0x44000, 'read', 'user').outcome).toEqual(fault(5));
  });

  it('answers mmio for a device, and kills behind it', () => {
    const guest = new Guest(paging);
    expect(guest.access(0x43abc, 'write')).toEqual(
      seen({ kind: 'mmio', paddr: paddr(0x43abc) }, { tables: BARE[paging], switcher: ENTERED }),
    );
    expect(guest.access(0x44000).outcome).toEqual(killed('bad page table entry'));
  });

  it('takes a page for writing only for a write', () => {
    const guest = new Guest(paging);
    guest.protect(5, 'read');
    expect(guest.access(0x5000).outcome).toEqual(mapped(0x5000));
    expect(guest.access(0x5000, 'write').outcome).toEqual(killed('failed to get page 5'));
  });
});

describe.each(PAGINGS)('demand (%s)', (paging) => {
  const { entryBytes } = pagingSizes(paging);
  const tables = BARE[paging] + USER_TABLES[paging];

  it('kills for a root outside RAM', () => {
    const guest = running(paging);
    guest.newPgtable(0x40000, 1);
    expect(guest.access(0).outcome).toEqual(killed(`bad read address 0x40000 len ${entryBytes}`));
  });

  it('faults without the present bit where the top entry is not present', () => {
    const guest = running(paging);
    guest.store(ROOT, 0);
    expect(guest.access(0x7000, 'write', 'user').outcome).toEqual(fault(6));
  });

  it.each([0x2087, 0x2267])('kills for a top entry with other flags: 0x%x', (entry) => {
    const guest = running(paging);
    guest.store(ROOT, entry);
    expect(guest.access(0x7000).outcome).toEqual(killed('bad page directory entry'));
  });

  it('kills for a top entry that points behind RAM', () => {
    const guest = running(paging);
    guest.store(ROOT, 0x40001);
    expect(guest.access(0x7000).outcome).toEqual(killed('bad page directory entry'));
  });

  it('faults without the present bit where the leaf is not present', () => {
    expect(running(paging).access(0x7000, 'read', 'user').outcome).toEqual(fault(4));
  });

  it.each([
    ['write', 'kernel', 0x67, 0x5065, 3],
    ['write', 'kernel', 0x65, 0x5067, 3],
    ['read', 'user', 0x67, 0x5063, 5],
    ['read', 'user', 0x63, 0x5067, 5],
    ['write', 'user', 0x65, 0x5063, 7],
  ] as const)('faults a %s by the %s with upper %i and leaf %i', (kind, mode, upper, leaf, code) => {
    const guest = running(paging);
    guest.layTables(ROOT, upper);
    guest.storeLeaf(0x7000, leaf);
    expect(guest.access(0x7000, kind, mode)).toEqual(seen(fault(code), { tables: BARE[paging], switcher: ENTERED }));
  });

  it('lets rights come before mmio, and before a bad leaf', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x40001);
    guest.storeLeaf(0x8000, 0x50001);
    expect(guest.access(0x7000, 'write').outcome).toEqual(fault(3));
    expect(guest.access(0x8000, 'write').outcome).toEqual(fault(3));
  });

  it('answers mmio, and installs and writes back nothing', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x43007);
    expect(guest.access(0x7abc, 'write', 'user')).toEqual(
      seen({ kind: 'mmio', paddr: paddr(0x43abc) }, { tables: BARE[paging], switcher: ENTERED }),
    );
  });

  it.each([
    ['large', 0x5087],
    ['large in the device range', 0x40087],
    ['behind RAM and devices', 0x44007],
  ])('kills for a leaf that is %s', (_, leaf) => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, leaf);
    expect(guest.access(0x7000).outcome).toEqual(killed('bad page table entry'));
  });

  it('sets A for a read, and shadows a clean leaf read-only', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5107);
    expect(guest.access(0x7abc, 'read', 'user')).toEqual(
      seen(mapped(0x5abc), {
        tables,
        switcher: ENTERED,
        references: [[5, 1]],
        stores: [[guest.home(0x7000), 0x5127]],
      }),
    );
    expect(guest.access(0x7abc, 'write', 'user')).toEqual(
      seen(mapped(0x5abc), { tables, switcher: ENTERED, stores: [[guest.home(0x7000), 0x5167]] }),
    );
  });

  it('lets the guest keep bits 9 to 11 of a leaf for itself', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5e07);
    expect(guest.access(0x7000).stores).toEqual([{ paddr: guest.home(0x7000), value: guestEntry(0x5e27) }]);
  });

  it('sets A and D for a write, and not the upper entries’ A', () => {
    const guest = running(paging);
    guest.layTables(ROOT, 0x7);
    guest.storeLeaf(0x7000, 0x5007);
    expect(guest.access(0x7abc, 'write', 'user')).toEqual(
      seen(mapped(0x5abc), {
        tables,
        switcher: ENTERED,
        references: [[5, 1]],
        stores: [[guest.home(0x7000), 0x5067]],
      }),
    );
  });

  it('writes nothing back if the leaf has its bits', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5067);
    expect(guest.access(0x7000, 'write').stores).toEqual([]);
  });

  it('maps a dirty leaf writable by a read', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5067);
    guest.access(0x7000);
    guest.storeLeaf(0x7000, 0);
    expect(guest.access(0x7000, 'write').outcome).toEqual(mapped(0x5000));
  });

  it('refreshes the upper entry, to more rights and to less', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5067);
    guest.storeLeaf(0x8000, 0x9067);
    guest.access(0x7000, 'write');
    guest.layTables(ROOT, 0x1);
    guest.access(0x8000);
    expect(guest.access(0x7000, 'write').outcome).toEqual(fault(3));
    guest.layTables(ROOT, 0x7);
    guest.access(0x8000, 'write');
    guest.storeLeaf(0x7000, 0);
    expect(guest.access(0x7000, 'write', 'user').outcome).toEqual(mapped(0x5000));
  });

  it('takes the page for writing only if it is dirty and writable', () => {
    const guest = running(paging);
    guest.protect(5, 'read');
    guest.storeLeaf(0x7000, 0x5007);
    guest.storeLeaf(0x8000, 0x5045);
    guest.storeLeaf(0x9000, 0x5047);
    expect(guest.access(0x7000).outcome).toEqual(mapped(0x5000));
    expect(guest.access(0x8000).outcome).toEqual(mapped(0x5000));
    expect(guest.access(0x9000).outcome).toEqual(killed('failed to get page 5'));
  });

  it('kills for a page that may not even be read', () => {
    const guest = running(paging);
    guest.protect(5, 'none');
    guest.storeLeaf(0x7000, 0x5007);
    expect(guest.access(0x7000).outcome).toEqual(killed('failed to get page 5'));
  });

  it('counts a reference for each leaf', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5067);
    guest.storeLeaf(0x8000, 0x5067);
    guest.access(0x7000);
    expect(guest.access(0x8000).references).toEqual([{ page: 5, count: 2 }]);
  });
});

describe('demand in PAE', () => {
  it('faults without the present bit where the middle entry is not present', () => {
    const guest = running('pae');
    guest.store(0x4000, 0x2066);
    expect(guest.access(0x7000, 'write').outcome).toEqual(fault(2));
  });

  it('kills for a bad middle entry', () => {
    const guest = running('pae');
    guest.store(0x4000, 0x2087);
    expect(guest.access(0x7000).outcome).toEqual(killed('bad page middle directory entry'));
  });

  it.each([0x1000, 0x80000000])('kills for a reserved bit in the leaf (high half %i)', (high) => {
    const guest = running('pae');
    guest.storeLeaf(0x7000, 0x5007, high);
    expect(guest.access(0x7000).outcome).toEqual(killed('bad page table entry'));
  });

  it.each(Array.from({ length: 20 }, (_, index) => 44 + index))('kills for a leaf with the reserved bit %i', (bit) => {
    const guest = running('pae');
    guest.storeLeaf(0x7000, 0x5007, 2 ** (bit - 32));
    expect(guest.access(0x7000).outcome).toEqual(killed('bad page table entry'));
  });

  it('kills for a leaf above 2³² bytes', () => {
    const guest = running('pae');
    guest.storeLeaf(0x7000, 0x5007, 1);
    expect(guest.access(0x7000).outcome).toEqual(killed('bad page table entry'));
  });
});

describe.each(PAGINGS)('guest-pa (%s)', (paging) => {
  const { entryBytes } = pagingSizes(paging);
  const physical = (address: number): Outcome => ({ kind: 'physical', paddr: paddr(address) });

  it('answers the address in linear mode', () => {
    expect(new Guest(paging).guestPa(0xffffffff)).toEqual(
      seen(physical(0xffffffff), { tables: BARE[paging], switcher: BEFORE_ENTRY }),
    );
  });

  it('walks the guest’s tables, and touches nothing', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5001);
    expect(guest.guestPa(0x7abc)).toEqual(seen(physical(0x5abc), { tables: BARE[paging], switcher: BEFORE_ENTRY }));
  });

  it('checks neither flags nor limits', () => {
    const guest = running(paging);
    guest.store(ROOT, paging === 'pae' ? 0x4fff : 0x2fff);
    guest.store(0x4000, 0x2fff);
    guest.storeLeaf(0x7000, 0xfffff0ff);
    expect(guest.guestPa(0x7abc).outcome).toEqual(physical(0xfffffabc));
  });

  it('kills where an entry is not present', () => {
    expect(running(paging).guestPa(0x7abc).outcome).toEqual(killed('Bad address 0x7abc'));
    expect(running(paging).guestPa(0).outcome).toEqual(killed('Bad address 0'));
    const guest = running(paging);
    guest.store(ROOT, 0);
    expect(guest.guestPa(0x7abc).outcome).toEqual(killed('Bad address 0x7abc'));
  });

  it('kills for a word outside RAM', () => {
    const guest = running(paging);
    guest.store(ROOT, 0x40001);
    expect(guest.guestPa(0).outcome).toEqual(killed(`bad read address 0x40000 len ${entryBytes}`));
  });

  it('sees the Switcher’s window as any other', () => {
    const guest = running(paging);
    expect(guest.guestPa(0xfffff000).outcome).toEqual(killed('Bad address 0xfffff000'));
  });
});

describe('guest-pa in PAE', () => {
  it('answers modulo 2³², exactly', () => {
    const guest = running('pae');
    guest.store(ROOT, 0x4001, 0xffffffff);
    guest.storeLeaf(0x7000, 0xfffff001, 0xffffffff);
    expect(guest.guestPa(0x7abc).outcome).toEqual({ kind: 'physical', paddr: 0xfffffabc });
  });
});

describe.each(PAGINGS)('fail-alloc (%s)', (paging) => {
  it('fails as many allocations as it says, and no more', () => {
    const guest = running(paging);
    guest.failAlloc(2);
    expect(guest.newPgtable(OTHER, 1).tables).toBe(BARE[paging]);
    expect(guest.newPgtable(ROOT, 1).tables).toBe(BARE[paging]);
    expect(guest.newPgtable(OTHER, 1).tables).toBe(2 * BARE[paging]);
  });

  it('replaces what is left of an earlier one', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5007);
    guest.failAlloc(9);
    guest.failAlloc(0);
    expect(guest.access(0x7000).outcome).toEqual(mapped(0x5000));
  });
});

describe.each(PAGINGS)('protect (%s)', (paging) => {
  it('does not disturb references already taken', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5067);
    guest.access(0x7000, 'write');
    expect(guest.protect(5, 'none').references).toEqual([]);
    expect(guest.access(0x7000, 'write').outcome).toEqual(mapped(0x5000));
  });

  it('can be taken back', () => {
    const guest = running(paging);
    guest.storeLeaf(0x7000, 0x5067);
    guest.protect(5, 'none');
    guest.protect(5, 'write');
    expect(guest.access(0x7000, 'write').outcome).toEqual(mapped(0x5000));
  });
});
