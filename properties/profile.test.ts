import { describe, expect, test } from 'vitest';
import type { EntryChange, Machine, Paging, Program, Step } from '../model/vocabulary/index.js';
import { PAGINGS, guestEntry, paddr, vaddr } from '../model/vocabulary/index.js';
import { access, guestPa, init, machineOf, newPgtable, setPgd, setPte, store } from '../test-support/steps.js';
import type { MmuEntry } from '../model/walking-mmu.js';
import { WalkingMmu } from '../model/walking-mmu.js';
import { runUntilDivergence } from './campaign/programs.js';
import { keepsContract } from './contract.js';
import type { Divergence } from './divergence.js';
import { A, FULL, G, P, PSE, RIGHTS, RW, US } from './entry-bits.js';
import type { Case } from './generators/index.js';
import { programArbitrary } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { judgeOf } from './judging.js';
import { Pair } from './pair.js';
import { PROFILE_LIMITS } from './profile.js';
import { programSeed, randomFor } from './seeds.js';
import { whyNotRun, whyOutside } from './subjects/scope.js';
import { IMPL, MODEL, WALK, mmu } from './subjects/subject-names.js';
import type { Subject } from './subjects/subject.js';

const options = (paging: Paging) =>
  ({ paging, traffic: 'coherent', profile: 'architecture', guestPages: 128, mostSteps: 160 }) as const;

const casesOf = (paging: Paging, count: number): Case[] => {
  const arbitrary = programArbitrary(options(paging));
  return Array.from(
    { length: count },
    (_, index) => arbitrary.generate(randomFor(programSeed('profile', index)), undefined).value,
  );
};

/** The first divergence of a campaign of the profile, and how many programs it ran. */
const hunt = async (subject: Subject, model: Subject, paging: Paging, most: number) => {
  const pair = new Pair({ subject, model, invariants: INVARIANTS, profile: 'architecture' });
  const campaign = { ...options(paging), campaign: 'profile' };
  const { programs, divergence } = await runUntilDivergence(campaign, pair, (ran) => ran < most);
  return { programs, divergence, tally: pair.tally };
};

describe.each(PAGINGS)('programs of the profile architecture, %s', (paging) => {
  test('belong to it, and reach what it has', () => {
    const { steps: allowed } = PROFILE_LIMITS.architecture;
    const reached = new Set<string>();
    for (const { traffic, program } of casesOf(paging, 500)) {
      expect(whyOutside(program, 'architecture')).toBeUndefined();
      expect(traffic).toBe('coherent');
      expect(program.machine).toMatchObject({ devicePages: 0, hostCpus: 1, failAllocation: 0 });
      for (const { op } of program.steps) reached.add(op);
    }
    expect([...reached].sort()).toEqual(
      allowed.filter((op) => paging === 'pae' || op !== 'set-pmd').toSorted((one, other) => (one < other ? -1 : 1)),
    );
  });

  test('are lguest programs too: neither machine kills, runs out of memory or meets a device', async () => {
    const { divergence, tally } = await hunt(IMPL, MODEL, paging, 300);
    expect(divergence).toBeUndefined();
    for (const kind of ['killed', 'mmio', 'no-memory', 'dead', 'stuck'] as const)
      expect(tally.allOutcomes(kind)).toBe(0);
    expect(tally.allOutcomes('mapped')).toBeGreaterThan(tally.allOutcomes('fault'));
  });

  test('stay in it when a single step goes, or are known not to', () => {
    for (const { program } of casesOf(paging, 10)) {
      for (let index = 0; index < program.steps.length; index++) {
        const shorter = { machine: program.machine, steps: program.steps.toSpliced(index, 1) };
        if (keepsContract(shorter, 'architecture')) expect(keepsContract(shorter)).toBe(true);
      }
    }
  });

  test.each([
    ['impl', IMPL, WALK],
    ['model', MODEL, WALK],
    ['walk, beside model', WALK, MODEL],
    ['walk, beside impl', WALK, IMPL],
    ['walk, beside itself', WALK, WALK],
  ])('%s passes', async (_name, subject, model) => {
    const { programs, divergence, tally } = await hunt(subject, model, paging, 300);
    expect([programs, divergence]).toEqual([300, undefined]);
    const exercised = INVARIANTS.filter((_, index) => tally.exercised[index] > 0).map(({ id }) => id);
    const fresh = model === IMPL ? [] : ['coherence'];
    expect(exercised).toEqual(['host-intact', 'progress', 'accessed-dirty', ...fresh, 'translation', 'determinism']);
  });
});

/** CPUs with a bug. What they hide is protected, so that tests can replace it. */
const BUGS: Readonly<Record<string, () => Machine>> = {
  'no D on a write': () =>
    new (class extends WalkingMmu {
      protected override mark(entry: MmuEntry): void {
        super.mark(entry, 'read');
      }
    })(),
  'no A in upper entries': () =>
    new (class extends WalkingMmu {
      protected override mark(entry: MmuEntry, kind: 'read' | 'write'): void {
        if (entry.level.below === undefined) super.mark(entry, kind);
      }
    })(),
  'U/S of upper entries ignored': () =>
    new (class extends WalkingMmu {
      protected override allow(path: readonly MmuEntry[], right: number): boolean {
        return super.allow(right === US ? path.slice(-1) : path, right);
      }
    })(),
  'R/W of upper entries ignored': () =>
    new (class extends WalkingMmu {
      protected override allow(path: readonly MmuEntry[], right: number): boolean {
        return super.allow(right === RW ? path.slice(-1) : path, right);
      }
    })(),
  'A set in the PAE root': () =>
    new (class extends WalkingMmu {
      protected override mark(entry: MmuEntry, kind: 'read' | 'write'): void {
        super.mark(entry.level.name === 'PDPTE' ? { ...entry, level: { ...entry.level, name: 'PDE' } } : entry, kind);
      }
    })(),
  'a TLB that nothing flushes': () => {
    const known = new Map<number, readonly MmuEntry[]>();
    return new (class extends WalkingMmu {
      override create(...given: Parameters<WalkingMmu['create']>) {
        known.clear();
        return super.create(...given);
      }

      protected override walk(...given: Parameters<WalkingMmu['walk']>): readonly MmuEntry[] {
        const [level, , address] = given;
        const page = address >>> 12;
        if (level.below === undefined || known.has(page)) return known.get(page) ?? super.walk(...given);
        const path = super.walk(...given);
        if (path.length > 1 && this.maps(path[path.length - 1])) known.set(page, path);
        return path;
      }
    })();
  },
};

describe('a CPU with a bug is found', () => {
  const cases = Object.entries(BUGS).flatMap(([name, create]) =>
    (name === 'A set in the PAE root' ? (['pae'] as const) : PAGINGS).map((paging) => [name, paging, create] as const),
  );

  test.each(cases)('%s, %s', async (name, paging, create) => {
    const { divergence, programs } = await hunt(mmu(name, create), WALK, paging, 1000);
    expect(divergence?.invariant).toMatch(/^(accessed-dirty|coherence)$/);
    expect(programs).toBeLessThan(1000);
  });

  test('and so worded if the reference shows leaves alone: a store that it did not call for', async () => {
    const subject = mmu('A set in the PAE root', BUGS['A set in the PAE root']);
    const pair = new Pair({ subject, model: MODEL, invariants: INVARIANTS, profile: 'architecture' });
    const steps: readonly Step[] = [
      init(),
      store(0x1000, 0x2001),
      store(0x2000, 0x3067),
      store(0x3000, 0x4067),
      newPgtable(0x1000),
      access(0),
    ];
    const machine = machineOf({ paging: 'pae', guestPages: 64 });
    const divergence = await pair.run({ machine, steps }, { contractKept: true, twice: false });
    expect(divergence).toMatchObject({ difference: 'store not called for', expected: 'no such store' });
  });

  test('also by impl, where its leaves tell', async () => {
    const dirty = await hunt(mmu('no D', BUGS['no D on a write']), IMPL, '2-level', 400);
    expect(dirty.divergence).toMatchObject({ invariant: 'accessed-dirty', difference: 'D differ' });
    // lguest leaves the A of upper entries alone, so they are not compared.
    const upper = await hunt(mmu('no upper A', BUGS['no A in upper entries']), IMPL, '2-level', 400);
    expect(upper.divergence).toBeUndefined();
  });
});

// What does not belong to it.

const MACHINE = machineOf({ guestPages: 64 });
const INIT = init();
const RUN = newPgtable(0x1000);
const TABLES = [store(0x1000, 0x2000 + FULL), store(0x2000, 0x5000 + FULL)];

const program = (steps: readonly Step[], machine: Partial<Program['machine']> = {}): Program => ({
  machine: { ...MACHINE, ...machine },
  steps,
});

const announced = (low: number, high = 0): readonly Step[] => [store(0x2000, low, high), setPte(0x1000, 0, low, high)];

describe('a program is not of the profile architecture', () => {
  const sound = [INIT, ...TABLES, RUN, access(0), access(0xbfffffff)];

  test('unless it is sound', () => {
    expect(whyOutside(program(sound), 'architecture')).toBeUndefined();
    expect(whyOutside(program([...sound, ...announced(0x6000 + RIGHTS + G)]), 'architecture')).toBeUndefined();
  });

  test('for no announcement alone: its guest is racy', () => {
    const unannounced = program([...sound, store(0x2000, 0x6000 + FULL), access(0)]);
    expect(whyOutside(unannounced, 'architecture')).toBeUndefined();
    expect(keepsContract(unannounced, 'architecture')).toBe(false);
  });

  test.each([
    ['a step', [...sound, guestPa(0)], 'the profile architecture has no guest-pa'],
    ['no init', [...TABLES, RUN], 'step 2: a hypercall before init'],
    ['a second init', [INIT, INIT], 'step 1: a second init'],
    ['a kernel in the window', [{ ...INIT, kernelAddress: vaddr(0xffc00000) }], 'step 0: the kernel half begins in'],
    ['an access in the window', [...sound, access(0xffc00000)], 'step 6: the address lies in the window'],
    ['an access beyond RAM, in linear mode', [access(0x40000)], 'step 0: the address is beyond RAM'],
    ['an index', [INIT, setPgd(0x1000, 1024)], 'step 1: a root has no entry 1024'],
    ['set-pmd', [INIT, { op: 'set-pmd', pmd: paddr(0x1000), index: 0 }], 'step 1: 2-level paging has no middle table'],
    ['a leaf beyond RAM', [...sound, ...announced(64 * 4096 + FULL)], 'a leaf entry leads to page 64'],
    ['a large leaf', [...sound, ...announced(0x5000 + FULL + PSE)], 'a leaf entry has the flags 0x80'],
    [
      'an upper entry beyond RAM',
      [INIT, store(0x1004, 64 * 4096 + P), RUN, access(0)],
      'a root entry leads to page 64',
    ],
    [
      'a flag of an upper entry',
      [INIT, store(0x1004, 0x2000 + P + G), RUN, access(0)],
      'root entry has the flags 0x100',
    ],
    [
      'no announcement, and a table that is data',
      [...sound, store(0x2000, 0x2000 + FULL), access(0)],
      'was stored and not announced',
    ],
  ] as const)('for %s', (_name, steps, why) => {
    expect(whyOutside(program(steps), 'architecture')).toContain(why);
  });

  test.each([
    ['more RAM', program(sound, { guestPages: 129 }), 'more than 128 pages of RAM'],
    ['an allocation that fails', program(sound, { failAllocation: 1 }), 'no failing allocation'],
    [
      'rights in the PAE root',
      program([INIT, store(0x1000, 0x2000 + P + RW), RUN, access(0)], { paging: 'pae' }),
      'a root entry has the flags 0x2',
    ],
    [
      'reserved bits',
      program([INIT, store(0x1000, 0x2000 + P), store(0x2000, 0x3000 + FULL, 0x80000000), RUN, access(0)], {
        paging: 'pae',
      }),
      'a middle entry leads to page',
    ],
  ])('for %s', (_name, given, why) => expect(whyOutside(given, 'architecture')).toContain(why));

  test('and of the profile lguest whatever it is', () => {
    expect(whyOutside(program([INIT, INIT]), 'lguest')).toBeUndefined();
  });
});

test('a program outside the profile shows nothing, so none is shrunk to one', async () => {
  const subject = mmu('no D', BUGS['no D on a write']);
  const steps = [INIT, ...TABLES, RUN, ...announced(0x5000 + RIGHTS), { ...access(0), kind: 'write' } as Step];
  const judged = async (given: readonly Step[]): Promise<Divergence | undefined> =>
    await judgeOf({ subject, model: WALK, invariants: INVARIANTS, profile: 'architecture' }).judge({
      traffic: 'coherent',
      program: program(given),
    });
  expect((await judged(steps))?.difference).toBe('D differ');
  expect(await judged(steps.slice(1))).toBeUndefined();
});

test('machines that take its programs alone are not asked for others', async () => {
  const plain = program([INIT]);
  expect(await whyNotRun([plain], [WALK, IMPL], 'architecture')).toBeUndefined();
  expect(await whyNotRun([plain], [IMPL, WALK], 'lguest')).toBe(
    'walk takes programs of the profile architecture alone',
  );
});

test('the leaves that one side stored are compared, and not the upper entries that the other stored too', async () => {
  const upper: EntryChange[] = [];
  const noting = mmu('noting', () => {
    const machine = new WalkingMmu();
    return {
      walksAlways: true,
      create: (config) => machine.create(config),
      apply: (step) => {
        const observation = machine.apply(step);
        upper.push(...observation.stores.filter(({ paddr: at }) => at < 0x2000));
        return observation;
      },
      destroy: () => machine.destroy(),
    };
  });
  const steps = [INIT, store(0x1000, 0x2000 + RIGHTS), store(0x2000, 0x5000 + RIGHTS), RUN, access(0)];
  const pair = new Pair({ subject: IMPL, model: noting, invariants: INVARIANTS, profile: 'architecture' });
  expect(await pair.run(program(steps), { contractKept: true, twice: false })).toBeUndefined();
  expect(upper).toEqual([{ paddr: 0x1000, value: guestEntry(0x2000 + RIGHTS + A) }]);
});
