/** What CPUs have beyond plain paging (machine.md 6): programs that use it, bugs in it, and sides that lack it. */

import { describe, expect, test } from 'vitest';
import type { Feature, Machine, Paging, Program } from '../model/vocabulary/index.js';
import { FEATURES, PAGINGS, vaddr } from '../model/vocabulary/index.js';
import { WalkingMmu } from '../model/walking-mmu.js';
import { runUntilDivergence } from './campaign/programs.js';
import { programArbitrary } from './generators/index.js';
import { GuestRecord } from './guest-record.js';
import { INVARIANTS } from './invariants/invariants.js';
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
    for (const program of programsOf(paging, 300)) {
      expect(whyOutside(program, 'architecture')).toBeUndefined();
      for (const feature of program.machine.features ?? []) reached.add(feature);
    }
    expect([...reached].sort()).toEqual([...FEATURES].sort());
  });

  test('the harness walks their tables as the reference does', () => {
    for (const { machine, steps } of programsOf(paging, 200)) {
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

/** CPUs with a bug in a feature, and the paging modes that show it. */
const BUGS: Readonly<Partial<Record<string, readonly [Feature, readonly Paging[], () => Machine]>>> = {
  'CR0.WP is never off': [
    'write-protect-off',
    PAGINGS,
    () =>
      new (class extends WalkingMmu {
        protected override get writeProtects(): boolean {
          return true;
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
  machine: {
    paging: 'pae',
    guestPages: 8,
    devicePages: 0,
    hostCpus: 1,
    draw: 0,
    failAllocation: 0,
    features: ['write-protect-off'],
  },
  steps: [{ op: 'init', kernelAddress: vaddr(0xc0000000) }],
};

test('a side without a feature is not given programs with it', async () => {
  expect(await whyNotRun([program], [WALK, WALK], 'architecture')).toBeUndefined();
  expect(await whyNotRun([program], [IMPL, WALK], 'architecture')).toBe('impl does not support write-protect-off');
  expect(whyOutside(program, 'lguest')).toBe('the profile lguest has no write-protect-off');
});
