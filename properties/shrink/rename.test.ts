import { describe, expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { access, init, newPgtable, setPte, store } from '../../test-support/steps.js';
import { moveIndexes, moveRoots, renamePages } from './rename.js';
import { hoistStores, sortPages, sortStores } from './reorder.js';
import { programOf, smallestAfter } from '../../test-support/smallest-after.js';

/** The address at which the last access would find its leaf, by following the stores. */
const walked = ({ steps }: Program): number | undefined => {
  const word = (address: number): number => {
    const found = steps.find((step) => step.op === 'store' && step.paddr === address);
    return found?.op === 'store' ? found.value.low : 0;
  };
  const root = steps.find((step) => step.op === 'new-pgtable');
  const last = steps.at(-1);
  if (root?.op !== 'new-pgtable' || last?.op !== 'access') return undefined;
  const upper = word(root.root + (last.vaddr >>> 22) * 4);
  const leaf = word((upper & ~0xfff) + ((last.vaddr >>> 12) & 0x3ff) * 4);
  return (upper & leaf & 1) === 1 ? leaf >>> 12 : undefined;
};

const mapping = programOf([
  store(0x9000 + 4 * 800, 0x7067),
  store(0x7000 + 4 * 33, 0x21067),
  newPgtable(0x9000),
  access(0xc8021000),
]);

describe('names that keep the tables linked', () => {
  test('pages become low and stay different', async () => {
    const distinct = (program: Program): boolean => walked(program) !== undefined && new Set(pages(program)).size === 3;
    const pages = ({ steps: [one, other] }: Program): number[] => {
      if (one?.op !== 'store' || other?.op !== 'store') return [];
      return [one.paddr >>> 12, other.paddr >>> 12, other.value.low >>> 12];
    };
    const small = await smallestAfter(renamePages, mapping, distinct);
    expect(pages(small).toSorted((one, other) => one - other)).toEqual([0, 1, 2]);
  });

  test('indexes become low at every level', async () => {
    const small = await smallestAfter(moveIndexes, mapping, (program) => walked(program) !== undefined);
    expect(small.steps).toEqual([store(0x9000, 0x7067), store(0x7000, 0x21067), newPgtable(0x9000), access(0)]);
  });

  test('what must lie in the kernel half goes to where that begins', async () => {
    const inKernel = ({ steps }: Program): boolean => {
      const last = steps.at(-1);
      return last?.op === 'access' && last.vaddr >= 0xc0000000;
    };
    const small = await smallestAfter(
      moveIndexes,
      mapping,
      (program) => walked(program) !== undefined && inKernel(program),
    );
    expect(small.steps.at(-1)).toEqual(access(0xc0000000));
    expect(small.steps[0]).toEqual(store(0x9c00, 0x7067));
  });

  test('PAE roots go to the front of their page', async () => {
    const program = programOf([store(0x1068, 0x2001), newPgtable(0x1060)], { paging: 'pae' });
    const { steps } = await smallestAfter(moveRoots, program, () => true);
    expect(steps).toEqual([store(0x1008, 0x2001), newPgtable(0x1000)]);
  });
});

describe('the order that a reader expects', () => {
  test('init, then tables, then what is done with them', async () => {
    const program = programOf([store(0x1000, 1), init(), newPgtable(0), store(0, 0x1001), access(0)]);
    const { steps } = await smallestAfter(hoistStores, program, () => true);
    expect(steps).toEqual([init(), store(0x1000, 1), store(0, 0x1001), newPgtable(0), access(0)]);
  });

  test('a store that must come late comes as early as it can', async () => {
    const program = programOf([init(), newPgtable(0), access(0), store(0, 1), access(0)]);
    const afterRoot = ({ steps }: Program): boolean =>
      steps.findIndex(({ op }) => op === 'store') > steps.findIndex(({ op }) => op === 'new-pgtable');
    const { steps } = await smallestAfter(hoistStores, program, afterRoot);
    expect(steps).toEqual([init(), newPgtable(0), store(0, 1), access(0), access(0)]);
  });

  test('stores by address, and two to one word as they came', async () => {
    const program = programOf([store(8, 2), store(4, 1), store(4, 3), access(0), store(0, 5)]);
    const { steps } = await smallestAfter(sortStores, program, () => true);
    expect(steps).toEqual([store(4, 1), store(4, 3), store(8, 2), access(0), store(0, 5)]);
  });

  test('pages from the root down', async () => {
    const program = programOf([store(0x2000, 0x1001), store(0x1000, 1), newPgtable(0x2000), setPte(0x2000, 0, 1)]);
    const { steps } = await smallestAfter(sortPages, program, () => true);
    expect(steps).toEqual([store(0, 0x1001), store(0x1000, 0x2001), newPgtable(0), setPte(0, 0, 0x2001)]);
  });
});
