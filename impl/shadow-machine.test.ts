/** The machine's rules, one case or two a row of machine.md 3; what the model's own tests go through in detail is left to lockstep. */

import { describe, expect, test } from 'vitest';
import type { MachineConfig, Observation, Outcome, Paging, Step } from '../model/vocabulary/index.js';
import {
  PAGINGS,
  guestEntry,
  killedFor,
  paddr,
  pagingSizes,
  reservedBytes,
  slot,
  vaddr,
} from '../model/vocabulary/index.js';
import {
  access,
  failAlloc,
  flushTlb,
  guestPa,
  init,
  migrate,
  protect,
  setStack,
  store,
} from '../test-support/steps.js';
import { ShadowMachine } from './shadow-machine.js';

const CONFIG = { guestPages: 32, devicePages: 2, hostCpus: 2, draw: 0, failAllocation: 0 };
const KERNEL = 0xc0000000;
const ROOT = 0x1000;
const OTHER_ROOT = 0x8000;
/** The leaf table of user addresses, and that of kernel addresses. */
const USER_TABLE = 0x3000;
const KERNEL_TABLE = 0x5000;
const DATA = 0x10067;
const CLEAN = 0x11007;

// Steps.

const enter = (root = ROOT, draw = 0): Step => ({ op: 'new-pgtable', root: paddr(root), draw });
const setPmd: Step = { op: 'set-pmd', pmd: paddr(0x2000), index: 0 };
const setPte = (address: number, low: number, high = 0, root = ROOT): Step => ({
  op: 'set-pte',
  root: paddr(root),
  vaddr: vaddr(address),
  pte: guestEntry(low, high),
});
const setPgd = (index: number, root = ROOT): Step => ({ op: 'set-pgd', root: paddr(root), index });

// Outcomes.

const OK: Outcome = { kind: 'ok' };
const mapped = (address: number): Outcome => ({ kind: 'mapped', paddr: paddr(address) });
const fault = (code: number): Outcome => ({ kind: 'fault', code });
const mmio = (address: number): Outcome => ({ kind: 'mmio', paddr: paddr(address) });
const killed = killedFor;

/** A root of one user table at address 0 and one kernel table at 0xc0000000, in PAE through middle tables. */
const rootSteps = (paging: Paging, root: number): readonly Step[] =>
  paging === 'pae'
    ? [
        store(root, 0x2001),
        store(0x2000, USER_TABLE | 0x67),
        store(root + 24, 0x4001),
        store(0x4000, KERNEL_TABLE | 0x67),
      ]
    : [store(root, USER_TABLE | 0x67), store(root + 0xc00, KERNEL_TABLE | 0x67)];

const leaf = (paging: Paging, table: number, index: number, low: number, high = 0): Step =>
  store(table + index * pagingSizes(paging).entryBytes, low, high);

/** Writable and dirty at 0, clean at 0x1000, read-only supervisor at 0x2000, a device at 0x3000; one kernel page. */
const start = (paging: Paging): readonly Step[] => [
  init(),
  ...rootSteps(paging, ROOT),
  ...rootSteps(paging, OTHER_ROOT),
  leaf(paging, USER_TABLE, 0, DATA),
  leaf(paging, USER_TABLE, 1, CLEAN),
  leaf(paging, USER_TABLE, 2, 0x12001),
  leaf(paging, USER_TABLE, 3, 0x20007),
  leaf(paging, KERNEL_TABLE, 0, 0x13063),
  enter(),
];

class Guest {
  readonly machine = new ShadowMachine();
  readonly created: Observation;

  constructor(paging: Paging, config: Partial<MachineConfig> = {}) {
    this.created = structuredClone(this.machine.create({ ...CONFIG, paging, ...config }));
  }

  /** Takes steps; answers what was seen after the last. */
  take(...steps: readonly Step[]): Observation {
    let last = this.created;
    for (const step of steps) last = this.machine.apply(step);
    return structuredClone(last);
  }

  outcomes(...steps: readonly Step[]): readonly Outcome[] {
    return steps.map((step) => this.take(step).outcome);
  }
}

interface Row {
  readonly rule: string;
  /** Taken after `start`, unless `bare`. */
  readonly steps: (paging: Paging) => readonly Step[];
  readonly outcome: (paging: Paging) => Outcome;
  readonly bare?: boolean;
}

const ROWS: readonly Row[] = [
  { rule: 'store: ok', steps: () => [store(0x6000, 1)], outcome: () => OK },
  {
    rule: 'init: answers what is reserved',
    bare: true,
    steps: () => [init()],
    outcome: (paging) => ({ kind: 'initialized', reserved: reservedBytes(paging) }),
  },
  { rule: 'init: a second one kills', steps: () => [init()], outcome: () => killed('already have lguest_data') },
  {
    rule: 'init: the Switcher is not the guest’s kernel',
    bare: true,
    steps: (paging) => [init(pagingSizes(paging).switcherAddress)],
    outcome: (paging) => killed(`bad kernel address 0x${pagingSizes(paging).switcherAddress.toString(16)}`),
  },
  {
    rule: 'a hypercall before init',
    bare: true,
    steps: () => [enter()],
    outcome: () => killed('hypercall 4 before INIT'),
  },
  { rule: 'set-pmd before init', bare: true, steps: () => [setPmd], outcome: () => killed('hypercall 13 before INIT') },
  {
    rule: 'set-pmd: PAE only',
    steps: () => [setPmd],
    outcome: (paging) => (paging === 'pae' ? OK : killed('Bad hypercall 13')),
  },
  {
    rule: 'set-stack: at most two pages',
    steps: () => [setStack(0x1000, 3)],
    outcome: () => killed('bad stack pages 3'),
  },
  {
    rule: 'set-stack: a page that is not mapped',
    steps: () => [setStack(0xa001, 1)],
    outcome: () => killed('bad stack page 0xa000'),
  },
  {
    rule: 'set-stack: a read-only page',
    steps: () => [setStack(0x3000, 1)],
    outcome: () => killed('bad stack page 0x2fff'),
  },
  { rule: 'set-stack: below zero', steps: () => [setStack(0, 1)], outcome: () => killed('bad stack page 0xffffffff') },
  { rule: 'set-stack: two pages are pinned', steps: () => [setStack(0x2000, 2)], outcome: () => OK },
  {
    rule: 'set-pte: the Switcher’s addresses are refused',
    steps: (paging) => [setPte(pagingSizes(paging).switcherAddress, DATA)],
    outcome: () => killed('attempt to set pte into Switcher pages'),
  },
  {
    rule: 'set-pte: a bad entry',
    steps: () => [access(0), setPte(0, 0x22021)],
    outcome: () => killed('bad page table entry'),
  },
  { rule: 'set-pte: a bad entry without a table', steps: () => [setPte(0, 0x22021)], outcome: () => OK },
  { rule: 'set-pte: a bad entry not accessed', steps: () => [access(0), setPte(0, 0x22041)], outcome: () => OK },
  {
    rule: 'set-pgd: past the root',
    steps: (paging) => [setPgd(pagingSizes(paging).rootEntries)],
    outcome: (paging) =>
      killed(`Attempt to set pgd ${pagingSizes(paging).rootEntries}/${pagingSizes(paging).rootEntries}`),
  },
  { rule: 'access: mapped', steps: () => [access(0x123, 'write', 'user')], outcome: () => mapped(0x10123) },
  { rule: 'access: not present', steps: () => [access(0x9000, 'write', 'user')], outcome: () => fault(6) },
  { rule: 'access: no RW', steps: () => [access(0x2000, 'write')], outcome: () => fault(3) },
  { rule: 'access: no US', steps: () => [access(0x2000, 'read', 'user')], outcome: () => fault(5) },
  { rule: 'access: a device', steps: () => [access(0x3456, 'write', 'user')], outcome: () => mmio(0x20456) },
  {
    rule: 'access: the Switcher faults',
    steps: (paging) => [access(pagingSizes(paging).switcherAddress, 'read', 'user')],
    outcome: () => fault(4),
  },
  {
    rule: 'access: a bad leaf',
    steps: (paging) => [leaf(paging, USER_TABLE, 4, 0x22001), access(0x4000)],
    outcome: () => killed('bad page table entry'),
  },
  {
    rule: 'access: a bad top entry',
    steps: () => [store(ROOT, 0x3081), access(0)],
    outcome: () => killed('bad page directory entry'),
  },
  {
    rule: 'access: a page that may not be taken',
    steps: () => [protect(16, 'read'), access(0)],
    outcome: () => killed('failed to get page 16'),
  },
  {
    rule: 'access: no memory',
    steps: () => [failAlloc(1), access(0)],
    outcome: () => killed('out of memory allocating pte page'),
  },
  { rule: 'access in linear mode', bare: true, steps: () => [access(0x5678, 'write')], outcome: () => mapped(0x5678) },
  {
    rule: 'access in linear mode by a user',
    bare: true,
    steps: () => [access(0x5678, 'read', 'user')],
    outcome: () => fault(5),
  },
  {
    rule: 'access in linear mode to a device',
    bare: true,
    steps: () => [access(0x20004)],
    outcome: () => mmio(0x20004),
  },
  {
    rule: 'access in linear mode to nothing',
    bare: true,
    steps: () => [access(0x22000)],
    outcome: () => killed('bad page table entry'),
  },
  { rule: 'guest-pa', steps: () => [guestPa(0x1abc)], outcome: () => ({ kind: 'physical', paddr: paddr(0x11abc) }) },
  { rule: 'guest-pa: not present', steps: () => [guestPa(0x9abc)], outcome: () => killed('Bad address 0x9abc') },
  {
    rule: 'guest-pa in linear mode',
    bare: true,
    steps: () => [guestPa(0xfffffabc)],
    outcome: () => ({ kind: 'physical', paddr: paddr(0xfffffabc) }),
  },
  {
    rule: 'migrate, fail-alloc, protect: ok',
    bare: true,
    steps: () => [migrate(1), failAlloc(2), protect(3, 'none')],
    outcome: () => OK,
  },
];

describe.each(PAGINGS)('the step table, %s', (paging) => {
  test.each(ROWS.map((row) => [row.rule, row] as const))('%s', (_rule, { steps, outcome, bare }) => {
    const guest = new Guest(paging);
    const last = guest.take(...(bare === true ? [] : start(paging)), ...steps(paging)).outcome;
    expect(last).toEqual(outcome(paging));
    if (last.kind === 'killed') expect(guest.take(store(0, 1)).outcome).toEqual({ kind: 'dead' });
    expect(guest.machine.destroy()).toMatchObject({ outcome: { kind: 'destroyed' }, references: [], tables: 0 });
  });
});

describe.each(PAGINGS)('effects, %s', (paging) => {
  const { switcherAddress, rootEntries, tableLevels } = pagingSizes(paging);
  /** Host pages of a slot that maps the Switcher alone. */
  const bare = 1 + tableLevels;
  const running = (): Guest => {
    const guest = new Guest(paging);
    guest.take(...start(paging));
    return guest;
  };

  test('creation takes a root and the tables for the Switcher’s text', () => {
    expect(new Guest(paging, { draw: 7 }).created).toEqual({
      outcome: { kind: 'created' },
      references: [],
      stores: [],
      tables: bare,
      switcher: { text: 1, state: [0, 0], registers: 0 },
    });
  });

  test('creation that lacks memory for any of them leaves nothing', () => {
    for (let failAllocation = 1; failAllocation <= bare; failAllocation++) {
      const guest = new Guest(paging, { failAllocation });
      expect(guest.created).toMatchObject({ outcome: { kind: 'no-memory' }, tables: 0, switcher: { text: 0 } });
      expect(guest.take(migrate(1)).outcome).toEqual({ kind: 'absent' });
      expect(guest.machine.destroy().outcome).toEqual({ kind: 'absent' });
    }
    expect(new Guest(paging, { failAllocation: bare + 1 }).created.outcome).toEqual({ kind: 'created' });
  });

  test('a read of a clean page sets A and waits for the write, which sets D', () => {
    const guest = running();
    const address = USER_TABLE + pagingSizes(paging).entryBytes;
    expect(guest.take(access(0x1000))).toMatchObject({
      references: [{ page: 17, count: 1 }],
      stores: [{ paddr: address, value: { low: CLEAN | 0x20 } }],
    });
    expect(guest.take(access(0x1000, 'write'))).toMatchObject({
      outcome: mapped(0x11000),
      references: [],
      stores: [{ paddr: address, value: { low: CLEAN | 0x60 } }],
    });
  });

  test('a read-only page is taken for reading, also if it is dirty', () => {
    const guest = running();
    expect(guest.outcomes(leaf(paging, USER_TABLE, 5, 0x14061), protect(20, 'read'), access(0x5000))[2]).toEqual(
      mapped(0x14000),
    );
  });

  test('rights of the upper entry are refreshed by the next fault', () => {
    const guest = running();
    const upper = paging === 'pae' ? 0x2000 : ROOT;
    expect(guest.outcomes(store(upper, USER_TABLE | 0x63), access(0), store(upper, USER_TABLE | 0x67))[1]).toEqual(
      mapped(0x10000),
    );
    expect(guest.outcomes(access(0, 'read', 'user'), access(0, 'write', 'user'))).toEqual([
      mapped(0x10000),
      mapped(0x10000),
    ]);
    expect(guest.outcomes(store(upper, USER_TABLE | 0x65), access(0x1000, 'write'))[1]).toEqual(fault(3));
  });

  test('set-pte installs what is present and accessed, RW only with D, and clears the rest', () => {
    const guest = running();
    guest.take(access(0));
    expect(guest.take(setPte(0, 0x14023)).references).toEqual([
      { page: 16, count: 0 },
      { page: 20, count: 1 },
    ]);
    expect(guest.machine.shadow.leafAt(slot(0), vaddr(0))).toMatchObject({ page: 20, writable: false });
    guest.take(setPte(0, 0x14063));
    expect(guest.machine.shadow.leafAt(slot(0), vaddr(0))).toMatchObject({ page: 20, writable: true });
    for (const pte of [0x14062, 0x14043, 0x20063, 0]) {
      expect(guest.take(setPte(0, 0x14063), setPte(0, pte)).outcome).toEqual(OK);
      expect(guest.machine.shadow.leafAt(slot(0), vaddr(0))).toBeUndefined();
    }
  });

  test('set-pte in linear mode changes nothing', () => {
    const guest = new Guest(paging);
    guest.take(init(0), access(0x6000), setPte(0x6000, DATA, 0, 0));
    expect(guest.take(access(0x6000)).outcome).toEqual(mapped(0x6000));
  });

  test('a kernel entry is announced to every slot, a user entry to the one of its root', () => {
    const guest = running();
    guest.take(access(KERNEL), access(0), enter(OTHER_ROOT, 1), access(KERNEL), access(0));
    expect(guest.take(setPte(KERNEL, 0)).references).toEqual([{ page: 19, count: 0 }]);
    expect(guest.take(setPte(0, 0)).references).toEqual([{ page: 16, count: 1 }]);
    expect(guest.take(setPte(0, 0, 0, 0x9000)).references).toEqual([]);
  });

  test('a hit keeps everything; a miss takes the slot drawn, and its user half goes', () => {
    const guest = running();
    guest.take(access(0), access(KERNEL), enter(OTHER_ROOT, 1));
    expect(guest.machine.shadow.currentSlot).toBe(1);
    expect(guest.take(enter(ROOT, 3)).references).toEqual([]);
    expect(guest.machine.shadow.currentSlot).toBe(0);
    expect(guest.take(enter(0x9000, 4)).references).toEqual([{ page: 16, count: 0 }]);
    expect(guest.machine.shadow.leafAt(slot(0), vaddr(KERNEL))).toMatchObject({ page: 19 });
  });

  test('a blank slot gets the stack and the Switcher; without memory the current one serves', () => {
    const guest = running();
    guest.take(leaf(paging, KERNEL_TABLE, 1, 0x15067), setStack(KERNEL + 0x2000, 1));
    expect(guest.take(enter(OTHER_ROOT, 2))).toMatchObject({
      references: [{ page: 21, count: 2 }],
      switcher: { text: 2 },
    });
    const { tables } = guest.take(failAlloc(1), enter(0x9000, 3));
    expect(guest.machine.shadow.currentSlot).toBe(2);
    expect(tables).toBe(guest.take(migrate(0)).tables);
  });

  test('flush-tlb user spares the kernel half, also in a table that kernelAddress cuts', () => {
    const guest = new Guest(paging);
    guest.take(init(KERNEL + 0x1000), ...rootSteps(paging, ROOT), leaf(paging, KERNEL_TABLE, 0, DATA));
    guest.take(leaf(paging, KERNEL_TABLE, 1, CLEAN), enter(), access(KERNEL), access(KERNEL + 0x1000));
    expect(guest.take(flushTlb('user')).references).toEqual([{ page: 16, count: 0 }]);
  });

  test('flush-tlb all leaves the Switcher’s text, and the stack', () => {
    const guest = running();
    guest.take(access(0), access(KERNEL), setStack(0x1000, 1), enter(OTHER_ROOT, 1), access(KERNEL));
    const seen = guest.take(flushTlb('all'));
    expect(seen.switcher).toEqual({ text: 1, state: [0, 0], registers: 0 });
    expect(guest.machine.shadow.leafAt(slot(1), vaddr(0))).toMatchObject({ page: 16, writable: true });
    expect(guest.machine.shadow.leafCountIn(slot(0), 0, 2 ** 32)).toBe(0);
  });

  test('set-pgd of the Switcher’s entry: the current slot has it back at once, another at the switch', () => {
    const guest = running();
    guest.take(access(0), enter(OTHER_ROOT, 1), access(0));
    expect(guest.take(setPgd(rootEntries - 1, OTHER_ROOT)).switcher).toEqual({ text: 2, state: [1, 0], registers: 1 });
    expect(guest.take(setPgd(rootEntries - 1, ROOT)).switcher).toEqual({ text: 1, state: [0, 0], registers: 0 });
    expect(guest.take(enter(ROOT)).switcher.text).toBe(2);
    expect(guest.take(access(0))).toMatchObject({
      outcome: mapped(0x10000),
      switcher: { state: [1, 0], registers: 1 },
    });
  });

  test('a slot maps the pages of the CPU that the guest last ran on in it', () => {
    const guest = running();
    expect(guest.take(access(0)).switcher).toEqual({ text: 1, state: [1, 0], registers: 1 });
    expect(guest.take(migrate(1)).switcher.state).toEqual([1, 0]);
    expect(guest.take(enter(OTHER_ROOT, 1), access(switcherAddress)).switcher).toEqual({
      text: 2,
      state: [1, 1],
      registers: 2,
    });
    expect(guest.take(enter(ROOT), access(0)).switcher).toEqual({ text: 2, state: [0, 2], registers: 2 });
  });
});

describe.each(PAGINGS)('details of the specification, %s', (paging) => {
  const { switcherAddress, entryBytes } = pagingSizes(paging);
  const running = (): Guest => {
    const guest = new Guest(paging);
    guest.take(...start(paging));
    return guest;
  };

  test('bits 9 to 11 of a leaf belong to the guest and survive the write-back', () => {
    const guest = running();
    expect(guest.take(leaf(paging, USER_TABLE, 4, 0x5e07), access(0x4000))).toMatchObject({
      outcome: mapped(0x5000),
      stores: [{ paddr: USER_TABLE + 4 * entryBytes, value: { low: 0x5e27 } }],
    });
  });

  test('set-pte of an address inside a page means the whole page', () => {
    const guest = running();
    const second = paging === 'pae' ? store(0x2010, USER_TABLE | 0x67) : store(ROOT + 4, USER_TABLE | 0x67);
    guest.take(second, access(0x400000), setPte(0x400123, 0x14063));
    expect(guest.machine.shadow.leafAt(slot(0), vaddr(0x400000))).toMatchObject({ vaddr: 0x400000, page: 20 });
    expect(guest.take(access(0x400abc)).outcome).toEqual(mapped(0x14abc));
  });

  test.each([
    ['the text page', 0],
    ['the registers page, which is mapped writable', 4096],
    ['the state page', 8192],
    ['nothing', 3 * 8192],
  ])('a stack page in the Switcher’s window kills, also over %s', (_what, offset) => {
    const guest = running();
    const address = switcherAddress + offset;
    expect(guest.take(access(0), setStack(address + 1, 1)).outcome).toEqual(
      killed(`bad stack page 0x${address.toString(16)}`),
    );
  });

  test('the page below the Switcher’s window is a stack like any other', () => {
    const upper = paging === 'pae' ? 0x4000 + 510 * 8 : ROOT + 1022 * 4;
    const last = pagingSizes(paging).tableEntries - 1;
    const outcomes = running().outcomes(
      store(upper, KERNEL_TABLE | 0x67),
      leaf(paging, KERNEL_TABLE, last, 0x15067),
      setStack(switcherAddress, 1),
    );
    expect(outcomes.at(-1)).toEqual(OK);
  });

  test('flush-tlb user releases the page that kernelAddress lies in', () => {
    const guest = new Guest(paging);
    guest.take(init(KERNEL + 0x1800), ...rootSteps(paging, ROOT));
    for (const index of [0, 1, 2]) guest.take(leaf(paging, KERNEL_TABLE, index, 0x10067 + index * 4096));
    guest.take(enter(), access(KERNEL), access(KERNEL + 0x1000), access(KERNEL + 0x2000));
    expect(guest.take(flushTlb('user')).references).toEqual([
      { page: 16, count: 0 },
      { page: 17, count: 0 },
    ]);
  });
});

test.each([9, 10, 11])('bit %i of a 2-level top entry kills', (bit) => {
  const guest = new Guest('2-level');
  const top = 0x2067 | (1 << bit);
  expect(guest.take(init(), store(ROOT, top), enter(), access(0)).outcome).toEqual(killed('bad page directory entry'));
});

describe('PAE alone', () => {
  test.each(Array.from({ length: 20 }, (_, index) => 44 + index))('bit %i of a leaf kills', (bit) => {
    const guest = new Guest('pae');
    const high = 2 ** (bit - 32);
    const outcomes = guest.outcomes(...start('pae'), leaf('pae', USER_TABLE, 6, 0x16067, high), access(0x6000));
    expect(outcomes.at(-1)).toEqual(killed('bad page table entry'));
  });

  test.each([
    ['a reserved bit', 0x16067, 0x80000000, 'bad page table entry'],
    ['a reserved bit on a device', 0x20067, 0x1000, 'bad page table entry'],
    ['a page number beyond 32 bits', 0x16067, 1, 'bad page table entry'],
  ])('a leaf with %s kills', (_name, low, high, reason) => {
    const guest = new Guest('pae');
    guest.take(...start('pae'));
    expect(guest.take(leaf('pae', USER_TABLE, 6, low, high), access(0x6000)).outcome).toEqual(killed(reason));
  });

  test('a second table that cannot be allocated has a text of its own', () => {
    const guest = new Guest('pae');
    guest.take(...start('pae'), failAlloc(1));
    // The Switcher's middle table serves the kernel's addresses too.
    expect(guest.take(access(KERNEL)).outcome).toEqual(killed('out of memory allocating pmd page'));
  });
});

describe('what an answer costs', () => {
  test('a hit hands out the same observation and outcome, and empty lists that are shared', () => {
    const { machine } = new Guest('2-level');
    for (const step of start('2-level')) machine.apply(step);
    machine.apply(access(0));
    const first = machine.apply(access(0));
    const { outcome, references, stores, switcher } = first;
    const second = machine.apply(access(4));
    expect(second).toBe(first);
    expect(second.outcome).toBe(outcome);
    expect(
      [second.references, second.stores, second.switcher].map((each, i) => each === [references, stores, switcher][i]),
    ).toEqual([true, true, true]);
    expect(second.outcome).toEqual(mapped(0x10004));
  });

  test('a fault’s outcome is the same object again', () => {
    const { machine } = new Guest('2-level');
    for (const step of start('2-level')) machine.apply(step);
    const { outcome } = machine.apply(access(0x9000));
    expect(machine.apply(access(0x9001)).outcome).toBe(outcome);
  });
});

describe('a broken host', () => {
  test('is a host bug once, then halted; and the next program begins afresh', () => {
    const guest = new Guest('2-level');
    guest.take(...start('2-level'), access(0));
    guest.machine.references.drop(17);
    expect(guest.take(setPte(0, 0)).outcome.kind).toBe('host-bug');
    expect(guest.outcomes(access(0), init())).toEqual([{ kind: 'halted' }, { kind: 'halted' }]);
    expect(guest.machine.destroy().outcome).toEqual({ kind: 'halted' });
    expect(structuredClone(guest.machine.create({ ...CONFIG, paging: 'pae' }))).toEqual(new Guest('pae').created);
    expect(guest.take(...start('pae'), access(0))).toMatchObject({
      outcome: mapped(0x10000),
      references: [{ page: 16 }],
    });
    expect(guest.machine.destroy()).toMatchObject({ references: [], tables: 0 });
  });

  test('is noticed in teardown too', () => {
    const guest = new Guest('2-level');
    guest.take(...start('2-level'), access(0));
    guest.machine.references.drop(17);
    expect(guest.machine.destroy().outcome.kind).toBe('host-bug');
  });

  test('errors that are no host bug are not hidden', () => {
    const { machine } = new Guest('2-level');
    machine.calls.init = () => {
      throw new TypeError('a mistake of ours');
    };
    expect(() => machine.apply(init())).toThrow('a mistake of ours');
  });
});

test('guest page numbers, not frames, are what a leftover reference is listed by', () => {
  const guest = new Guest('2-level');
  guest.take(...start('2-level'), access(0));
  guest.machine.references.take(17);
  expect(guest.machine.destroy()).toMatchObject({
    outcome: { kind: 'destroyed' },
    references: [{ page: 16, count: 1 }],
  });
});
