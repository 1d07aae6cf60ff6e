/** Racy guests (machine.md 6): their programs, CPUs that cache as they may, and CPUs that cache what they must not. */

import { describe, expect, test } from 'vitest';
import type { Machine, MachineConfig, Observation, Paging, Step } from '../model/vocabulary/index.js';
import { PAGE_BYTES, PAGINGS, ZERO_ENTRY, paddr, vaddr } from '../model/vocabulary/index.js';
import { machineOf } from '../test-support/steps.js';
import { WalkingMmu } from '../model/walking-mmu.js';
import { runUntilDivergence } from './campaign/programs.js';
import { isRacy, keepsContract } from './contract.js';
import { signatureOf } from './divergence.js';
import type { Case } from './generators/index.js';
import { programArbitrary } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { judgeOf } from './judging.js';
import { Pair } from './pair.js';
import { programSeed, randomFor } from './seeds.js';
import { shrink } from './shrink/shrink.js';
import { whyOutside } from './subjects/scope.js';
import { IMPL, WALK, mmu } from './subjects/subject-names.js';
import type { Subject } from './subjects/subject.js';

const options = (paging: Paging) =>
  ({ paging, traffic: 'racy', profile: 'architecture', guestPages: 128, mostSteps: 160 }) as const;

const casesOf = (paging: Paging, count: number): Case[] => {
  const arbitrary = programArbitrary(options(paging));
  return Array.from(
    { length: count },
    (_, index) => arbitrary.generate(randomFor(programSeed('racy', index)), undefined).value,
  );
};

const sides = (subject: Subject) =>
  ({ subject, model: WALK, invariants: INVARIANTS, profile: 'architecture' }) as const;

const hunt = async (subject: Subject, paging: Paging, most: number) => {
  const pair = new Pair(sides(subject));
  const found = await runUntilDivergence({ ...options(paging), campaign: 'racy' }, pair, (ran) => ran < most);
  return { ...found, tally: pair.tally };
};

interface Habits {
  readonly heedsInvlpg: boolean;
  readonly heedsLoad: boolean;
  readonly cachesAbsence: boolean;
}

const SOUND: Habits = { heedsInvlpg: true, heedsLoad: true, cachesAbsence: false };

/** A CPU with a TLB, which holds what the walk answered to each kind of access to a page. */
class CachingMmu implements Machine {
  private readonly habits: Habits;
  private readonly inner = new WalkingMmu();
  private readonly held = new Map<string, Observation>();
  private isLinear = true;

  constructor(habits: Habits) {
    this.habits = habits;
  }

  create(config: MachineConfig): Observation {
    this.held.clear();
    this.isLinear = true;
    return this.inner.create(config);
  }

  apply(step: Step): Observation {
    this.invalidate(step);
    const observation = this.inner.apply(step);
    if (step.op !== 'access' || this.isLinear) return observation;
    const page = Math.floor(step.vaddr / PAGE_BYTES);
    const key = `${page} ${step.kind} ${step.mode}`;
    const held = this.held.get(key);
    if (held?.outcome.kind === 'mapped') {
      const outcome = { ...held.outcome, paddr: paddr(held.outcome.paddr + (step.vaddr % PAGE_BYTES)) };
      return { ...held, outcome };
    }
    if (held !== undefined) return held;
    const { outcome } = observation;
    const isAbsent = outcome.kind === 'fault' && outcome.code % 2 === 0;
    if (isAbsent && !this.habits.cachesAbsence) return observation;
    const first =
      outcome.kind === 'mapped' ? { ...outcome, paddr: paddr(outcome.paddr - (step.vaddr % PAGE_BYTES)) } : outcome;
    this.held.set(key, { ...observation, outcome: first });
    return observation;
  }

  destroy(): Observation {
    return this.inner.destroy();
  }

  private invalidate(step: Step): void {
    if (step.op === 'new-pgtable') this.isLinear = false;
    if (step.op === 'set-pte' && this.habits.heedsInvlpg) {
      const page = Math.floor(step.vaddr / PAGE_BYTES);
      for (const key of this.held.keys()) if (key.startsWith(`${page} `)) this.held.delete(key);
    }
    const loads =
      step.op === 'new-pgtable' || step.op === 'flush-tlb' || step.op === 'set-pmd' || step.op === 'set-pgd';
    if (loads && this.habits.heedsLoad) this.held.clear();
  }
}

const caching = (habits: Partial<Habits>): Subject => mmu('caching', () => new CachingMmu({ ...SOUND, ...habits }));

describe.each(PAGINGS)('%s', (paging) => {
  test('programs are of the profile, and most keep no contract', () => {
    const cases = casesOf(paging, 300);
    for (const { traffic, program } of cases) {
      expect(traffic).toBe('racy');
      expect(program.steps.length).toBeLessThanOrEqual(160);
      expect(isRacy(program)).toBe(true);
      expect(whyOutside(program, 'architecture')).toBeUndefined();
    }
    expect(cases.filter(({ program }) => !keepsContract(program)).length).toBeGreaterThan(200);
  });

  test('programs stay in the profile without any of their stores, announcements and accesses', () => {
    for (const { program } of casesOf(paging, 10)) {
      for (const [index, { op }] of program.steps.entries())
        if (op !== 'init' && op !== 'new-pgtable')
          expect(isRacy({ ...program, steps: program.steps.toSpliced(index, 1) })).toBe(true);
    }
  });

  test.each([
    ['nothing', WALK],
    ['what it may', caching({})],
  ])('a CPU that caches %s passes', async (_, subject) => {
    const { programs, divergence, tally } = await hunt(subject, paging, 400);
    expect([programs, divergence]).toEqual([400, undefined]);
    const exercised = INVARIANTS.filter((__, index) => tally.exercised[index] > 0).map(({ id }) => id);
    expect(exercised).toEqual(['host-intact', 'progress', 'coherence']);
  });

  test.each([
    ['that ignores INVLPG', caching({ heedsInvlpg: false })],
    ['that ignores a load of CR3', caching({ heedsLoad: false })],
    ['that caches what is not present', caching({ cachesAbsence: true })],
    ['with the slots of lguest, which a switch does not flush', IMPL],
  ])('a CPU %s is found', async (_, subject) => {
    const { divergence, programs } = await hunt(subject, paging, 1000);
    expect(programs).toBeLessThan(1000);
    expect(divergence?.invariant).toBe('coherence');
    expect(divergence?.difference).toContain('as no entry that can be cached has it');
  });

  test('a finding is made small, and stays racy', async () => {
    const subject = caching({ heedsLoad: false });
    const pair = new Pair(sides(subject));
    for (const value of casesOf(paging, 200)) {
      const divergence = await pair.run(value.program, { contractKept: false, twice: false });
      if (divergence === undefined) continue;
      const judging = judgeOf(sides(subject), divergence);
      const judge = (candidate: Case) => judging.judge(candidate);
      const outcome = await shrink({ value }, signatureOf(divergence), judge, { mostTries: 3000 });
      if (outcome.kind !== 'shrunk') expect.fail(outcome.kind);
      expect(outcome.case.traffic).toBe('racy');
      expect(isRacy(outcome.case.program)).toBe(true);
      expect(outcome.case.program.steps.length).toBeLessThanOrEqual(12);
      return;
    }
    expect.fail('nothing was found');
  });
});

test('a page that was a table is not data, and no feature is asked for', () => {
  const machine = machineOf({ guestPages: 8 });
  const entry = (page: number) => ({ low: page * PAGE_BYTES + 7, high: 0 }) as typeof ZERO_ENTRY;
  const steps: Step[] = [
    { op: 'init', kernelAddress: vaddr(0xc0000000) },
    { op: 'store', paddr: paddr(0x1000), value: entry(2) },
    { op: 'store', paddr: paddr(0x2000), value: entry(3) },
    { op: 'new-pgtable', root: paddr(0x1000), draw: 0 },
  ];
  const more: Step[] = [{ op: 'store', paddr: paddr(0x1004), value: entry(3) }];
  expect(isRacy({ machine, steps })).toBe(true);
  expect(isRacy({ machine, steps: [...steps, ...more] })).toBe(false);
  expect(isRacy({ machine: { ...machine, features: ['write-protect-off'] }, steps })).toBe(false);
  expect(isRacy({ machine, steps: steps.slice(1) })).toBe(false);
});
