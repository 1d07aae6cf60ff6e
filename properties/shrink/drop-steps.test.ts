import { describe, expect, test } from 'vitest';
import { dropChunks, dropGroups, dropPairs, withoutTail } from './drop-steps.js';
import { programOf, smallestAfter } from '../../test-support/smallest-after.js';
import type { Step } from '../../model/vocabulary/index.js';
import { access, init, migrate, newPgtable, setPte, store } from '../../test-support/steps.js';
import { dropAndSimplify } from './simplify-steps.js';

const filler = (count: number): Step[] => Array.from({ length: count }, (_, index) => access(index * 4096));

const holds =
  (...needed: readonly Step[]) =>
  ({ steps }: { readonly steps: readonly Step[] }): boolean =>
    needed.every((step) => steps.includes(step));

describe('steps that are not needed go', () => {
  test('in chunks down to one', async () => {
    const [one, other] = [init(), migrate(3)];
    const program = programOf([...filler(20), one, ...filler(33), other, ...filler(7)]);
    const { steps } = await smallestAfter(dropChunks, program, holds(one, other));
    expect(steps).toEqual([one, other]);
  });

  test('all that have one thing in common at once', async () => {
    const kept = init();
    const group = [store(0x1000, 1), store(0x1004, 1), store(0x1008, 1)];
    const allOrNone = (steps: readonly Step[]): boolean =>
      group.every((step) => steps.includes(step)) || group.every((step) => !steps.includes(step));
    const program = programOf([group[0], kept, group[1], newPgtable(0), group[2]]);
    const small = await smallestAfter(dropGroups, program, ({ steps }) => steps.includes(kept) && allOrNone(steps));
    expect(small.steps).toEqual([kept]);
  });

  test('two that undo each other', async () => {
    const [there, back, kept] = [migrate(1), migrate(0), init()];
    const program = programOf([there, kept, access(0), back]);
    const small = await smallestAfter(dropPairs, program, ({ steps }) => {
      return steps.includes(kept) && steps.includes(there) === steps.includes(back);
    });
    expect(small.steps).toContain(kept);
    expect(small.steps).not.toContain(there);
    expect(small.steps).not.toContain(back);
  });

  test('one, when another is made simpler at the same time', async () => {
    const program = programOf([init(), setPte(0x1000, 0, 0x21), access(0x5000)]);
    const small = await smallestAfter(dropAndSimplify, program, ({ steps }) => {
      const touched = steps.find((step) => step.op === 'access');
      return touched !== undefined && (touched.vaddr === 0 || steps.length === 3);
    });
    expect(small.steps).toEqual([access(0)]);
  });
});

const tailed = programOf([init(), access(0), access(4096)]);

describe('what stands behind the divergence goes', () => {
  test('after a step', () => {
    expect(withoutTail(tailed, { kind: 'step', index: 1 }).steps).toEqual([init(), access(0)]);
  });

  test('all of it when creation diverges', () => {
    expect(withoutTail(tailed, { kind: 'create' }).steps).toEqual([]);
  });

  test('nothing when only the end shows it', () => {
    expect(withoutTail(tailed, { kind: 'end' })).toBe(tailed);
    expect(withoutTail(tailed, { kind: 'destroy' })).toBe(tailed);
    expect(withoutTail(tailed, { kind: 'step', index: 2 })).toBe(tailed);
  });
});
