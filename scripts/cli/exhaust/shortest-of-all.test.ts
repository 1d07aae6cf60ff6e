import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../../test-support/test-directory.js';
import type { Program } from '../../../model/vocabulary/index.js';
import type { Finding } from '../../../properties/finding.js';
import { fileNameOf } from '../../../properties/corpus/counterexample.js';
import { readStored, saveFinding } from '../../../properties/corpus/store.js';
import type { ShortestSearch } from '../../../properties/exhaust/exhaust.js';
import { sampleFinding } from '../../../test-support/sample-finding.js';
import { init, machineOf, migrate, newPgtable } from '../../../test-support/steps.js';
import { record } from './shortest-of-all.js';

const at = directoryForEachTest();

const programOf = (idle: number): Program => ({
  machine: machineOf(),
  steps: [...Array.from({ length: idle }, () => migrate(0)), init(), newPgtable(0)],
});

const foundAt = (index: number, difference = 'another victim'): Finding =>
  sampleFinding({
    program: programOf(index - 1),
    divergence: { place: { kind: 'step', index }, stage: 'new-pgtable', difference },
    note: 'kept',
  });

const ENTRY = foundAt(2);

const found = (idle: number, difference = 'another victim'): ShortestSearch => ({
  kind: 'found',
  machine: 'small',
  found: { program: programOf(idle), divergence: foundAt(idle + 1, difference).divergence, shortest: true },
  folding: 'nothing',
});

/** The files of the corpus after it was recorded that such a search was made. */
const after = async (
  search: ShortestSearch,
): Promise<{ readonly said: string; readonly files: readonly unknown[] }> => {
  await saveFinding(at(), ENTRY);
  const said = await record(at(), ENTRY, search);
  const files = await Promise.all((await readdir(at())).map((name) => readStored(at(name))));
  return { said, files };
};

const stored = (entry: Finding) => ({ ...entry, file: at(fileNameOf(entry)) });
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
  const divergence = foundAt(1).divergence;
  expect(said).toBe('replaced by a shorter one');
  expect(files).toEqual([stored({ ...ENTRY, case: shorter, divergence, provenance: noted(2) })]);
});

test('what another machine showed in as few steps stays', async () => {
  const entry: Finding = {
    ...ENTRY,
    provenance: { ...ENTRY.provenance, shortest: { machine: 'values', steps: 2, folding: 'names' } },
  };
  await saveFinding(at(), entry);
  expect(await record(at(), entry, found(0))).toBe('kept');
  expect(await readStored(at(fileNameOf(entry)))).toEqual(stored(entry));
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
