/** Whole calls of `corpus`, in this process. */

import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../../test-support/test-directory.js';
import { fileNameOf, formatCounterexample, parseCounterexample } from '../../../properties/corpus/counterexample.js';
import type { Finding } from '../../../properties/finding.js';
import { capturedCall } from '../../../test-support/captured-call.js';

const OURS = fileURLToPath(new URL('../../../corpus', import.meta.url));

const at = directoryForEachTest();
let names: readonly string[];
beforeEach(async () => {
  names = (await readdir(OURS))
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .slice(0, 5);
  for (const name of names) await cp(join(OURS, name), at('corpus', name));
});

const corpus = (command: string, ...words: readonly string[]) =>
  capturedCall(['corpus', command, ...words, '--corpus', at('corpus')]);
const kept = async (): Promise<readonly string[]> => (await readdir(at('corpus'))).toSorted();
const read = async (name: string): Promise<Finding> =>
  parseCounterexample(await readFile(join(OURS, name), 'utf8'), name);

/** The same finding with a step more, which changes nothing. */
const longer = async (name: string): Promise<Finding> => {
  const entry = await read(name);
  const { machine, steps } = entry.case.program;
  const [last] = steps.slice(-1);
  const program = { machine, steps: [...steps, last] };
  return { ...entry, case: { ...entry.case, program }, note: 'looked at' };
};

const store = async (folder: string, entry: Finding): Promise<string> => {
  const path = at(folder, fileNameOf(entry));
  await cp(join(OURS, names[0]), path, { recursive: true });
  await writeFile(path, formatCounterexample(entry));
  return path;
};

describe('list', () => {
  test('names every entry, and what it is of', async () => {
    const { code, out } = await corpus('list');
    expect(code).toBe(0);
    for (const name of names) expect(out).toContain(name);
    expect(out.split('\n')).toHaveLength(3 * names.length + 1);
  });

  test('picks by invariant, subject and status, and speaks JSON', async () => {
    const { subject, divergence } = await read(names[0]);
    const { out } = await corpus('list', '--json', '--subject', subject, '--invariant', divergence.invariant);
    const [first] = out.trim().split('\n');
    expect(JSON.parse(first)).toMatchObject({ subject, status: 'open', path: at('corpus', names[0]) });
    expect(await corpus('list', '--status', 'fixed')).toMatchObject({
      out: '',
      err: expect.stringContaining(': no such entries'),
    });
    expect((await corpus('list', '--status', 'closed')).code).toBe(2);
    expect((await corpus('list', '--invariant', 'subject-crash')).code).toBe(0);
    expect(await corpus('list', '--invariant', 'flsh')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--invariant: "flsh" is not known; see: shadowdiff invariants'),
    });
  });
});

describe('add', () => {
  test('keeps a finding that holds, and one that says the same is refused', async () => {
    const { code, out } = await corpus('add', join(OURS, (await readdir(OURS)).toSorted()[6]));
    expect([code, (await kept()).length]).toEqual([0, names.length + 1]);
    expect(out).toContain('added as');
    const again = await corpus('add', at('corpus', names[0]));
    expect(again.out).toContain('not added');
  });

  test('puts a shorter program in the place of a longer one, and keeps its note', async () => {
    await rm(at('corpus', names[0]));
    const path = await store('corpus', await longer(names[0]));
    const { out } = await corpus('add', join(OURS, names[0]));
    expect(out).toContain(`instead of ${path}`);
    expect(await kept()).toEqual(names);
    expect(await readFile(at('corpus', names[0]), 'utf8')).toContain('looked at');
  });

  test('keeps a finding in a machine that nobody catalogued', async () => {
    const entry = await read(names[0]);
    // The model beside a defective reference: no planted bug of the subject's.
    const path = await store('out', { ...entry, subject: 'model', reference: entry.subject });
    const { divergence } = JSON.parse(
      (await capturedCall(['replay', path, '--json'])).out.trim().split('\n').at(-1)!,
    ) as { readonly divergence: Finding['divergence'] };
    const found = await store('out', { ...entry, subject: 'model', reference: entry.subject, divergence });
    expect((await corpus('add', found)).out).toContain('added as');
  });

  test('refuses what does not hold', async () => {
    const path = await store('out', { ...(await read(names[0])), subject: 'impl' });
    const { code, err } = await corpus('add', path);
    expect(code).toBe(2);
    expect(err).toContain('only findings that still hold are kept');
  });
});

describe('prune', () => {
  test('takes the longer one of two, and only lists it in a dry run', async () => {
    const path = await store('corpus', await longer(names[0]));
    const dryRun = await corpus('prune', '--dry-run');
    expect(dryRun.out).toContain(`would remove ${path}`);
    expect(await kept()).toContain(basename(path));
    const { out } = await corpus('prune');
    expect(out).toContain(`removed ${path}: a shorter one shows the same bug`);
    expect(out).toContain(`${names.length} entries left`);
    expect(await kept()).toEqual(names);
  });

  test('takes what no longer diverges if it is asked to', async () => {
    const path = await store('corpus', { ...(await read(names[0])), subject: 'model' });
    await rm(at('corpus', names[1]));
    expect((await corpus('prune')).out).not.toContain('removed');
    expect((await corpus('prune', '--stale')).out).toContain(`removed ${path}`);
  });

  test('keeps what diverges in another way than recorded', async () => {
    const entry = await read(names[0]);
    const path = await store('corpus', { ...entry, divergence: { ...entry.divergence, difference: 'another' } });
    expect((await corpus('prune', '--stale')).out).not.toContain('removed');
    expect(await kept()).toContain(basename(path));
  });

  test('touches nothing where a file is none of ours', async () => {
    await writeFile(at('corpus', 'other.json'), '{}');
    const { code, err } = await corpus('prune');
    expect(code).toBe(2);
    expect(err).toContain('other.json');
  });
});

test('stats of an empty corpus say that it is empty', async () => {
  await Promise.all(names.map((name) => rm(at('corpus', name))));
  expect(await corpus('stats')).toMatchObject({
    code: 0,
    out: '',
    err: expect.stringContaining(': no entries') as string,
  });
});

test('stats count what is there', async () => {
  const { out } = await corpus('stats', '--json');
  const lengths = await Promise.all(names.map(async (name) => (await read(name)).case.program.steps.length));
  expect(JSON.parse(out)).toMatchObject({
    entries: names.length,
    steps: { most: Math.max(...lengths) },
    byStatus: { open: names.length },
  });
  expect((await corpus('stats')).out).toContain(`median ${lengths.toSorted((a, b) => a - b)[2]}`);
});
