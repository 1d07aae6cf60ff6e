import { describe, expect, test } from 'vitest';
import type { Step } from '../model/vocabulary/index.js';
import { guestEntry, paddr, vaddr } from '../model/vocabulary/index.js';
import { machineOf } from '../test-support/steps.js';
import { sampleFinding } from '../test-support/sample-finding.js';
import type { Finding } from './finding.js';
import { MOST_SHAPES, areAlike, describeShape, groupsOf, shapeOf } from './namesakes.js';

const MACHINE = machineOf({ guestPages: 4 });
const root = paddr(0);
const store = (low: number, high = 0): Step => ({ op: 'store', paddr: root, value: guestEntry(low, high) });
const NEW: Step = { op: 'new-pgtable', root, draw: 0 };
const ACCESS: Step = { op: 'access', vaddr: vaddr(0), kind: 'read', mode: 'kernel' };
const SET_PTE: Step = { op: 'set-pte', root, vaddr: vaddr(0), pte: guestEntry(0x1021) };
const FLUSH: Step = { op: 'flush-tlb', scope: 'all' };
const FAIL: Step = { op: 'fail-alloc', count: 1 };

const program = (...steps: readonly Step[]) => ({ machine: MACHINE, steps });
const shape = (...steps: readonly Step[]) => shapeOf(program(...steps));

test('a shape has the steps that are not everywhere, seldom bits of present entries, and whether roots are switched', () => {
  expect(shape(store(1), NEW, ACCESS)).toEqual({ switches: false, needs: ['access'] });
  expect(describeShape(shape(NEW, store(0x181, 1), SET_PTE, NEW, store(0xe10)))).toBe(
    'set-pte, the size bit, the global bit, high bits, a switch of roots',
  );
  expect(describeShape(shape(NEW))).toBe('no calls');
});

test('shapes are alike if only one of them needs one more, and both switch roots or neither does', () => {
  const usual = shape(NEW, ACCESS, FLUSH);
  expect(areAlike(usual, shape(NEW, ACCESS, FLUSH, SET_PTE))).toBe(true);
  expect(areAlike(usual, shape(NEW, FLUSH))).toBe(true);
  expect(areAlike(usual, shape(NEW, SET_PTE, FLUSH))).toBe(false);
  expect(areAlike(usual, shape(NEW, NEW, ACCESS, FLUSH))).toBe(false);
});

describe('the findings of one signature', () => {
  const finding = (number: number, steps: readonly Step[], changes: Partial<Finding> = {}): Finding => ({
    ...sampleFinding({ program: program(...steps), provenance: { program: number } }),
    shrunk: 'wholly',
    shown: { times: 3, runs: 3 },
    ...changes,
  });
  const groups = (...all: readonly Finding[]): readonly (readonly number[])[] =>
    groupsOf(all, all[0]).map(({ members }) => members.map(({ provenance }) => provenance.program));

  test('are grouped by shape, in their order', () => {
    const [one, other] = [
      [NEW, ACCESS],
      [NEW, SET_PTE],
    ];
    expect(groups(finding(1, one), finding(2, other), finding(3, one), finding(4, other))).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test.each([
    ['may not be the smallest', { shrunk: 'partly' }],
    ['used up its tries', { shrunk: 'to-limit' }],
    ['is flaky', { shown: { times: 1, runs: 3 } }],
    ['needs others before it', { before: [program()] }],
  ] as const)('count as one where a program %s', (_, changes) => {
    expect(groups(finding(1, [NEW, ACCESS]), finding(2, [NEW, SET_PTE], changes))).toEqual([[1, 2]]);
    expect(groups(finding(1, [NEW, ACCESS], changes), finding(2, [NEW, SET_PTE]))).toEqual([[1, 2]]);
  });

  test('have few shapes: the others count with the first', () => {
    const single = [[ACCESS], [SET_PTE], [FLUSH], [FAIL]].map((steps, index) => finding(index, steps));
    expect(groups(...single)).toEqual([[0, 3], [1], [2]]);
    expect(MOST_SHAPES).toBe(3);
  });
});
