import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { guestEntry, paddr, vaddr } from '../../model/vocabulary/index.js';
import { uniformProgram } from './any-step.js';
import { isProgram, smallerMachines } from './valid-program.js';

const machine = { paging: '2-level', guestPages: 16, devicePages: 2, hostCpus: 3, draw: 9, failAllocation: 0 } as const;
const program = (...steps: readonly unknown[]): unknown => ({ machine, steps });

describe('isProgram', () => {
  test('takes whatever the plain arbitrary makes', () => {
    fc.assert(fc.property(uniformProgram, isProgram), { seed: 1, numRuns: 300 });
  });

  test.each([
    ['a store outside RAM', { op: 'store', paddr: 0x10000, value: guestEntry(0) }],
    ['a store that is not aligned', { op: 'store', paddr: 2, value: guestEntry(0) }],
    ['an entry too wide', { op: 'store', paddr: 0, value: guestEntry(0, 1) }],
    ['a root that is not aligned', { op: 'new-pgtable', root: 0x20, draw: 0 }],
    ['a CPU too many', { op: 'migrate', cpu: 3 }],
    ['a page too many', { op: 'protect', page: 16, access: 'read' }],
    ['an unknown word', { op: 'access', vaddr: 0, kind: 'look', mode: 'user' }],
    ['an address too great', { op: 'guest-pa', vaddr: 2 ** 32 }],
    ['a missing field', { op: 'set-stack', esp: 0 }],
    ['an unknown step', { op: 'toString' }],
    ['no step', undefined],
  ])('turns down %s', (_, step) => {
    expect(isProgram(program(step))).toBe(false);
  });

  test('turns down machines out of bounds', () => {
    expect(isProgram({ machine, steps: [] })).toBe(true);
    for (const size of [
      { guestPages: 0 },
      { guestPages: 4097 },
      { hostCpus: 65 },
      { devicePages: -1 },
      { paging: '4-level' },
    ]) {
      expect(isProgram({ machine: { ...machine, ...size }, steps: [] })).toBe(false);
    }
  });
});

test('machines become smaller as far as the steps allow', () => {
  const steps = [
    { op: 'store', paddr: paddr(0x5000), value: guestEntry(0) },
    { op: 'migrate', cpu: 1 },
    { op: 'guest-pa', vaddr: vaddr(0) },
  ] as const;
  const smaller = smallerMachines({ machine, steps } satisfies Program).map((candidate) => candidate.machine);
  expect(smaller).toEqual([
    { ...machine, devicePages: 0 },
    { ...machine, hostCpus: 2 },
    { ...machine, draw: 1 },
    { ...machine, draw: 0 },
    { ...machine, guestPages: 8 },
  ]);
});
