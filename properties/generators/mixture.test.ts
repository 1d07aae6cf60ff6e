import { expect, test } from 'vitest';
import type { Op, Step } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { programSeed, randomFor } from '../seeds.js';
import type { Mixture, Traffic } from './index.js';
import { isProgram, programArbitrary } from './index.js';

const PROGRAMS = 200;

const stepsOf = (mixture: Mixture, traffic: Traffic): readonly Step[] => {
  const arbitrary = programArbitrary({ mixture, traffic });
  return Array.from({ length: PROGRAMS }, (_, index) => {
    const { program } = arbitrary.generate(randomFor(programSeed('mixture', index)), undefined).value;
    expect(isProgram(program)).toBe(true);
    return program.steps;
  }).flat();
};

/** Of the steps behind the building of tables. */
const shares = (steps: readonly Step[]): ReadonlyMap<Op, number> => {
  const drawn = steps.filter(({ op }) => op !== 'store' && op !== 'init' && op !== 'new-pgtable');
  return new Map(OPS.map((op) => [op, drawn.filter((step) => step.op === op).length / drawn.length]));
};

test('the swarm is what is drawn if nothing else is asked for', () => {
  const drawn = programArbitrary({ mixture: 'swarm' }).generate(randomFor(1), undefined).value;
  expect(programArbitrary().generate(randomFor(1), undefined).value).toEqual(drawn);
});

test('uniform guests access memory about as often as they do anything else', () => {
  const uniform = shares(stepsOf('uniform', 'hostile'));
  const weighted = shares(stepsOf('weighted', 'hostile'));
  expect(weighted.get('access')).toBeGreaterThan(0.3);
  expect(uniform.get('access')).toBeLessThan(0.2);
  for (const op of ['set-pte', 'set-pgd', 'protect', 'migrate'] as const) expect(uniform.get(op)).toBeGreaterThan(0.03);
});

test.each(['weighted', 'uniform'] as const)('%s guests that keep the contract do all that they may', (mixture) => {
  const ops = new Set(stepsOf(mixture, 'coherent').map(({ op }) => op));
  expect([...ops].toSorted()).toEqual([...OPS].filter((op) => op !== 'protect').toSorted());
});
