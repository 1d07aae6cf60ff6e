import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ReferenceMachine } from '../model/machine.js';
import type { MachineConfig, Program, Step } from '../model/vocabulary/index.js';
import { PAGE_BYTES, PAGINGS, guestEntry, isHostRefusal, paddr, vaddr } from '../model/vocabulary/index.js';
import { flushTlb, guestPa, init, machineOf, setStack } from '../test-support/steps.js';
import { Draw } from './generators/draw.js';
import { programArbitrary } from './generators/index.js';
import type { Breach, ContractRule } from './contract.js';
import { breachOf, keepsContract } from './contract.js';
import { programSeed, randomFor } from './seeds.js';

const FLAT = machineOf({ guestPages: 32, devicePages: 2 });
const PAE: MachineConfig = { ...FLAT, paging: 'pae' };

// Steps, by page numbers.

const store = (page: number, index: number, value: number, bytes = 4): Step => ({
  op: 'store',
  paddr: paddr(page * PAGE_BYTES + index * bytes),
  value: guestEntry(value),
});
const store8 = (page: number, index: number, value: number): Step => store(page, index, value, 8);
const run = (page: number): Step => ({ op: 'new-pgtable', root: paddr(page * PAGE_BYTES), draw: 0 });
const tellPte = (page: number, address: number, pte: number): Step => ({
  op: 'set-pte',
  root: paddr(page * PAGE_BYTES),
  vaddr: vaddr(address),
  pte: guestEntry(pte),
});
const tellPgd = (page: number, index: number): Step => ({ op: 'set-pgd', root: paddr(page * PAGE_BYTES), index });
const tellPmd = (page: number, index: number): Step => ({ op: 'set-pmd', pmd: paddr(page * PAGE_BYTES), index });
const touch = (address = 0x1000): Step => ({ op: 'access', vaddr: vaddr(address), kind: 'read', mode: 'user' });

const ROOT = 1;
const KERNEL_TABLE = 2;
const USER_TABLE = 3;
const MIDDLE = 4;
const KERNEL_MIDDLE = 5;
const OTHER_ROOT = 6;
const SPARE_TABLE = 7;
/** A page of data, granting everything. */
const DATA = 0x10067;
const OTHER_DATA = 0x11067;
const link = (page: number): number => page * PAGE_BYTES + 0x67;

/** 2-level: user page 1 and kernel page 0xc0000000 are mapped, and the guest runs. */
const FLAT_START: readonly Step[] = [
  init(),
  store(KERNEL_TABLE, 0, DATA),
  store(USER_TABLE, 1, DATA),
  store(ROOT, 768, link(KERNEL_TABLE)),
  store(ROOT, 0, link(USER_TABLE)),
  run(ROOT),
  touch(),
];

/** The same in PAE. */
const PAE_START: readonly Step[] = [
  init(),
  store8(KERNEL_TABLE, 0, DATA),
  store8(USER_TABLE, 1, DATA),
  store8(MIDDLE, 0, link(USER_TABLE)),
  store8(KERNEL_MIDDLE, 0, link(KERNEL_TABLE)),
  store8(ROOT, 0, MIDDLE * PAGE_BYTES + 1),
  store8(ROOT, 3, KERNEL_MIDDLE * PAGE_BYTES + 1),
  run(ROOT),
  touch(),
];

const flat = (...steps: readonly Step[]): Breach | undefined =>
  breachOf({ machine: FLAT, steps: [...FLAT_START, ...steps] });
const pae = (...steps: readonly Step[]): Breach | undefined =>
  breachOf({ machine: PAE, steps: [...PAE_START, ...steps] });

/** The last step is the one at which the breach is found. */
const expectBreach = (breach: Breach | undefined, rule: ContractRule, step: number): void => {
  expect(breach).toMatchObject({ rule, step });
};

describe('what keeps the contract', () => {
  test.each([
    ['nothing more', []],
    ['a leaf stored and announced', [store(USER_TABLE, 1, OTHER_DATA), tellPte(ROOT, 0x1000, OTHER_DATA), touch()]],
    [
      'a leaf stored twice, announced last',
      [store(USER_TABLE, 1, 0), store(USER_TABLE, 1, OTHER_DATA), tellPte(ROOT, 0x1000, OTHER_DATA), touch()],
    ],
    ['a leaf covered by a flush of the user half', [store(USER_TABLE, 1, 0), flushTlb('user'), touch()]],
    ['a leaf covered by a full flush', [store(USER_TABLE, 1, 0), flushTlb('all'), touch()]],
    ['a leaf covered by its root entry', [store(USER_TABLE, 1, 0), tellPgd(ROOT, 0), touch()]],
    ['a kernel leaf announced for any root', [store(KERNEL_TABLE, 0, 0), tellPte(9, 0xc0000000, 0), touch()]],
    ['a store that nobody touches after', [store(USER_TABLE, 1, 0)]],
    ['a question from the host', [store(USER_TABLE, 1, 0), guestPa(0x1000)]],
    ['a root entry stored and announced', [store(ROOT, 1, link(SPARE_TABLE)), tellPgd(ROOT, 1), touch()]],
    [
      'a table filled before it is linked',
      [
        store(SPARE_TABLE, 0, DATA),
        touch(),
        store(SPARE_TABLE, 0, OTHER_DATA),
        store(ROOT, 1, link(SPARE_TABLE)),
        tellPgd(ROOT, 1),
        touch(0x400000),
      ],
    ],
    ['a kernel entry and a full flush', [store(ROOT, 769, link(SPARE_TABLE)), flushTlb('all'), touch()]],
    ['a second root with the same kernel half', [store(OTHER_ROOT, 768, link(KERNEL_TABLE)), run(OTHER_ROOT), touch()]],
    [
      'a table that moves to another root',
      [
        store(OTHER_ROOT, 768, link(KERNEL_TABLE)),
        store(ROOT, 0, 0),
        tellPgd(ROOT, 0),
        store(OTHER_ROOT, 0, link(USER_TABLE)),
        run(OTHER_ROOT),
        touch(),
      ],
    ],
    [
      'a root that is retired and becomes data',
      [
        store(OTHER_ROOT, 768, link(KERNEL_TABLE)),
        store(ROOT, 0, 0),
        tellPgd(ROOT, 0),
        run(OTHER_ROOT),
        store(KERNEL_TABLE, 0, link(ROOT)),
        tellPte(OTHER_ROOT, 0xc0000000, link(ROOT)),
        touch(),
      ],
    ],
  ] as const satisfies readonly (readonly [string, readonly Step[]])[])('%s, 2-level', (_, steps) => {
    expect(flat(...steps)).toBeUndefined();
  });

  test.each([
    ['nothing more', []],
    ['a middle entry stored and announced', [store8(MIDDLE, 0, 0), tellPmd(MIDDLE, 0), touch()]],
    ['a top entry stored and announced', [store8(ROOT, 0, 0), tellPgd(ROOT, 0), touch()]],
    ['a kernel middle entry and a full flush', [store8(KERNEL_MIDDLE, 1, link(SPARE_TABLE)), flushTlb('all'), touch()]],
    [
      'a leaf under an announced middle entry',
      [store8(USER_TABLE, 1, 0), store8(MIDDLE, 0, link(USER_TABLE)), tellPmd(MIDDLE, 0), touch()],
    ],
  ] as const satisfies readonly (readonly [string, readonly Step[]])[])('%s, PAE', (_, steps) => {
    expect(pae(...steps)).toBeUndefined();
  });

  test('linear mode, whatever is stored there', () => {
    const steps = [
      touch(),
      store(ROOT, 0, link(ROOT)),
      init(),
      touch(),
      store(ROOT, 0, 0),
      tellPte(ROOT, 0, DATA),
      touch(),
    ];
    expect(breachOf({ machine: FLAT, steps })).toBeUndefined();
  });

  test('a guest that dies of a call before init', () => {
    const steps = [...FLAT_START.slice(1), store(USER_TABLE, 1, 0), touch()];
    expect(breachOf({ machine: FLAT, steps })).toBeUndefined();
  });
});

describe('rule 1: leaves, and entries above them, are announced', () => {
  test.each([
    ['not at all', [store(USER_TABLE, 1, 0), touch()]],
    ['not even A and D', [store(USER_TABLE, 1, DATA & ~0x60), touch()]],
    ['too early', [tellPte(ROOT, 0x1000, DATA), store(USER_TABLE, 1, 0), touch()]],
    ['for another address', [store(USER_TABLE, 1, 0), tellPte(ROOT, 0x2000, 0), touch()]],
    ['for another root', [store(USER_TABLE, 1, 0), tellPte(OTHER_ROOT, 0x1000, 0), touch()]],
    ['before the stack is set', [store(USER_TABLE, 1, 0), setStack(0xc0001000, 1)]],
    ['before a switch', [store(USER_TABLE, 1, 0), run(ROOT)]],
    ['root entry not announced', [store(ROOT, 0, 0), touch()]],
    ['another root entry announced', [store(ROOT, 0, 0), tellPgd(ROOT, 1), touch()]],
    ['root entry announced too early', [tellPgd(ROOT, 0), store(ROOT, 0, 0), touch()]],
    ['kernel leaf not announced', [store(KERNEL_TABLE, 0, 0), touch()]],
    ['kernel leaf, user half flushed', [store(KERNEL_TABLE, 0, 0), flushTlb('user'), touch()]],
    ['kernel leaf, its root entry announced', [store(KERNEL_TABLE, 0, 0), tellPgd(ROOT, 768), touch()]],
    ['announced with another value', [store(USER_TABLE, 1, OTHER_DATA), tellPte(ROOT, 0x1000, DATA)]],
    [
      'announced with an older value',
      [store(USER_TABLE, 1, OTHER_DATA), store(USER_TABLE, 1, 0), tellPte(ROOT, 0x1000, OTHER_DATA)],
    ],
    ['announced, and never stored', [tellPte(ROOT, 0x1000, OTHER_DATA)]],
    ['a kernel leaf announced, and never stored', [tellPte(9, 0xc0000000, OTHER_DATA)]],
    [
      'user half of a root that was left flushed',
      [store(OTHER_ROOT, 768, link(KERNEL_TABLE)), run(OTHER_ROOT), store(USER_TABLE, 1, 0), flushTlb('user'), touch()],
    ],
    [
      'a table that visits another root in between',
      [
        store(OTHER_ROOT, 768, link(KERNEL_TABLE)),
        store(OTHER_ROOT, 1, link(SPARE_TABLE)),
        run(OTHER_ROOT),
        store(USER_TABLE, 1, 0),
        store(OTHER_ROOT, 0, link(USER_TABLE)),
        tellPgd(OTHER_ROOT, 0),
        store(OTHER_ROOT, 0, 0),
        tellPgd(OTHER_ROOT, 0),
        touch(),
      ],
    ],
  ] as const satisfies readonly (readonly [string, readonly Step[]])[])('%s, 2-level', (_, steps) => {
    expectBreach(flat(...steps), 1, FLAT_START.length + steps.length - 1);
  });

  test.each([
    ['middle entry not announced', [store8(MIDDLE, 0, 0), touch()]],
    ['another middle entry announced', [store8(MIDDLE, 0, 0), tellPmd(MIDDLE, 1), touch()]],
    ['middle entry of another table announced', [store8(MIDDLE, 0, 0), tellPmd(KERNEL_MIDDLE, 0), touch()]],
    [
      'top entry, the middle entry under it announced',
      [store8(MIDDLE, 0, 0), store8(ROOT, 0, 0), tellPmd(MIDDLE, 0), touch()],
    ],
  ] as const satisfies readonly (readonly [string, readonly Step[]])[])('%s, PAE', (_, steps) => {
    expectBreach(pae(...steps), 1, PAE_START.length + steps.length - 1);
  });
});

describe('rule 2: the kernel half is the same in every root', () => {
  test.each([
    ['kernel entry without a flush', [store(ROOT, 769, link(SPARE_TABLE)), touch()]],
    ['kernel entry, only announced', [store(ROOT, 769, link(SPARE_TABLE)), tellPgd(ROOT, 769), touch()]],
    ['a new root without it', [run(OTHER_ROOT)]],
    [
      'a new root with more',
      [store(OTHER_ROOT, 768, link(KERNEL_TABLE)), store(OTHER_ROOT, 769, link(SPARE_TABLE)), run(OTHER_ROOT)],
    ],
    [
      'a change in one of two roots',
      [
        store(OTHER_ROOT, 768, link(KERNEL_TABLE)),
        store(OTHER_ROOT, 0, link(SPARE_TABLE)),
        run(OTHER_ROOT),
        store(OTHER_ROOT, 769, link(8)),
        flushTlb('all'),
      ],
    ],
  ] as const satisfies readonly (readonly [string, readonly Step[]])[])('%s, 2-level', (_, steps) => {
    expectBreach(flat(...steps), 2, FLAT_START.length + steps.length - 1);
  });

  test('kernel middle entry without a flush, PAE', () => {
    expectBreach(
      pae(store8(KERNEL_MIDDLE, 1, link(SPARE_TABLE)), tellPmd(KERNEL_MIDDLE, 1), touch()),
      2,
      PAE_START.length + 2,
    );
  });

  test('the halves meet in the middle of a root entry', () => {
    expectBreach(breachOf({ machine: FLAT, steps: [init(0xc0001000)] }), 2, 0);
    expectBreach(breachOf({ machine: PAE, steps: [init(0xc0200000)] }), 2, 0);
  });
});

describe('rule 3: a table has one place, and is no data', () => {
  test.each([
    ['a table under two root entries', [store(ROOT, 1, link(USER_TABLE)), tellPgd(ROOT, 1), touch()]],
    ['a table of user and kernel', [store(ROOT, 1, link(KERNEL_TABLE)), tellPgd(ROOT, 1), touch()]],
    [
      'a table of two roots',
      [store(OTHER_ROOT, 768, link(KERNEL_TABLE)), store(OTHER_ROOT, 0, link(USER_TABLE)), run(OTHER_ROOT)],
    ],
    [
      'a table that is mapped',
      [store(USER_TABLE, 1, link(KERNEL_TABLE)), tellPte(ROOT, 0x1000, link(KERNEL_TABLE)), touch()],
    ],
    ['a mapped page that becomes a table', [store(ROOT, 1, link(DATA >>> 12)), tellPgd(ROOT, 1), touch()]],
    ['a root outside RAM', [run(32)]],
  ] as const satisfies readonly (readonly [string, readonly Step[]])[])('%s, 2-level', (_, steps) => {
    expectBreach(flat(...steps), 3, FLAT_START.length + steps.length - 1);
  });

  test('a leaf table that is a middle table too, PAE', () => {
    expectBreach(pae(store8(MIDDLE, 1, link(MIDDLE)), tellPmd(MIDDLE, 1)), 3, PAE_START.length + 1);
  });
});

describe('rule 4: a root is retired before its page serves again', () => {
  const LEAVE: readonly Step[] = [store(OTHER_ROOT, 768, link(KERNEL_TABLE)), run(OTHER_ROOT), touch()];
  test.each([
    ['its entries go unannounced', [...LEAVE, store(ROOT, 0, 0), touch()]],
    ['it is linked as a table', [...LEAVE, store(OTHER_ROOT, 1, link(ROOT)), tellPgd(OTHER_ROOT, 1), touch()]],
    [
      'it is mapped',
      [...LEAVE, store(KERNEL_TABLE, 0, link(ROOT)), tellPte(OTHER_ROOT, 0xc0000000, link(ROOT)), touch()],
    ],
    ['the current one is linked', [store(ROOT, 1, link(ROOT)), tellPgd(ROOT, 1), touch()]],
  ] as const satisfies readonly (readonly [string, readonly Step[]])[])('%s', (_, steps) => {
    expectBreach(flat(...steps), 4, FLAT_START.length + steps.length - 1);
  });
});

/** A program with a few steps lost, doubled, moved or changed. */
const mangle = (draw: Draw, { machine, steps }: Program): Program => {
  const mangled = [...steps];
  for (let count = draw.between(1, 4); count > 0; count--) {
    const at = draw.below(mangled.length);
    const other = mangled[draw.below(mangled.length)];
    const step = mangled[at];
    if (draw.bits(1) === 0) mangled.splice(at, 1);
    else if (step.op === 'store' && other.op === 'store') mangled[at] = { ...step, value: other.value };
    else if ('root' in step && 'root' in other) mangled[at] = { ...step, root: other.root };
    else if (step.op === 'flush-tlb') mangled[at] = { ...step, scope: 'user' };
    else mangled.splice(at, 1, other, step);
  }
  return { machine, steps: mangled };
};

/** The first step whose outcome is not that of a fresh walk: the guest sees something stale. */
const firstStale = (machine: ReferenceMachine, { machine: config, steps }: Program): number | undefined => {
  machine.create(config);
  for (const [index, step] of steps.entries()) {
    const { outcome, fresh } = machine.apply(step);
    if (outcome.kind === 'killed' && isHostRefusal(outcome)) return undefined;
    if (fresh !== undefined && !isDeepStrictEqual(fresh, outcome)) return index;
    if (outcome.kind === 'killed') return undefined;
  }
  return undefined;
};

describe('no program that is accepted ever sees what is stale', () => {
  test.each(PAGINGS)('mangled coherent programs, %s', (paging) => {
    const machine = new ReferenceMachine();
    const arbitrary = programArbitrary({ traffic: 'coherent', paging });
    const draw = new Draw(randomFor(11));
    let accepted = 0;
    let stale = 0;
    for (let index = 0; index < 150; index++) {
      const { program } = arbitrary.generate(randomFor(programSeed('contract', index)), undefined).value;
      for (const candidate of [program, ...Array.from({ length: 4 }, () => mangle(draw, program))]) {
        const first = firstStale(machine, candidate);
        if (first !== undefined) stale++;
        if (!keepsContract(candidate)) continue;
        accepted++;
        if (first !== undefined) expect.fail(`step ${first} of ${JSON.stringify(candidate)}`);
      }
    }
    // Neither is trivially so.
    expect(accepted).toBeGreaterThan(250);
    expect(stale).toBeGreaterThan(8);
  });
});
