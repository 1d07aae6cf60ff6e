/** A green run that looked at nothing proves nothing: default traffic must exercise every invariant. */

import { describe, expect, test } from 'vitest';
import { OPS } from '../model/vocabulary/index.js';
import { programArbitrary } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import { programSeed, randomFor } from './seeds.js';
import { IMPL, MODEL } from './subjects/subject-names.js';
import type { Tally } from './tally.js';

const PROGRAMS = 3000;
/** One program in this many is run twice. */
const TWICE_EVERY = 16;

const greenRun = async (): Promise<Tally> => {
  const pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS });
  const programs = programArbitrary();
  for (let index = 0; index < PROGRAMS; index++) {
    const { traffic, program } = programs.generate(randomFor(programSeed('exercised', index)), undefined).value;
    const twice = index % TWICE_EVERY === 0;
    expect(await pair.run(program, { contractKept: traffic === 'coherent', twice })).toBeUndefined();
  }
  return pair.tally;
};

describe('a green run of default traffic', async () => {
  const tally = await greenRun();

  test.each(INVARIANTS.map(({ id }, index) => [id, index] as const))('exercises %s', (_, index) => {
    expect(tally.exercised[index]).toBeGreaterThan(0);
    expect(tally.exercised[index]).toBeLessThanOrEqual(tally.checks[index]);
  });

  test.each(OPS)('takes the step %s while the guest lives', (op) => {
    const lived = (['ok', 'initialized', 'mapped', 'physical'] as const).map((kind) => tally.outcomesOf(op, kind));
    expect(Math.max(...lived)).toBeGreaterThan(0);
  });

  test('reaches every outcome that a sound machine has', () => {
    const sound = ['initialized', 'ok', 'mapped', 'fault', 'mmio', 'physical', 'killed', 'dead'] as const;
    expect(sound.filter((kind) => tally.allOutcomes(kind) === 0)).toEqual([]);
    const broken = ['stuck', 'host-bug', 'halted'] as const;
    expect(broken.filter((kind) => tally.allOutcomes(kind) > 0)).toEqual([]);
  });

  test('finds leaves and roots cached, and misses both', () => {
    const { hits, misses, cacheHits, cacheMisses } = tally;
    expect(Math.min(hits, misses, cacheHits, cacheMisses)).toBeGreaterThan(0);
    expect(hits + misses).toBe(tally.outcomesOf('access', 'mapped'));
  });
});
