import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Program } from '../../../model/vocabulary/index.js';
import { cpu, paddr, vaddr } from '../../../model/vocabulary/index.js';
import type { Finding } from '../../../properties/finding.js';
import { fileNameOf } from '../../../properties/corpus/counterexample.js';
import { readStored, saveFinding } from '../../../properties/corpus/store.js';
import type { Divergence } from '../../../properties/divergence.js';
import type { ShortestSearch } from '../../../properties/exhaust/exhaust.js';
import { record } from './shortest-of-all.js';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'record-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const programOf = (idle: number): Program => ({
  machine: { paging: '2-level', guestPages: 1, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: [
    ...Array.from({ length: idle }, () => ({ op: 'migrate', cpu: cpu(0) }) as const),
    { op: 'init', kernelAddress: vaddr(0xc0000000) },
    { op: 'new-pgtable', root: paddr(0), draw: 0 },
  ],
});

const divergenceAt = (index: number, difference: string): Divergence => ({
  invariant: 'pgdir-cache',
  alsoBroken: [],
  place: { kind: 'step', index },
  stage: 'new-pgtable',
  field: 'current slot',
  expected: '0',
  actual: '1',
  difference,
});

const ENTRY: Finding = {
  status: 'open',
  subject: 'impl:victim-ignores-draw',
  reference: 'model',
  case: { traffic: 'hostile', program: programOf(1) },
  divergence: divergenceAt(2, 'another victim'),
  provenance: { date: '2026-01-01T00:00:00.000Z', version: '0.1.0', seed: 'test', program: 0, originalSteps: 9 },
  note: 'kept',
};

const found = (idle: number, difference = 'another victim'): ShortestSearch => ({
  kind: 'found',
  machine: 'small',
  found: { program: programOf(idle), divergence: divergenceAt(idle + 1, difference), shortest: true },
  folding: 'nothing',
});

/** The files of the corpus after it was recorded that such a search was made. */
const after = async (
  search: ShortestSearch,
): Promise<{ readonly said: string; readonly files: readonly unknown[] }> => {
  await saveFinding(directory, ENTRY);
  const said = await record(directory, ENTRY, search);
  const files = await Promise.all((await readdir(directory)).map((name) => readStored(join(directory, name))));
  return { said, files };
};

const stored = (entry: Finding) => ({ ...entry, file: join(directory, fileNameOf(entry)) });
const noted = (steps: number): Finding['provenance'] => ({
  ...ENTRY.provenance,
  shortest: { machine: 'small', steps, folding: 'nothing' },
});

test('an entry that is as short as possible says so', async () => {
  const { said, files } = await after(found(1));
  expect(said).toBe('noted');
  expect(files).toEqual([stored({ ...ENTRY, provenance: noted(3) })]);
});

test('a shorter program takes the place of one that says the same', async () => {
  const { said, files } = await after(found(0));
  const shorter = { traffic: 'hostile', program: programOf(0) } as const;
  const divergence = divergenceAt(1, 'another victim');
  expect(said).toBe('replaced by a shorter one');
  expect(files).toEqual([stored({ ...ENTRY, case: shorter, divergence, provenance: noted(2) })]);
});

test('what another machine showed in as few steps stays', async () => {
  const entry: Finding = {
    ...ENTRY,
    provenance: { ...ENTRY.provenance, shortest: { machine: 'values', steps: 2, folding: 'names' } },
  };
  await saveFinding(directory, entry);
  expect(await record(directory, entry, found(0))).toBe('kept');
  expect(await readStored(join(directory, fileNameOf(entry)))).toEqual(stored(entry));
});

test('a shorter program that says something else is counted and not kept', async () => {
  const { said, files } = await after(found(0, 'a root in two slots'));
  expect(said).toBe('noted');
  expect(files).toEqual([stored({ ...ENTRY, provenance: noted(2) })]);
});

test.each<[string, ShortestSearch]>([
  ['a longer one', found(2)],
  ['one that may not be the shortest', { ...found(0), folding: undefined } as ShortestSearch],
  ['none', { kind: 'not-found', depth: 7 }],
])('%s changes nothing', async (_, search) => {
  expect(await after(search)).toEqual({ said: 'kept', files: [stored(ENTRY)] });
});
