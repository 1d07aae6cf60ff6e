import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { guestEntry, paddr, vaddr } from '../../model/vocabulary/index.js';
import { programListing } from './finding-text.js';

const PROGRAM: Program = {
  machine: { paging: '2-level', guestPages: 6, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: [
    { op: 'store', paddr: paddr(0x1000), value: guestEntry(0x5067) },
    { op: 'access', vaddr: vaddr(0x400000), kind: 'read', mode: 'user' },
  ],
};
const MACHINE = '      machine     2-level, 6 guest pages, 0 device pages, 1 host CPU, draw 0';
const plain = { colors: picocolors.createColors(false), width: Infinity };

test('the step that diverges is marked', () => {
  expect(programListing(PROGRAM, { kind: 'step', index: 1 }, plain)).toEqual([
    MACHINE,
    '   0  store       [0x1000] = 0x5067   pfn 5 P RW US A D',
    '>  1  access      0x400000 read user',
  ]);
});

test.each(['create', 'end', 'destroy'] as const)('a divergence at %s has a line of its own', (kind) => {
  const lines = programListing(PROGRAM, { kind }, plain);
  expect(lines).toHaveLength(4);
  expect(lines[kind === 'create' ? 1 : 3]).toBe(`>     ${kind}`);
});
