import { describe, expect, test } from 'vitest';
import type { Observation, Outcome, Paging, Step } from '../../model/vocabulary/index.js';
import { KILL, guestEntry, paddr, pfn, vaddr } from '../../model/vocabulary/index.js';
import { describeEntry, describeMachine, describeObservation, describeOutcome, describeStep } from './listing.js';

test.each<[string, number, number, Paging]>([
  ['0', 0, 0, '2-level'],
  ['pfn 5 P RW US A D', 0x5067, 0, '2-level'],
  ['pfn 0 P', 0x1, 0, '2-level'],
  ['not present, pfn 5 RW', 0x5002, 0, '2-level'],
  ['not present, pfn 1', 0x1000, 0, 'pae'],
  ['pfn 1048575 P RW US A D PWT PCD PSE G AVL 0xe00', 0xffffffff, 0, '2-level'],
  ['pfn 1048581 P', 0x5001, 0x1, 'pae'],
  ['pfn 4294967295 P reserved 0x8000100000000000', 0xfffff001, 0x80001fff, 'pae'],
  ['not present, pfn 0 reserved 0x100000000', 0, 0x1, '2-level'],
])('%s', (text, low, high, paging) => {
  expect(describeEntry(guestEntry(low, high), { paging })).toBe(text);
});

test('bit 63 is XD on a machine with no-execute', () => {
  const machine = { paging: 'pae', features: ['no-execute'] } as const;
  expect(describeEntry(guestEntry(0x5001, 0x80000000), machine)).toBe('pfn 5 P XD');
  expect(describeEntry(guestEntry(0x5001, 0x80100000), machine)).toBe('pfn 5 P XD reserved 0x10000000000000');
});

const LEAF = guestEntry(0x5067);

test.each<[string, Step]>([
  [
    'store       [0x1000] = 0x2067   pfn 2 P RW US A D',
    { op: 'store', paddr: paddr(0x1000), value: guestEntry(0x2067) },
  ],
  ['store       [0x0] = 0', { op: 'store', paddr: paddr(0), value: guestEntry(0) }],
  ['init        kernel 0xc0000000', { op: 'init', kernelAddress: vaddr(0xc0000000) }],
  ['new-pgtable root 0x1000 draw 2', { op: 'new-pgtable', root: paddr(0x1000), draw: 2 }],
  ['flush-tlb   user', { op: 'flush-tlb', scope: 'user' }],
  ['set-stack   esp 0xc0002000 pages 1', { op: 'set-stack', esp: vaddr(0xc0002000), pages: 1 }],
  ['set-pmd     pmd 0x3000 index 0', { op: 'set-pmd', pmd: paddr(0x3000), index: 0 }],
  [
    'set-pte     root 0x1000 vaddr 0x400000 = 0x5067   pfn 5 P RW US A D',
    { op: 'set-pte', root: paddr(0x1000), vaddr: vaddr(0x400000), pte: LEAF },
  ],
  ['set-pgd     root 0x1000 index 0', { op: 'set-pgd', root: paddr(0x1000), index: 0 }],
  ['access      0x400000 write user', { op: 'access', vaddr: vaddr(0x400000), kind: 'write', mode: 'user' }],
  ['guest-pa    0x400000', { op: 'guest-pa', vaddr: vaddr(0x400000) }],
  ['migrate     cpu 1', { op: 'migrate', cpu: 1 }],
  ['fail-alloc  count 1', { op: 'fail-alloc', count: 1 }],
  ['protect     page 6 read', { op: 'protect', page: 6, access: 'read' }],
])('%s', (text, step) => {
  expect(describeStep(step, { paging: '2-level' })).toBe(text);
});

test.each<[string, Outcome]>([
  ['created', { kind: 'created' }],
  ['no-memory', { kind: 'no-memory' }],
  ['initialized, 0x400000 bytes reserved', { kind: 'initialized', reserved: 0x400000 }],
  ['mapped 0x5000', { kind: 'mapped', paddr: paddr(0x5000) }],
  ['mmio 0x40000', { kind: 'mmio', paddr: paddr(0x40000) }],
  ['physical 0x0', { kind: 'physical', paddr: paddr(0) }],
  ['fault code 7 (present, write, user)', { kind: 'fault', code: 7 }],
  ['fault code 0 (not present, read, kernel)', { kind: 'fault', code: 0 }],
  ['killed "bad page table entry"', KILL.badTableEntry],
  ['host-bug "\\u001b["', { kind: 'host-bug', reason: '\u001b[' }],
  ['halted', { kind: 'halted' }],
])('%s', (text, outcome) => {
  expect(describeOutcome(outcome)).toBe(text);
});

describe('an observation', () => {
  const observation: Observation = {
    outcome: { kind: 'mapped', paddr: paddr(0x5000) },
    references: [
      { page: pfn(5), count: 1 },
      { page: pfn(9), count: 0 },
    ],
    stores: [
      { paddr: paddr(0x2000), value: LEAF },
      { paddr: paddr(0x2008), value: guestEntry(0, 1) },
    ],
    tables: 4,
    switcher: { text: 1, state: [1, 0], registers: 1 },
  };

  test('is listed in one line', () => {
    expect(describeObservation(observation)).toBe(
      'mapped 0x5000; references 5:1 9:0; stores [0x2000] = 0x5067, [0x2008] = 0x100000000; tables 4; ' +
        'switcher text 1 state 1,0 registers 1',
    );
  });

  test('is listed without empty lists', () => {
    expect(describeObservation({ ...observation, references: [], stores: [] })).toBe(
      'mapped 0x5000; tables 4; switcher text 1 state 1,0 registers 1',
    );
  });

  test('of a bare outcome is the outcome', () => {
    expect(describeObservation({ ...observation, outcome: { kind: 'dead' } })).toBe('dead');
  });
});

test('a machine is listed in one line', () => {
  const machine = { paging: 'pae', guestPages: 64, devicePages: 0, hostCpus: 1, draw: 3, failAllocation: 0 } as const;
  expect(describeMachine(machine)).toBe('PAE, 64 guest pages, 0 device pages, 1 host CPU, draw 3');
  expect(describeMachine({ ...machine, features: ['large-pages', 'no-execute'] })).toBe(
    'PAE, 64 guest pages, 0 device pages, 1 host CPU, draw 3, features large-pages no-execute',
  );
  expect(describeMachine({ ...machine, failAllocation: 2 })).toBe(
    'PAE, 64 guest pages, 0 device pages, 1 host CPU, draw 3, allocation 2 of creation fails',
  );
});
