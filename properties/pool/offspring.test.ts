/** Programs made from a pool are valid, are what they say they are, and follow from the options alone. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OPS } from '../../model/vocabulary/index.js';
import { formatProgram, parseProgram } from '../formats/index.js';
import type { ProgramOptions } from '../generators/index.js';
import { DEFAULT_PROGRAM_OPTIONS, isProgram, programArbitrary } from '../generators/index.js';
import { keepsContract } from '../contract.js';
import { programsOf } from '../campaign/programs.js';
import { repaired } from './mutation.js';
import { poolOf } from './program-pool.js';

const own = programsOf({ campaign: 'parents', ...DEFAULT_PROGRAM_OPTIONS });
const POOL = poolOf(Array.from({ length: 24 }, (_, index) => own(index).value.program));
const COUNT = 200;

const casesOf = (options: Partial<ProgramOptions>, share: number, campaign = 'children') => {
  const guided = programsOf({ campaign, ...DEFAULT_PROGRAM_OPTIONS, ...options, guidance: { pool: POOL, share } });
  return Array.from({ length: COUNT }, (_, index) => guided(index).value);
};

describe('programs from a pool', () => {
  test.each<Partial<ProgramOptions>>([
    {},
    { paging: 'pae', mostSteps: 60 },
    { paging: '2-level', traffic: 'hostile' },
    { traffic: 'coherent' },
    { steps: OPS.filter((op) => op !== 'protect' && op !== 'set-pmd') },
  ])('are valid, within the options, and never called coherent if they are not: %j', (options) => {
    const { paging, traffic, mostSteps, steps } = { ...DEFAULT_PROGRAM_OPTIONS, ...options };
    for (const found of casesOf(options, 1)) {
      expect(isProgram(found.program)).toBe(true);
      expect(formatProgram(parseProgram(formatProgram(found.program), 'test'))).toBe(formatProgram(found.program));
      expect(found.program.steps.length).toBeLessThanOrEqual(mostSteps);
      if (paging !== 'both') expect(found.program.machine.paging).toBe(paging);
      if (traffic !== 'mixed') expect(found.traffic).toBe(traffic);
      if (steps !== undefined) for (const { op } of found.program.steps) expect(steps).toContain(op);
      if (found.traffic === 'coherent') expect(keepsContract(found.program)).toBe(true);
    }
  });

  test('are of both kinds, and hardly any is its parent', () => {
    const cases = casesOf({}, 1);
    const parents = new Set(POOL.members.map(formatProgram));
    const coherent = cases.filter(({ traffic }) => traffic === 'coherent').length;
    expect(coherent).toBeGreaterThan(COUNT / 10);
    expect(coherent).toBeLessThan((COUNT * 9) / 10);
    expect(cases.filter(({ program }) => parents.has(formatProgram(program))).length).toBeLessThan(COUNT / 10);
  });

  test('are the same again, in any order, whatever the order of the pool', () => {
    const options = { ...DEFAULT_PROGRAM_OPTIONS, guidance: { pool: poolOf(POOL.members.toReversed()), share: 0.5 } };
    const again = programsOf({ campaign: 'children', ...options });
    const backwards = Array.from({ length: COUNT }, (_, index) => again(COUNT - 1 - index).value).toReversed();
    expect(backwards).toEqual(casesOf({}, 0.5));
  });

  test('are about the share that is asked for; the others are what they were', () => {
    const plain = programsOf({ campaign: 'children', ...DEFAULT_PROGRAM_OPTIONS });
    const equal = (share: number): number =>
      casesOf({}, share).filter(
        (found, index) => formatProgram(found.program) === formatProgram(plain(index).value.program),
      ).length / COUNT;
    expect(equal(0)).toBe(1);
    expect(equal(1)).toBeLessThan(0.05);
    expect(Math.abs(equal(0.25) - 0.75)).toBeLessThan(0.1);
  });

  test('have a favoured parent in every other case', () => {
    const marked = POOL.members.findIndex(({ machine }) => machine.paging === 'pae');
    const favoured = Array.from(POOL.members.keys()).filter((index) => index === marked);
    const inPae = (some: readonly number[]): number => {
      const guidance = { pool: POOL, share: 1, favoured: some };
      const guided = programsOf({ campaign: 'children', ...DEFAULT_PROGRAM_OPTIONS, traffic: 'hostile', guidance });
      return Array.from({ length: COUNT }, (_, index) => guided(index).value.program.machine.paging).filter(
        (paging) => paging === 'pae',
      ).length;
    };
    expect(inPae(favoured) - inPae([]) / 2).toBeGreaterThan(COUNT / 3);
  });

  test('without a parent are those of the campaign, with all that is known of them', () => {
    const plain = programsOf({ campaign: 'children', ...DEFAULT_PROGRAM_OPTIONS });
    const guided = programsOf({
      campaign: 'children',
      ...DEFAULT_PROGRAM_OPTIONS,
      guidance: { pool: poolOf([]), share: 1 },
    });
    for (let index = 0; index < 50; index++) expect(guided(index)).toEqual(plain(index));
  });
});

describe('a program that is repaired', () => {
  const anyProgram = programArbitrary().map(({ program }) => program);

  test('to any machine is valid there', () => {
    fc.assert(
      fc.property(anyProgram, anyProgram, ({ machine }, { steps }) => isProgram(repaired({ machine, steps }))),
      { seed: 1 },
    );
  });

  test('to its own stays as it was', () => {
    fc.assert(
      fc.property(anyProgram, (program) => {
        expect(repaired(program)).toEqual(program);
      }),
      { seed: 2 },
    );
  });
});

describe('a pool', () => {
  test('has each program once, and an identity of its own', () => {
    const twice = poolOf([...POOL.members, ...POOL.members.toReversed()]);
    expect(twice).toEqual(POOL);
    expect(poolOf(POOL.members.slice(1)).identity).not.toBe(POOL.identity);
  });
});
