import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Op, Paging, Program } from '../../model/vocabulary/index.js';
import { OPS, PAGINGS } from '../../model/vocabulary/index.js';
import { breachOf } from '../contract.js';
import { programSeed, randomFor } from '../seeds.js';
import type { Case, Traffic } from './case.js';
import { LGUEST_TRAFFICS } from './case.js';
import { DEFAULT_PROGRAM_OPTIONS, missingSteps, programArbitrary } from './program-arbitrary.js';
import { uniformProgram } from './any-step.js';
import { isProgram } from './valid-program.js';

const KINDS = LGUEST_TRAFFICS.flatMap((traffic) => PAGINGS.map((paging) => [traffic, paging] as const));

const generate = (arbitrary: fc.Arbitrary<Case>, index: number): fc.Value<Case> =>
  arbitrary.generate(randomFor(programSeed('program-arbitrary', index)), undefined);

const casesOf = (traffic: Traffic, paging: Paging, count: number): Case[] => {
  const arbitrary = programArbitrary({ traffic, paging });
  return Array.from({ length: count }, (_, index) => generate(arbitrary, index).value);
};

/** A case as a corpus would give it back: equal, and made of other objects. */
const stored = (value: Case): Case => JSON.parse(JSON.stringify(value)) as Case;

const opsOf = ({ steps }: Program): ReadonlySet<Op> => new Set(steps.map(({ op }) => op));

describe.each(KINDS)('%s programs, %s', (traffic, paging) => {
  test('the same seed gives the same program, byte for byte, whatever was generated before', () => {
    const one = programArbitrary({ traffic, paging });
    const other = programArbitrary({ traffic, paging });
    for (const index of [9, 3, 7]) generate(other, index);
    for (let index = 0; index < 50; index++) {
      expect(JSON.stringify(generate(one, index).value)).toBe(JSON.stringify(generate(other, index).value));
    }
  });

  test('programs are valid, of the kind asked for, and no longer than asked for', () => {
    for (const value of casesOf(traffic, paging, 300)) {
      expect(value.traffic).toBe(traffic);
      expect(value.program.machine.paging).toBe(paging);
      expect(value.program.steps.length).toBeLessThanOrEqual(DEFAULT_PROGRAM_OPTIONS.mostSteps);
      expect(isProgram(value.program)).toBe(true);
    }
  });

  test('swarm: each kind of step, stores and accesses apart, is missing in some programs', () => {
    const programs = casesOf(traffic, paging, 300).map(({ program }) => opsOf(program));
    const usual: ReadonlySet<Op> = new Set<Op>(['store', 'access', 'init', 'new-pgtable']);
    for (const op of OPS.filter((op) => !usual.has(op))) {
      expect.soft(programs.filter((ops) => ops.has(op)).length, op).toBeLessThan(290);
    }
  });

  test('generated cases and stored ones shrink, to valid cases of the same kind', () => {
    const arbitrary = programArbitrary({ traffic, paging });
    for (let index = 0; index < 5; index++) {
      const generated = generate(arbitrary, index);
      const fromFile = stored(generated.value);
      expect(arbitrary.canShrinkWithoutContext(fromFile)).toBe(true);
      const candidates = [
        ...arbitrary.shrink(generated.value, generated.context).take(60),
        ...arbitrary.shrink(fromFile, undefined).take(60),
      ];
      expect(candidates.length).toBeGreaterThan(20);
      for (const { value } of candidates) {
        expect(value.traffic).toBe(traffic);
        expect(isProgram(value.program)).toBe(true);
      }
    }
  });

  test('shrinking comes down to what a failure needs', () => {
    const arbitrary = programArbitrary({ traffic, paging });
    const fails = ({ program }: Case): boolean => program.steps.filter(({ op }) => op === 'flush-tlb').length >= 2;
    const details = fc.check(
      fc.property(arbitrary, (value) => !fails(value)),
      { seed: 7, numRuns: 200 },
    );
    // Before `init` a flush is enough to kill, and then there is nothing more to do for the contract.
    expect(details.counterexample?.[0].program.steps.map(({ op }) => op)).toEqual(['flush-tlb', 'flush-tlb']);
  });
});

describe('coherent programs', () => {
  test.each(PAGINGS)('keep the contract, %s', (paging) => {
    for (const [index, { program }] of casesOf('coherent', paging, 1500).entries()) {
      expect(breachOf(program), `program ${index}`).toBeUndefined();
    }
  });

  test('keep it where the longest length cuts them off', () => {
    const arbitrary = programArbitrary({ traffic: 'coherent', mostSteps: 48 });
    for (let index = 0; index < 40_000; index++) {
      expect(breachOf(generate(arbitrary, index).value.program), `program ${index}`).toBeUndefined();
    }
  });

  test.each(PAGINGS)('keep it however they shrink, %s', (paging) => {
    const arbitrary = programArbitrary({ traffic: 'coherent', paging });
    for (let index = 0; index < 20; index++) {
      let current = generate(arbitrary, index);
      // Down some path, as if every seventh candidate failed.
      for (let depth = 0; depth < 4; depth++) {
        const candidates = [...arbitrary.shrink(current.value, current.context).take(14)];
        for (const { value } of candidates) expect(breachOf(value.program)).toBeUndefined();
        current = candidates[6] ?? current;
      }
    }
  });

  test('a stored program that breaks the contract is no coherent case', () => {
    const arbitrary = programArbitrary({ traffic: 'coherent' });
    const silent = casesOf('coherent', '2-level', 20).map(({ program: { machine, steps } }): Program => {
      return { machine, steps: steps.filter(({ op }) => op !== 'set-pte') };
    });
    const broken = silent.filter((program) => breachOf(program) !== undefined);
    expect(broken.length).toBeGreaterThan(5);
    for (const program of broken)
      expect(arbitrary.canShrinkWithoutContext({ traffic: 'coherent', program })).toBe(false);
  });
});

describe('options', () => {
  test('mixed traffic on both machines gives all four kinds, about as often', () => {
    const arbitrary = programArbitrary();
    const counts = new Map<string, number>();
    for (let index = 0; index < 1000; index++) {
      const { traffic, program } = generate(arbitrary, index).value;
      const kind = `${traffic} ${program.machine.paging}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    expect(counts.size).toBe(4);
    for (const count of counts.values()) expect(count / 250).toBeCloseTo(1, 0);
  });

  test('a longest length is kept', () => {
    const arbitrary = programArbitrary({ mostSteps: 60 });
    for (let index = 0; index < 300; index++) {
      expect(generate(arbitrary, index).value.program.steps.length).toBeLessThanOrEqual(60);
    }
  });

  test('what is no case is turned down', () => {
    const arbitrary = programArbitrary();
    for (const value of [undefined, null, 1, {}, { traffic: 'hostile' }, { traffic: 'rude', program: {} }]) {
      expect(arbitrary.canShrinkWithoutContext(value)).toBe(false);
    }
  });
});

test('the plain baseline gives valid programs', () => {
  fc.assert(
    fc.property(uniformProgram, (program) => isProgram(program)),
    { seed: 1, numRuns: 100 },
  );
});

describe('programs without some kinds of steps', () => {
  const limitedTo = (steps: readonly Op[], traffic: Traffic | 'mixed', paging: Paging | 'both' = 'both'): Case[] => {
    const arbitrary = programArbitrary({ traffic, paging, steps });
    return Array.from({ length: 200 }, (_, index) => generate(arbitrary, index).value);
  };

  test.each<readonly Op[]>([
    ['access'],
    ['init', 'access', 'guest-pa'],
    ['store', 'init', 'new-pgtable', 'access'],
    OPS.filter((op) => op !== 'flush-tlb'),
  ])('are valid, say truly which contract they keep, and are hardly ever empty: %s', (...steps) => {
    const cases = limitedTo(steps, 'mixed');
    expect(cases.filter(({ program }) => program.steps.length > 0).length).toBeGreaterThan(180);
    for (const { traffic, program } of cases) {
      expect(isProgram(program)).toBe(true);
      for (const op of opsOf(program)) expect(steps).toContain(op);
      if (traffic === 'coherent') expect(breachOf(program)).toBeUndefined();
    }
  });

  test.each(PAGINGS)('are coherent if asked for, with no more than the kinds that they need, %s', (paging) => {
    const needed = missingSteps({ paging, traffic: 'coherent', steps: [] });
    for (const { traffic, program } of limitedTo(needed, 'coherent', paging)) {
      expect(traffic).toBe('coherent');
      expect(breachOf(program)).toBeUndefined();
    }
    for (const op of needed) {
      const steps = needed.filter((other) => other !== op);
      expect(() => programArbitrary({ paging, traffic: 'coherent', steps })).toThrow(`such programs need ${op}`);
    }
  });

  test('live for a while, even if they can have no tables', () => {
    const programs = limitedTo(['init', 'access'], 'mixed').map(({ program }) => program);
    const inRam = programs.flatMap(({ machine, steps }) =>
      steps.map((step) => step.op === 'access' && step.vaddr < machine.guestPages * 4096),
    );
    expect(inRam.filter(Boolean).length).toBeGreaterThan(inRam.length / 2);
  });

  test('are those with all kinds, as far as these have them', () => {
    const all = limitedTo(OPS, 'hostile');
    const some: readonly Op[] = OPS.filter((op) => op !== 'migrate' && op !== 'protect');
    for (const [index, { program }] of limitedTo(some, 'hostile').entries())
      expect(program.steps).toEqual(all[index].program.steps.filter(({ op }) => some.includes(op)));
  });

  test('keep losing steps when they are shrunk, and get none of another kind', () => {
    const steps = missingSteps({ paging: 'both', traffic: 'coherent', steps: [] });
    const arbitrary = programArbitrary({ traffic: 'coherent', steps });
    for (let index = 0; index < 5; index++) {
      const { value, context } = generate(arbitrary, index);
      const smaller = [...arbitrary.shrink(value, context).take(50)];
      expect(smaller.length).toBeGreaterThan(0);
      for (const { value: each } of smaller) for (const op of opsOf(each.program)) expect(steps).toContain(op);
    }
  });
});
