/** What CPUs have beyond plain paging (machine.md 6): programs that use it, bugs in it, and sides that lack it. */

import { describe, expect, test } from 'vitest';
import type { AccessKind, Feature, Machine, Observation, Paging, Program, Step } from '../model/vocabulary/index.js';
import { FEATURES, PAGINGS, guestEntry, hasFeature, paddr, vaddr } from '../model/vocabulary/index.js';
import { access, init, machineOf, newPgtable, setPte, store } from '../test-support/steps.js';
import type { MmuEntry } from '../model/walking-mmu.js';
import { WalkingMmu } from '../model/walking-mmu.js';
import { runUntilDivergence } from './campaign/programs.js';
import { breachOf } from './contract.js';
import { A, D, G, P, US, XD } from './entry-bits.js';
import { drawLayout } from './generators/coherent-layout.js';
import { lowerCoherent } from './generators/coherent.js';
import { Draw } from './generators/draw.js';
import { programArbitrary } from './generators/index.js';
import { GuestRecord } from './guest-record.js';
import { INVARIANTS } from './invariants/invariants.js';
import { valuesAt, whyUnreachable } from './invariants/situations/grid.js';
import { Pair } from './pair.js';
import { programSeed, randomFor } from './seeds.js';
import { whyNotRun, whyOutside } from './subjects/scope.js';
import { IMPL, WALK, mmu } from './subjects/subject-names.js';
import { uncachedAccess } from './uncached-walk.js';

const options = (paging: Paging, features: readonly Feature[] = FEATURES) =>
  ({ paging, traffic: 'coherent', profile: 'architecture', guestPages: 128, mostSteps: 160, features }) as const;

const programsOf = (paging: Paging, count: number): Program[] => {
  const arbitrary = programArbitrary(options(paging));
  return Array.from(
    { length: count },
    (_, index) => arbitrary.generate(randomFor(programSeed('features', index)), undefined).value.program,
  );
};

describe.each(PAGINGS)('programs with features, %s', (paging) => {
  test('belong to the profile, and reach every feature of the paging mode', () => {
    const reached = new Set<Feature>();
    for (const program of programsOf(paging, 150)) {
      expect(whyOutside(program, 'architecture')).toBeUndefined();
      for (const feature of program.machine.features ?? []) reached.add(feature);
    }
    const possible = FEATURES.filter((each) => paging === 'pae' || each !== 'no-execute');
    expect([...reached].sort()).toEqual([...possible].sort());
  });

  test('global pages are announced wherever a leaf table that the kernel half exchanges had them', () => {
    const kinds = ['kernel-table', 'kernel-large-page', 'access'] as const;
    for (let index = 0; index < 400; index++) {
      const draw = new Draw(randomFor(programSeed('exchanges', index)));
      const layout = drawLayout(draw, paging, options(paging));
      if (!hasFeature(layout.machine, 'large-pages')) continue;
      const macros = Array.from({ length: 20 }, () => ({
        kind: draw.pick(kinds),
        target: draw.word(),
        choice: draw.word(),
      }));
      expect(breachOf(lowerCoherent({ layout, macros }), 'architecture'), `program ${index}`).toBeUndefined();
    }
  });

  test('the harness walks their tables as the reference does', () => {
    for (const { machine, steps } of programsOf(paging, 80)) {
      const [cpu, guest] = [new WalkingMmu(), new GuestRecord()];
      cpu.create(machine);
      guest.begin(machine);
      for (const step of steps) {
        guest.follow(step);
        const found = step.op === 'access' && uncachedAccess(guest, step.vaddr, step.kind, step.mode);
        const observation = cpu.apply(step);
        guest.absorb(observation);
        if (found !== false) expect(found).toEqual(observation.outcome);
      }
    }
  });
});

/** A CPU with a TLB, as the manual allows it (4.10.2): what it drops can be changed by subclasses, to plant bugs. */
class CachingMmu extends WalkingMmu {
  /** By the first address of the page. */
  private readonly tlb = new Map<number, { readonly path: readonly MmuEntry[]; readonly bytes: number }>();

  override create(...given: Parameters<WalkingMmu['create']>): Observation {
    this.tlb.clear();
    return super.create(...given);
  }

  override apply(step: Step): Observation {
    const observation = super.apply(step);
    if (step.op === 'set-pte') this.dropPage(step.vaddr);
    else if (['new-pgtable', 'flush-tlb', 'set-pgd', 'set-pmd'].includes(step.op)) this.dropAll();
    return observation;
  }

  protected dropPage(vaddr: number): void {
    this.drop((first, { bytes }) => vaddr >= first && vaddr - first < bytes);
  }

  protected dropAll(): void {
    this.drop((_, { path }) => !this.isGlobal(path));
  }

  protected isGlobal(path: readonly MmuEntry[]): boolean {
    return this.has('global-pages') && (path[path.length - 1].value.low & G) !== 0;
  }

  protected drop(isDropped: (first: number, page: { path: readonly MmuEntry[]; bytes: number }) => boolean): void {
    for (const [first, page] of this.tlb) if (isDropped(first, page)) this.tlb.delete(first);
  }

  /** A TLB entry of a page of 4 KB may be a fragment of a large one. */
  protected entryBytes({ level }: MmuEntry): number {
    return 2 ** level.lowestBit;
  }

  protected override walk(...given: Parameters<WalkingMmu['walk']>): readonly MmuEntry[] {
    const [level, , address] = given;
    if (level.name !== ROOT_NAMES[this.machine.paging]) return super.walk(...given);
    for (const [first, { path, bytes }] of this.tlb) if (address >= first && address - first < bytes) return path;
    const path = super.walk(...given).map((entry) => ({ ...entry }));
    const last = path[path.length - 1];
    if ((last.value.low & P) === 0 || !this.maps(last) || this.hasReserved(last)) return path;
    const bytes = this.entryBytes(last);
    this.tlb.set(address - (address % bytes), { path, bytes });
    return path;
  }

  protected override mark(entry: MmuEntry, kind: AccessKind): void {
    super.mark(entry, kind);
    if (entry.level.name === 'PDPTE') return;
    const { low, high } = entry.value;
    const dirty = kind === 'write' && this.maps(entry) ? D : 0;
    Object.assign(entry, { value: guestEntry(low | A | dirty, high) });
  }
}

const ROOT_NAMES = { '2-level': 'PDE', pae: 'PDPTE' } as const;

test.each(PAGINGS)('a TLB that drops what it must agrees with none, %s', async (paging) => {
  const subject = mmu('TLB', () => new CachingMmu());
  const pair = new Pair({ subject, model: WALK, invariants: INVARIANTS, profile: 'architecture' });
  const campaign = { ...options(paging), campaign: 'features' };
  const found = await runUntilDivergence(campaign, pair, (ran) => ran < 150);
  expect(found).toEqual({ programs: 150, divergence: undefined });
});

test('every situation of CPUs with features is met', async () => {
  const pair = new Pair({ subject: WALK, model: WALK, invariants: INVARIANTS, profile: 'architecture' });
  for (const paging of PAGINGS)
    for (const program of programsOf(paging, 80)) await pair.run(program, { contractKept: true, twice: false });
  const grids = pair.tally.situations.flat().filter(({ grid }) => grid.name === 'an access, on a CPU with features');
  const missed = grids.flatMap(({ grid, counts }) =>
    [...counts.keys()]
      .filter((index) => counts[index] > 0 === (whyUnreachable(grid, index) !== undefined))
      .map((index) => valuesAt(grid, index).join(' × ')),
  );
  expect([grids.length, missed]).toEqual([1, []]);
});

/** CPUs with a bug in a feature, and the paging modes that show it. */
const BUGS: Readonly<Partial<Record<string, readonly [Feature, readonly Paging[], () => Machine]>>> = {
  'CR0.WP is never off': [
    'write-protect-off',
    PAGINGS,
    () =>
      new (class extends WalkingMmu {
        protected override has(feature: Feature): boolean {
          return feature !== 'write-protect-off' && super.has(feature);
        }
      })(),
  ],
  'reserved bits are not looked at': [
    'reserved-bits',
    ['pae'],
    () =>
      new (class extends WalkingMmu {
        protected override hasReserved(): boolean {
          return false;
        }
      })(),
  ],
  'PS is not looked at': [
    'large-pages',
    PAGINGS,
    () =>
      new (class extends WalkingMmu {
        protected override maps(entry: MmuEntry): boolean {
          return entry.level.name === 'PTE';
        }
      })(),
  ],
  'INVLPG drops a fragment of a large page': [
    'large-pages',
    PAGINGS,
    () =>
      new (class extends CachingMmu {
        protected override entryBytes(): number {
          return 4096;
        }
      })(),
  ],
  'INVLPG spares global pages': [
    'global-pages',
    PAGINGS,
    () =>
      new (class extends CachingMmu {
        protected override dropPage(vaddr: number): void {
          this.drop((first, { path, bytes }) => vaddr >= first && vaddr - first < bytes && !this.isGlobal(path));
        }
      })(),
  ],
  'user pages are global': [
    'global-pages',
    PAGINGS,
    () =>
      new (class extends CachingMmu {
        protected override isGlobal(path: readonly MmuEntry[]): boolean {
          return super.isGlobal(path) || (path[path.length - 1].value.low & US) !== 0;
        }
      })(),
  ],
  'XD of a PDE is not looked at': [
    'no-execute',
    ['pae'],
    () =>
      new (class extends WalkingMmu {
        protected override allowFetch(path: readonly MmuEntry[]): boolean {
          return super.allowFetch(path.slice(-1));
        }
      })(),
  ],
};

describe('a CPU with a bug in a feature is found', () => {
  const cases = Object.entries(BUGS).flatMap(([name, bug]) =>
    bug![1].map((paging) => [name, paging, bug![0], bug![2]] as const),
  );

  test.each(cases)('%s, %s', async (name, paging, feature, create) => {
    const pair = new Pair({ subject: mmu(name, create), model: WALK, invariants: INVARIANTS, profile: 'architecture' });
    const campaign = { ...options(paging, [feature]), campaign: 'features' };
    const { programs, divergence } = await runUntilDivergence(campaign, pair, (ran) => ran < 500);
    expect(divergence?.invariant).toMatch(/^(accessed-dirty|coherence)$/);
    expect(programs).toBeLessThan(500);
  });
});

test('without features programs are what they were', () => {
  const seed = randomFor(programSeed('features', 7));
  const given = programArbitrary(options('pae', [])).generate(seed, undefined).value;
  const { features: _, ...plain } = options('pae');
  const before = programArbitrary(plain).generate(randomFor(programSeed('features', 7)), undefined).value;
  expect(given).toEqual(before);
  expect(given.program.machine).not.toHaveProperty('features');
});

const program: Program = {
  machine: machineOf({ paging: 'pae', guestPages: 8, features: ['write-protect-off'] }),
  steps: [{ op: 'init', kernelAddress: vaddr(0xc0000000) }],
};

test.each([0, XD])('a leaf that maps a table breaks the contract, with a high half of %i', (high) => {
  const steps = [
    init(),
    store(0x1000, 0x2001),
    store(0x2000, 0x3067),
    store(0x3000, 0x5067),
    newPgtable(0x1000),
    store(0x3008, 0x3067, high),
    setPte(0x1000, 0x1000, 0x3067, high),
    access(0),
  ];
  const machine = machineOf({ paging: 'pae', guestPages: 64, features: ['no-execute'] });
  expect(breachOf({ machine, steps }, 'architecture')).toMatchObject({ step: 7, rule: 3 });
});

test('with global pages a kernel entry of a 2-level root has A and D, for it may never be walked', () => {
  const of = (low: number): Program => ({
    machine: { ...program.machine, paging: '2-level', features: ['large-pages', 'global-pages'] },
    steps: [
      ...program.steps,
      { op: 'store', paddr: paddr(0x1c00), value: guestEntry(low) },
      { op: 'new-pgtable', root: paddr(0x1000), draw: 0 },
      { op: 'access', vaddr: vaddr(0xc0000000), kind: 'read', mode: 'kernel' },
    ],
  });
  expect(whyOutside(of(0x1e1), 'architecture')).toBeUndefined();
  expect(whyOutside(of(0x181), 'architecture')).toContain('a kernel entry of a root lacks A or D');
});

test('a side without a feature is not given programs with it', async () => {
  expect(await whyNotRun([program], [WALK, WALK], 'architecture')).toBeUndefined();
  expect(await whyNotRun([program], [IMPL, WALK], 'architecture')).toBe('impl does not support write-protect-off');
  expect(whyOutside(program, 'lguest')).toBe('the profile lguest has no write-protect-off');
});
