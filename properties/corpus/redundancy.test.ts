import { expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { vaddr } from '../../model/vocabulary/index.js';
import type { Finding } from '../finding.js';
import { redundant } from './redundancy.js';

const entry = (steps: number, changes: Partial<Finding> = {}, address = 0): { readonly entry: Finding } => {
  const program: Program = {
    machine: { paging: 'pae', guestPages: 4, devicePages: 1, hostCpus: 1, draw: 0, failAllocation: 0 },
    steps: Array.from({ length: steps }, () => ({ op: 'guest-pa', vaddr: vaddr(address) })),
  };
  return {
    entry: {
      status: 'open',
      subject: 'impl:a',
      reference: 'model',
      case: { traffic: 'hostile', program },
      divergence: {
        invariant: 'translation',
        alsoBroken: [],
        place: { kind: 'create' },
        stage: 'create',
        field: '',
        expected: '',
        actual: '',
        difference: 'd',
      },
      provenance: { date: '', version: '', seed: '', program: 0, originalSteps: steps },
      note: '',
      ...changes,
    },
  };
};

test('of one finding the shortest program stays', () => {
  const [long, short, middle] = [entry(3), entry(1), entry(2)];
  expect(redundant([long, short, middle])).toEqual([long, middle]);
});

test('of equally short ones the same stays, in whatever order they come', () => {
  const [one, other] = [entry(2, {}, 0), entry(2, {}, 1)];
  expect(redundant([one, other])).toEqual(redundant([other, one]));
  expect(redundant([one, other])).toHaveLength(1);
});

test('another subject or signature is another finding', () => {
  const { divergence } = entry(1).entry;
  const others = [entry(2, { subject: 'impl:b' }), entry(3, { divergence: { ...divergence, difference: 'e' } })];
  expect(redundant([entry(1), ...others])).toEqual([]);
});
