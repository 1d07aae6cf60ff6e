import { describe, expect, test } from 'vitest';
import { vaddr } from '../../model/vocabulary/index.js';
import { programArbitrary } from '../generators/index.js';
import { divergenceAt, init, programOf, searchFor, store, touch } from './smallest-after.js';
import { signatureOf } from '../divergence.js';
import { programSeed, randomFor } from '../seeds.js';
import { Search } from './search.js';
import { shrinkMacros, shrinkSteps } from './shrink-arbitrary.js';

describe("fast-check's shrinker", () => {
  test('finds borders that no other pass proposes', async () => {
    const search = searchFor(programOf([init(), touch(0x76543)]), ({ steps }) => {
      const last = steps.at(-1);
      return last?.op === 'access' && last.vaddr >= 0x12345;
    });
    expect(await shrinkSteps(search)).toBe(true);
    expect(search.smallest.program.steps.at(-1)).toEqual({ ...touch(0), vaddr: vaddr(0x13000 - 0xcbb) });
    expect(await shrinkSteps(search)).toBe(false);
  });

  test('takes macros from a coherent case, which stays coherent', async () => {
    const arbitrary = programArbitrary({ traffic: 'coherent', paging: '2-level' });
    const found = arbitrary.generate(randomFor(programSeed('macros', 1)), undefined);
    const divergence = divergenceAt({ kind: 'end' });
    const touches = (steps: readonly { readonly op: string }[]): number =>
      steps.filter(({ op }) => op === 'access').length;
    const search = new Search(found.value, divergence, {
      signature: signatureOf(divergence),
      judge: ({ program }) => Promise.resolve(touches(program.steps) >= 3 ? divergence : undefined),
      mostTries: 3000,
    });
    await shrinkMacros(search, found);
    expect(search.smallest.program.steps.length).toBeLessThan(found.value.program.steps.length);
    expect(touches(search.smallest.program.steps)).toBeLessThan(touches(found.value.program.steps));
  });

  test('has no macros to take from a case that comes from a file', async () => {
    const search = searchFor(programOf([store(0, 1), touch(0)]), () => true);
    await shrinkMacros(search, { value: search.smallest });
    expect(search.tried).toBe(1);
  });
});
