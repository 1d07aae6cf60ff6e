/** What the default traffic reaches. A generator that stops to reach it fails here, long before a bug is missed. */

import { beforeAll, describe, expect, test } from 'vitest';
import { ReferenceMachine } from '../../model/machine.js';
import type { Observation, Outcome, Program, Step } from '../../model/vocabulary/index.js';
import { OPS, PAGE_BYTES, PAGINGS, pagingSizes, switcherRegistersAddress } from '../../model/vocabulary/index.js';
import { programSeed, randomFor } from '../seeds.js';
import { MOST_FATAL_STEPS } from './fatal-sequences.js';
import { LGUEST_TRAFFICS } from './case.js';
import { programArbitrary } from './program-arbitrary.js';

const PROGRAMS_EACH = 1000;

class Count {
  private readonly counts = new Map<string, number>();
  total = 0;

  add(key: string): void {
    this.total++;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  of(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  share(key: string): number {
    return this.of(key) / this.total;
  }

  keys(): string[] {
    return [...this.counts.keys()];
  }
}

/** A kill text without its numbers, calls apart. */
const kindOfKill = (reason: string): string =>
  reason.startsWith('hypercall') || reason.startsWith('Bad hypercall')
    ? reason
    : reason.replace(/0x[\da-f]+|\d+/g, 'N');

class Reach {
  readonly ops = new Count();
  readonly accesses = new Count();
  readonly kills = new Count();
  readonly edges = new Count();
  /** Accesses that went through: whether the shadow already had the page. */
  readonly cache = new Count();
  programs = 0;
  diedEarly = 0;
  died = 0;
  /** Those that had more to do than to die. */
  diedInside = 0;
  deadSteps = 0;
  switches = 0;
  blankSwitches = 0;
  private readonly machine = new ReferenceMachine();

  take(program: Program): void {
    this.programs++;
    let { tables } = this.machine.create(program.machine);
    let alive = this.machine.apply({ op: 'fail-alloc', count: 0 }).outcome.kind !== 'absent';
    if (!alive) this.diedEarly++;
    for (const [index, step] of program.steps.entries()) {
      this.takeEdges(program, step);
      this.ops.add(step.op);
      if (!alive) {
        this.deadSteps++;
        continue;
      }
      const observation = this.machine.apply(step);
      this.takeStep(step, observation, observation.tables > tables);
      tables = observation.tables;
      alive = observation.outcome.kind !== 'killed';
      if (!alive) this.takeDeath(observation.outcome, index, program.steps.length - index);
    }
    this.machine.destroy();
  }

  private takeStep(step: Step, { outcome, references, stores }: Observation, tablesGrew: boolean): void {
    if (step.op === 'access') {
      this.accesses.add(outcome.kind);
      if (outcome.kind === 'mapped') this.cache.add(references.length + stores.length > 0 ? 'miss' : 'hit');
    }
    if (step.op === 'new-pgtable') {
      this.switches++;
      if (tablesGrew) this.blankSwitches++;
    }
  }

  private takeDeath(outcome: Outcome, index: number, left: number): void {
    this.died++;
    if (left > MOST_FATAL_STEPS) this.diedInside++;
    if (index < 10) this.diedEarly++;
    if (outcome.kind === 'killed') this.kills.add(kindOfKill(outcome.reason));
  }

  private takeEdges(program: Program, step: Step): void {
    for (const [name, holds] of EDGES) if (holds(step, program)) this.edges.add(name);
  }
}

type EdgePredicate = (step: Step, program: Program) => boolean;

const entryOf = (step: Step) => (step.op === 'store' ? step.value : step.op === 'set-pte' ? step.pte : undefined);
const pointsAt = (page: (program: Program) => number): EdgePredicate => {
  return (step, program) =>
    entryOf(step)?.high === 0 && entryOf(step)!.low >>> 12 === page(program) && page(program) > 0;
};
const hasFlag = (flag: number): EdgePredicate => {
  return (step) => ((entryOf(step)?.low ?? 0) & (flag | 1)) === (flag | 1);
};
const rootOf = (step: Step): number | undefined => ('root' in step ? step.root : undefined);
const touches = (step: Step): number | undefined => (step.op === 'access' ? step.vaddr : undefined);
const sizesOf = ({ machine }: Program) => pagingSizes(machine.paging);
const ramBytes = ({ machine }: Program): number => machine.guestPages * PAGE_BYTES;

const EDGES: readonly (readonly [string, EdgePredicate])[] = [
  ['last page of RAM', pointsAt(({ machine }) => machine.guestPages - 1)],
  ['first device page', pointsAt(({ machine }) => machine.guestPages)],
  ['last device page', pointsAt(({ machine }) => machine.guestPages + Math.max(machine.devicePages, 1) - 1)],
  ['page behind the devices', pointsAt(({ machine }) => machine.guestPages + machine.devicePages)],
  ['greatest page number', (step) => (entryOf(step)?.low ?? 0) >>> 12 === 0xfffff],
  ['reserved bits', (step) => (entryOf(step)?.high ?? 0) >= 0x1000],
  ['page number above 32 bits', (step) => ((entryOf(step)?.high ?? 0) & 0xfff) !== 0],
  ['large page', hasFlag(0x80)],
  ['write-through', hasFlag(0x08)],
  ['cache disabled', hasFlag(0x10)],
  ['global', hasFlag(0x100)],
  ['dirty, not accessed', (step) => ((entryOf(step)?.low ?? 0) & 0x61) === 0x41],
  [
    'table contains itself',
    (step) => step.op === 'store' && (step.value.low & 1) === 1 && step.value.low >>> 12 === step.paddr >>> 12,
  ],
  [
    'last entry of a table',
    (step, program) => step.op === 'store' && step.paddr % PAGE_BYTES === PAGE_BYTES - sizesOf(program).entryBytes,
  ],
  ['root 0', (step) => rootOf(step) === 0],
  ['root outside RAM', (step, program) => (rootOf(step) ?? 0) >= ramBytes(program)],
  ['switch to a root outside RAM', (step, program) => step.op === 'new-pgtable' && step.root >= ramBytes(program)],
  ['root in the middle of a page', (step) => (rootOf(step) ?? 0) % PAGE_BYTES !== 0],
  ['last root entry', (step, program) => step.op === 'set-pgd' && step.index === sizesOf(program).rootEntries - 1],
  ['one root entry too many', (step, program) => step.op === 'set-pgd' && step.index === sizesOf(program).rootEntries],
  [
    'two root entries too many',
    (step, program) => step.op === 'set-pgd' && step.index === sizesOf(program).rootEntries + 1,
  ],
  ['root entry -1', (step) => step.op === 'set-pgd' && step.index === 0xffffffff],
  [
    'announced in the Switcher',
    (step, program) => step.op === 'set-pte' && step.vaddr >= sizesOf(program).switcherAddress,
  ],
  [
    'announced under the Switcher',
    (step, program) => step.op === 'set-pte' && step.vaddr === sizesOf(program).switcherAddress - PAGE_BYTES,
  ],
  ['the Switcher’s text touched', (step, program) => touches(step) === sizesOf(program).switcherAddress],
  ['a registers page touched', (step, { machine }) => touches(step) === switcherRegistersAddress(machine.paging, 0)],
  ['last address touched', (step) => touches(step) === 0xffffffff],
  [
    'last address under the Switcher touched',
    (step, program) => touches(step) === sizesOf(program).switcherAddress - 1,
  ],
  ['set-pmd in 2-level', (step, { machine }) => step.op === 'set-pmd' && machine.paging === '2-level'],
  [
    'kernel address in the middle of a table',
    (step, program) => step.op === 'init' && step.kernelAddress % sizesOf(program).leafTableReach !== 0,
  ],
  ['kernel address in the middle of a page', (step) => step.op === 'init' && step.kernelAddress % PAGE_BYTES !== 0],
  ['kernel address 0', (step) => step.op === 'init' && step.kernelAddress === 0],
  [
    'kernel address just under the Switcher',
    (step, program) => step.op === 'init' && step.kernelAddress === sizesOf(program).switcherAddress - 1,
  ],
  [
    'kernel address in the Switcher',
    (step, program) => step.op === 'init' && step.kernelAddress >= sizesOf(program).switcherAddress,
  ],
  ['stack pointer 0', (step) => step.op === 'set-stack' && step.esp === 0],
  ['stack pointer 1', (step) => step.op === 'set-stack' && step.esp === 1],
  ['stack wraps', (step) => step.op === 'set-stack' && step.pages === 2 && step.esp <= PAGE_BYTES],
  ['stack in the Switcher', (step, program) => step.op === 'set-stack' && step.esp > sizesOf(program).switcherAddress],
  ...[0, 1, 2, 3].map(
    (pages) => [`stack of ${pages}`, (step: Step) => step.op === 'set-stack' && step.pages === pages] as const,
  ),
  ...[0, 1, 2, 3].map(
    (count) => [`failures: ${count}`, (step: Step) => step.op === 'fail-alloc' && step.count === count] as const,
  ),
  ...(['none', 'read', 'write'] as const).map(
    (access) => [`protect ${access}`, (step: Step) => step.op === 'protect' && step.access === access] as const,
  ),
  [
    'last CPU',
    (step, { machine }) => step.op === 'migrate' && machine.hostCpus > 1 && step.cpu === machine.hostCpus - 1,
  ],
  ['64 CPUs', (_, { machine }) => machine.hostCpus === 64],
  ['4096 pages', (_, { machine }) => machine.guestPages === 4096],
  ['one page', (_, { machine }) => machine.guestPages === 1],
  ['no devices', (_, { machine }) => machine.devicePages === 0],
];

/** In 2-level and in PAE; a few texts belong to one of them. */
const KILLS = [
  ...[4, 5, 7, 13, 14, 15].map((call) => `hypercall ${call} before INIT`),
  'already have lguest_data',
  'bad kernel address N',
  'bad stack page N',
  'bad stack pages N',
  'attempt to set pte into Switcher pages',
  'Attempt to set pgd N/N',
  'bad page directory entry',
  'bad page table entry',
  'bad read address N len N',
  'Bad address N',
  'failed to get page N',
  'out of memory allocating pte page',
];
const KILLS_OF_ONE = ['Bad hypercall 13', 'bad page middle directory entry', 'out of memory allocating pmd page'];

const reached = { hostile: new Reach(), coherent: new Reach() };

beforeAll(() => {
  for (const traffic of LGUEST_TRAFFICS) {
    for (const paging of PAGINGS) {
      const arbitrary = programArbitrary({ traffic, paging });
      for (let index = 0; index < PROGRAMS_EACH; index++) {
        const random = randomFor(programSeed(`reach/${traffic}/${paging}`, index));
        reached[traffic].take(arbitrary.generate(random, undefined).value.program);
      }
    }
  }
});

describe('hostile traffic', () => {
  test('lives long enough: few guests die early, and most steps are taken alive', () => {
    const { programs, diedEarly, diedInside, deadSteps, ops } = reached.hostile;
    expect(diedEarly / programs).toBeLessThan(0.06);
    expect(diedInside / programs).toBeGreaterThan(0.1);
    expect(diedInside / programs).toBeLessThan(0.4);
    expect(deadSteps / ops.total).toBeLessThan(0.25);
  });

  test('most programs end in a death, and some are survived', () => {
    const { programs, died } = reached.hostile;
    expect(died / programs).toBeGreaterThan(0.7);
    expect(died / programs).toBeLessThan(0.95);
  });

  test('accesses mostly go through, and all else happens too', () => {
    const { accesses } = reached.hostile;
    expect(accesses.share('mapped')).toBeGreaterThan(0.5);
    expect(accesses.share('fault')).toBeGreaterThan(0.15);
    expect(accesses.share('fault')).toBeLessThan(0.4);
    expect(accesses.share('mmio')).toBeGreaterThan(0.01);
    expect(accesses.of('killed')).toBeGreaterThan(50);
  });

  test('every kind of step occurs', () => {
    for (const op of OPS) expect.soft(reached.hostile.ops.share(op), op).toBeGreaterThan(0.001);
  });

  test('guests die of everything that they can die of', () => {
    const { kills } = reached.hostile;
    for (const kill of [...KILLS, ...KILLS_OF_ONE]) expect.soft(kills.of(kill), kill).toBeGreaterThan(0);
    expect(kills.keys().filter((kill) => ![...KILLS, ...KILLS_OF_ONE].includes(kill))).toEqual([]);
  });

  test('every edge is met', () => {
    for (const [name] of EDGES) expect.soft(reached.hostile.edges.of(name), name).toBeGreaterThan(0);
  });
});

describe('coherent traffic', () => {
  test('seldom dies: for want of host memory, or of a page that is none', () => {
    const { programs, died, diedEarly, kills } = reached.coherent;
    expect(diedEarly / programs).toBeLessThan(0.01);
    expect(died / programs).toBeLessThan(0.06);
    const causes = kills.keys().filter((kill) => !kill.startsWith('out of memory'));
    expect(causes).toEqual(['bad page table entry']);
  });

  test('accesses mostly go through, and all else happens too', () => {
    const { accesses } = reached.coherent;
    expect(accesses.share('mapped')).toBeGreaterThan(0.5);
    expect(accesses.share('fault')).toBeGreaterThan(0.2);
    expect(accesses.share('mmio')).toBeGreaterThan(0.02);
  });

  test('every kind of step occurs that a coherent guest and its host may take', () => {
    for (const op of OPS) {
      if (op !== 'protect') expect.soft(reached.coherent.ops.share(op), op).toBeGreaterThan(0.001);
    }
  });
});

describe.each(LGUEST_TRAFFICS)('%s traffic meets the caches', (traffic) => {
  test('pages are found in the shadow, and are demanded', () => {
    const { cache } = reached[traffic];
    expect(cache.share('hit')).toBeGreaterThan(0.2);
    expect(cache.share('miss')).toBeGreaterThan(0.2);
  });

  test('roots are switched to that have a slot or take a used one, and that get a blank one', () => {
    const { switches, blankSwitches } = reached[traffic];
    expect(blankSwitches / switches).toBeGreaterThan(0.1);
    expect(blankSwitches / switches).toBeLessThan(0.7);
  });
});

describe('some programs do one thing many times', () => {
  const arbitrary = programArbitrary({ traffic: 'hostile' });
  const programs = Array.from({ length: 12_000 }, (_, index) => {
    return arbitrary.generate(randomFor(programSeed('lives', index)), undefined).value.program;
  });
  const mostOf = (count: (steps: readonly Step[]) => number): number =>
    Math.max(...programs.map(({ steps }) => count(steps)));

  test('a few have thousands of steps, and all others few', () => {
    const long = programs.filter(({ steps }) => steps.length > 160);
    expect(long.length).toBeGreaterThan(12);
    expect(long.length).toBeLessThan(120);
    expect(Math.max(...long.map(({ steps }) => steps.length))).toBeGreaterThan(1800);
  });

  const REPEATED = [
    'flush-tlb',
    'new-pgtable',
    'set-pte',
    'set-pgd',
    'set-pmd',
    'set-stack',
    'migrate',
    'guest-pa',
    'fail-alloc',
  ] as const;
  test.each(REPEATED)('more than 256 times: %s', (op) => {
    expect(mostOf((steps) => steps.filter((step) => step.op === op).length)).toBeGreaterThan(256);
  });

  test('one page is mapped at more than 16 addresses, and at more than 256', () => {
    const aliases = programs.map(({ steps }) => {
      const byPage = new Map<number, Set<number>>();
      for (const step of steps) {
        if (step.op !== 'set-pte') continue;
        const page = step.pte.low >>> 12;
        byPage.set(page, (byPage.get(page) ?? new Set()).add(step.vaddr));
      }
      return Math.max(0, ...[...byPage.values()].map(({ size }) => size));
    });
    expect(aliases.filter((each) => each > 16).length).toBeGreaterThan(150);
    expect(Math.max(...aliases)).toBeGreaterThan(256);
  });
});
