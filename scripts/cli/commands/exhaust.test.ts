/** Whole calls of `exhaust`, in this process. */

import { cp, readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../../test-support/test-directory.js';
import { parseCounterexample } from '../../../properties/corpus/counterexample.js';
import { isReadable, readCorpus } from '../../../properties/corpus/store.js';
import { capturedCall } from '../../../test-support/captured-call.js';
import type { Surroundings } from '../../terminal/surroundings.js';

const CORPUS = fileURLToPath(new URL('../../../corpus', import.meta.url));

const at = directoryForEachTest();

const call = (words: readonly string[], changes: Partial<Surroundings> = {}) =>
  capturedCall(['exhaust', ...words], changes);

test('a sound machine agrees, and the run says in how much', async () => {
  const { code, out } = await call(['--depth', '2', '--paging', 'pae']);
  expect(code).toBe(0);
  expect(out.match(/^pae +(above|between|below) +2 .* --depth reached$/gm)).toHaveLength(3);
  expect(out).toContain('impl agrees with model in every program of at most 2 steps of these alphabets');
});

test('a defect is told with its shortest program', async () => {
  const { code, out } = await call(['--subject', 'impl:victim-ignores-draw', '--paging', '2-level']);
  expect(code).toBe(1);
  expect(out).toContain('shortest counterexample: pgdir-cache | new-pgtable | another victim');
  expect(out).toMatch(/^> {2}1 {2}new-pgtable/m);
  expect(out).toContain('no program of these alphabets with fewer than 2 steps diverges');
});

test('the result can be had as JSON', async () => {
  const { code, out } = await call(['--json', '--subject', 'impl:teardown-forgets-tables', '--no-fold']);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    format: 'shadowdiff-exhaust/1',
    folding: 'nothing',
    explorations: [{ paging: '2-level', kernel: 'above', states: 0, end: 'divergence' }],
    counterexample: { shortest: true, program: { steps: [] } },
  });
});

test('a smaller machine goes on for as long as there are new states', async () => {
  const { code, out } = await call(['--machine', 'pair', '--paging', '2-level', '--max-states', '600', '--json']);
  expect(code).toBe(3);
  const { machine, explorations } = JSON.parse(out);
  expect(machine).toBe('pair');
  expect(explorations).toHaveLength(3);
  for (const { depth, end } of explorations) expect({ deep: depth > 5, end }).toEqual({ deep: true, end: 'states' });
});

test('a limit of states makes it inconclusive', async () => {
  const { code, out } = await call(['--max-states', '50', '--paging', '2-level']);
  expect(code).toBe(3);
  expect(out).toContain('--max-states reached');
  expect(out).toContain('every program of at most 1 step of these alphabets');
});

test('an interruption ends it, and what is known so far is told', async () => {
  let interrupt = (): void => undefined;
  let looks = 0;
  const { code, out } = await call([], {
    onInterrupt: (listener) => {
      interrupt = listener;
      return () => undefined;
    },
    monotonic: () => {
      if (++looks === 100) interrupt();
      return performance.now();
    },
  });
  expect(code).toBe(130);
  expect(out).toContain(' interrupted');
});

test.each([
  [['--subject', 'exec:cat'], '--subject: the state of this machine cannot be read'],
  [['--reference', 'exec:cat'], '--reference: the state of this machine cannot be read'],
  [['--subject', 'nope'], '--subject: the state of this machine cannot be read; use impl, impl:DEFECT or model'],
  [['--profile', 'architecture'], "unknown option '--profile'"],
  [['--machine', 'large'], 'Allowed choices'],
  [['--depth', '-1'], 'Give a whole number'],
  [['defects', '--defect', 'nothing'], 'there is no defect "nothing"'],
  [['defects', '--record', '--corpus', '/no/such/place'], 'there is no such directory'],
])('%j is refused', async (words, message) => {
  const { code, out, err } = await call(words);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
});

test.each([
  ['behind', ['defects', '--defect', 'old-cpu-pages-stay-mapped', '--machine', 'values']],
  ['before', ['--machine', 'values', 'defects', '--defect', 'old-cpu-pages-stay-mapped']],
])('the machine may be named %s the words that look for defects', async (_, words) => {
  expect((await call(words)).out).toMatch(/^old-cpu-pages-stay-mapped +3 steps: switcher/);
});

test('a defect that depends on programs before is not said to have a shortest one', async () => {
  const { out } = await call(['defects', '--defect', 'draw-from-hidden-state']);
  expect(out).toMatch(/^draw-from-hidden-state +2 steps, perhaps not the shortest: /);
});

test('a defect is looked for among so many states', async () => {
  const { out } = await call(['defects', '--defect', 'old-cpu-pages-stay-mapped', '--max-states', '40']);
  expect(out).toMatch(/^old-cpu-pages-stay-mapped +not in any program of at most 1 step\n$/);
});

test('how short a counterexample can be is noted in the corpus', async () => {
  await cp(CORPUS, at(), { recursive: true });
  const before = await readdir(at());
  const { code, out } = await call(['defects', '--defect', 'victim-ignores-draw', '--record', '--corpus', at()]);
  expect(code).toBe(0);
  expect(out).toMatch(/^victim-ignores-draw +2 steps: pgdir-cache \| new-pgtable \| another victim; noted\n$/);
  expect(await readdir(at())).toEqual(before);
  const kept = await readCorpus(at());
  const path = kept.find((each) => isReadable(each) && each.subject === 'impl:victim-ignores-draw')!.file;
  const { provenance } = parseCounterexample(await readFile(path, 'utf8'), path);
  expect(provenance.shortest).toEqual({ machine: 'small', steps: 2, folding: 'nothing' });
});
