import { expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { vaddr } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import { Pair } from '../pair.js';
import { IMPL, MODEL } from '../subjects/subject-names.js';
import { INVARIANTS } from './invariants.js';

test('a machine that was not created owes its guest nothing', async () => {
  const program: Program = {
    machine: { paging: '2-level', guestPages: 1, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 1 },
    steps: [{ op: 'access', vaddr: vaddr(0x1000), kind: 'read', mode: 'kernel' }],
  };
  expect(keepsContract(program)).toBe(true);
  const pair = new Pair({ model: MODEL, subject: IMPL, invariants: INVARIANTS });
  expect(await pair.run(program, { contractKept: true, twice: false })).toBe(undefined);
});
