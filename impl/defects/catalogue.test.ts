import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ReferenceMachine } from '../../model/machine.js';
import type { Program, Step } from '../../model/vocabulary/index.js';
import { access, init, machineOf, newPgtable, setPte, setStack, store } from '../../test-support/steps.js';
import type { Case } from '../../properties/generators/index.js';
import { programArbitrary } from '../../properties/generators/index.js';
import type { Divergence } from '../../properties/divergence.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { Lockstep } from '../../properties/lockstep.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import { traceOf } from '../../properties/trace-of.js';
import { ShadowMachine } from '../shadow-machine.js';
import type { Defect } from './defect.js';
import { DEFECTS, defectNamed, lguestDefects } from './catalogue.js';

const byId = DEFECTS.map((defect) => [defect.id, defect] as const);

describe('the catalogue', () => {
  test('ids are unique, and listed in order', () => {
    const ids = DEFECTS.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  test('has every list of the folder', async () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('-defects.ts'));
    const modules = await Promise.all(
      files.map((name) => import(new URL(name, import.meta.url).href) as Promise<Record<string, readonly Defect[]>>),
    );
    const listed = modules.flatMap((lists) => Object.values(lists).flat());
    expect(new Set(listed)).toEqual(new Set(DEFECTS));
    expect(listed).toHaveLength(DEFECTS.length);
  });

  test.each(byId)('%s is written up in full', (id, defect) => {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    for (const text of Object.values(defect)) if (typeof text === 'string') expect(text.trim()).not.toBe('');
    expect(defect.rule).toMatch(/^machine\.md [1-3]/);
  });

  test('is found by name', () => {
    for (const defect of DEFECTS) expect(defectNamed(defect.id)).toBe(defect);
    expect(defectNamed('no-such-defect')).toBeUndefined();
  });

  test('names those of lguest after the functions of its C', () => {
    expect(lguestDefects().length).toBeGreaterThan(10);
    for (const { origin } of lguestDefects()) expect(origin).toMatch(/^lguest, [a-z_]+/);
  });
});

const generated: Case[] = [];
/** Program `index` of one fixed campaign. */
const generate = (index: number): Case =>
  (generated[index] ??= programArbitrary().generate(randomFor(programSeed('defects', index)), undefined).value);

const planted = (...defects: readonly Defect[]): ShadowMachine => {
  const machine = new ShadowMachine();
  for (const defect of defects) defect.plant(machine);
  return machine;
};
const lockstepWith = (subject: ShadowMachine): Lockstep =>
  new Lockstep({ model: new ReferenceMachine(), subject, invariants: INVARIANTS });

describe('planting', () => {
  test('touches the given machine and no other, made before or after', () => {
    const before = new ShadowMachine();
    planted(...DEFECTS);
    const after = new ShadowMachine();
    for (let index = 0; index < 50; index++) {
      for (const subject of [before, after]) {
        const lockstep = new Lockstep({ model: new ReferenceMachine(), subject, invariants: INVARIANTS });
        expect(lockstep.run(generate(index).program, false)).toBeUndefined();
      }
    }
  });

  test('any two defects together break the host at most, never the program that runs it', () => {
    DEFECTS.forEach((one, index) => {
      for (const other of DEFECTS.slice(index + 1)) traceOf(planted(one, other), generate(index).program);
    });
  });

  test('all defects together, in either order, do not either', () => {
    for (const machine of [planted(...DEFECTS), planted(...[...DEFECTS].reverse())])
      for (let index = 0; index < 100; index++) traceOf(machine, generate(index).program);
  });
});

const CONFIG = machineOf({ guestPages: 16 });

/** Maps one page at 257 addresses, the last 256 of them by a set-pte each. */
const PAGE_AT_MANY_ADDRESSES: Program = {
  machine: CONFIG,
  steps: [
    init(0xc0000000),
    store(0x1000, 0x2067),
    store(0x2000, 0x5067),
    newPgtable(0x1000),
    access(0),
    ...Array.from({ length: 256 }, (_, index): Step => {
      return setPte(0x1000, (index + 1) * 0x1000, 0x5067);
    }),
  ],
};

/** Rare ones: random programs come by them too seldom for a test, so each has a program of its own. */
const RARE: Readonly<Record<string, Program>> = {
  'creation-leaks-root': { machine: { ...CONFIG, failAllocation: 2 }, steps: [] },
  'pin-ignores-upper-entry': {
    machine: CONFIG,
    steps: [
      init(0xc0000000),
      store(0x1000, 0x2065),
      store(0x2000, 0x5067),
      newPgtable(0x1000),
      access(0),
      setStack(0x1000, 1),
    ],
  },
  'reference-count-in-eight-bits': PAGE_AT_MANY_ADDRESSES,
  'set-pte-in-linear-mode': {
    machine: CONFIG,
    steps: [init(0), access(0x3000), setPte(0x1000, 0x3000, 0x5067)],
  },
  'set-pte-lost-when-counter-wraps': PAGE_AT_MANY_ADDRESSES,
  'stack-on-first-switcher-page': {
    machine: CONFIG,
    steps: [
      init(0xc0000000),
      store(0x1ffc, 0x2067),
      store(0x2000, 0x5067),
      newPgtable(0x1000),
      setStack(0xffc00001, 1),
    ],
  },
  'stack-in-switcher-allowed': { machine: CONFIG, steps: [init(0xc0000000), access(0), setStack(0xffc02000, 1)] },
};

/** Steps within which a defect must show. */
const BUDGET = 60_000;
/** The same for those that want a particular machine, entry or order of steps. */
const SLOW_BUDGET = 200_000;
const SLOW = new Set([
  'device-border-off-by-one',
  'entry-stored-in-halves',
  'failing-allocations-in-eight-bits',
  'large-table-accepted',
  'leaf-page-in-sixteen-bits',
  'leaf-page-truncated',
  'leaf-reserved-bits-ignored',
  'leaf-reserved-high-bits-accepted',
  'refused-page-keeps-leaf',
  'registers-of-cpu-modulo-thirty-two',
  'root-index-in-sixteen-bits',
  'set-pgd-loses-switcher',
  'set-pgd-one-past-the-end',
  'table-address-in-twenty-bits',
  'table-lost-on-second-allocation',
  'table-page-truncated',
  'top-entry-software-bits-accepted',
  'upper-entry-only-gains',
]);

const firstDivergence = (machine: ShadowMachine, most: number): Divergence | undefined => {
  const lockstep = lockstepWith(machine);
  for (let index = 0, steps = 0; steps < most; index++) {
    const { program, traffic } = generate(index);
    const found = lockstep.run(program, traffic === 'coherent');
    if (found !== undefined) return found;
    steps += program.steps.length;
  }
  return undefined;
};

describe('each defect is noticed', () => {
  const drawn = byId.filter(([id]) => RARE[id] === undefined);

  test.each(drawn)('%s', (id, defect) => {
    expect(firstDivergence(planted(defect), SLOW.has(id) ? SLOW_BUDGET : BUDGET)).toBeDefined();
  });

  test.each(Object.entries(RARE))('%s, by a program of its own', (id, program) => {
    expect(lockstepWith(new ShadowMachine()).run(program, false)).toBeUndefined();
    expect(lockstepWith(planted(defectNamed(id)!)).run(program, false)).toBeDefined();
  });

  test('and without one, nothing is', () => {
    expect(firstDivergence(new ShadowMachine(), BUDGET)).toBeUndefined();
  });
});
