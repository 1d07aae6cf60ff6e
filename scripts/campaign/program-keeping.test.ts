/** Campaigns that start from seeds and keep new ones: however they are divided or interrupted, they come to the same. */

import { appendFile, cp, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSteady } from '../../properties/finding.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import { representative } from '../../properties/campaign/ledger.js';
import { vaddr } from '../../model/vocabulary/index.js';
import { allCells, reachingOf } from '../../properties/pool/distil.js';
import { MOST_STEPS } from '../../properties/campaign/campaign-bounds.js';
import { LARGEST_FILE } from '../../properties/corpus/store.js';
import { poolOf, readPrograms } from '../../properties/pool/program-pool.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { filesBelow, runInProcess, spiedPool } from '../../test-support/in-process-run.js';
import { readRun } from './merged-run.js';
import { readPool, writePool } from './program-keeping.js';

const PATIENCE = 180_000;

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

/** A night of few programs, so that the next one still finds something new. */
const FIRST = ['--programs', '60', '--seed', 'first', '--max-steps', '48', '--keep-programs'];
const SECOND = [
  '--programs',
  '150',
  '--seed',
  'second',
  '--subject',
  'impl:fault-code-from-shadow',
  '--max-steps',
  '48',
  '--max-tries',
  '20',
  '--guided',
  '0.5',
];

const nightly = async (words: readonly string[], out: string, corpus: string): Promise<CapturedCall> =>
  await runInProcess(['nightly', '--jobs', '1', ...words, '--out', at(out), '--corpus', at(corpus)]);

/** A corpus as the first night left it. */
const corpusAfterFirst = async (name: string): Promise<string> => {
  await cp(at('first-corpus'), at(name), { recursive: true });
  return name;
};

const eventsOf = async (out: string, but: RegExp): Promise<readonly string[]> =>
  (await readFile(at(out, 'events.jsonl'), 'utf8')).split('\n').filter((line) => !but.test(line));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shadowdiff-seeds-'));
  await nightly(FIRST, 'first', 'first-corpus');
  await nightly(SECOND, 'whole', await corpusAfterFirst('whole-corpus'));
}, PATIENCE);
afterAll(() => rm(directory, { recursive: true, force: true }));

const seeds = async (corpus: string): Promise<readonly string[]> =>
  Object.keys(await filesBelow(at(corpus, 'programs')));

const ledgerOf = async (out: string): Promise<Ledger> => (await readRun(at(out), () => undefined)).ledger;

/** The directory of a run without what tells where and when it ran. */
const resultsIn = async (out: string): Promise<unknown> => {
  const files = Object.entries(await filesBelow(at(out))).filter(
    ([path]) => !/^(run\.json|events\.jsonl|report\.html|junit\.xml)$/.test(path),
  );
  return files.map(([path, text]) => [
    path,
    text
      .replace(/^ "time": \{[^}]*\},\n/m, '')
      .replace(/[^"]*-corpus/g, 'C')
      .replaceAll(at(out), 'RUN'),
  ]);
};

describe('a night that keeps seeds', () => {
  test('adds to those that are there, and says so', async () => {
    const before = await seeds('first-corpus');
    const after = await seeds('whole-corpus');
    expect(before.length).toBeGreaterThan(10);
    expect(after.length).toBeGreaterThan(before.length);
    expect(after).toEqual(expect.arrayContaining([...before]));
  });

  test('runs other programs than one that starts from nothing', async () => {
    const words = [...SECOND.slice(0, SECOND.indexOf('--guided')), '--max-tries', '0', '--keep-programs'];
    await nightly(words, 'plain', await corpusAfterFirst('plain-corpus'));
    const steps = async (out: string): Promise<number> =>
      (JSON.parse(await readFile(at(out, 'summary.json'), 'utf8')) as { readonly steps: number }).steps;
    expect(await steps('plain')).not.toBe(await steps('whole'));
  });

  test('makes each finding small from the program that showed it', async () => {
    const ledger = await ledgerOf('whole');
    const findings = ledger.findings.list().map(representative);
    expect(findings.length).toBeGreaterThan(1);
    expect(findings.filter((finding) => finding.shrunk === undefined || !isSteady(finding))).toEqual([]);
  });

  test('published again says the same, and touches no file', async () => {
    const [name] = await seeds('whole-corpus');
    const { mtimeMs } = await stat(at('whole-corpus', 'programs', name));
    const before = await filesBelow(at('whole-corpus'));
    const results = await resultsIn('whole');
    await runInProcess(['nightly', '--resume', at('whole'), '--corpus', at('whole-corpus')]);
    expect(await resultsIn('whole')).toEqual(results);
    expect(await filesBelow(at('whole-corpus'))).toEqual(before);
    expect((await stat(at('whole-corpus', 'programs', name))).mtimeMs).toBe(mtimeMs);
  });

  test(
    'in three shards, merged in any order, or with more workers comes to the same',
    { timeout: PATIENCE },
    async () => {
      const whole = await filesBelow(at('whole-corpus'));
      for (const index of [0, 1, 2]) {
        await nightly(
          [...SECOND, '--shard', `${index}/3`],
          `shard-${index}`,
          await corpusAfterFirst(`corpus-${index}`),
        );
        expect(await seeds(`corpus-${index}`)).toEqual(await seeds('first-corpus'));
      }
      for (const order of [
        [0, 1, 2],
        [2, 0, 1],
      ]) {
        const out = `merged-${order.join('')}`;
        const corpus = await corpusAfterFirst(`${out}-corpus`);
        const shards = order.map((index) => at(`shard-${index}`));
        await runInProcess(['merge', ...shards, '--out', at(out), '--corpus', at(corpus)]);
        expect(await filesBelow(at(corpus))).toEqual(whole);
      }
      await nightly([...SECOND, '--jobs', '2'], 'two-jobs', await corpusAfterFirst('two-jobs-corpus'));
      expect(await filesBelow(at('two-jobs-corpus'))).toEqual(whole);
      expect(await resultsIn('two-jobs')).toEqual(await resultsIn('whole'));
      const reach = /^(?!.*"kind":"(reach|finding)")/;
      expect(await eventsOf('merged-012', reach)).toEqual(await eventsOf('merged-201', reach));
    },
  );

  test('goes on wherever it was cut', { timeout: PATIENCE }, async () => {
    const { size } = await stat(at('whole', 'events.jsonl'));
    for (const bytes of [0, size >> 1]) {
      const [out, corpus] = [`cut-${bytes}`, await corpusAfterFirst(`cut-${bytes}-corpus`)];
      await cp(at('whole'), at(out), { recursive: true });
      await truncate(at(out, 'events.jsonl'), bytes);
      await runInProcess(['nightly', '--resume', at(out), '--corpus', at(corpus)]);
      expect(await filesBelow(at(corpus))).toEqual(await filesBelow(at('whole-corpus')));
      expect(await resultsIn(out)).toEqual(await resultsIn('whole'));
    }
  });

  test('goes on when a later batch was done and an earlier one was not', { timeout: PATIENCE }, async () => {
    // More than the 512 programs of a batch.
    // Two workers begin the first two batches at once: neither knows what the other one reaches.
    const words = [...SECOND, '--programs', '600', '--max-tries', '0', '--jobs', '2'];
    await nightly(words, 'batches', await corpusAfterFirst('batches-corpus'));
    const lines = await eventsOf('batches', /"batch":0,|"kind":"(end|finding)"/);
    expect(lines.some((line) => line.includes('"batch":1,'))).toBe(true);
    await cp(at('batches'), at('holed'), { recursive: true });
    await writeFile(at('holed', 'events.jsonl'), lines.join('\n'));
    await runInProcess(['nightly', '--resume', at('holed'), '--corpus', at(await corpusAfterFirst('holed-corpus'))]);
    expect(await filesBelow(at('holed-corpus'))).toEqual(await filesBelow(at('batches-corpus')));
  });

  test('keeps programs that reach all that the night reached', async () => {
    const words = ['--programs', '100', '--seed', 'third', '--max-steps', '48', '--guided', '1'];
    await nightly(words, 'third', await corpusAfterFirst('third-corpus'));
    const ledger = await ledgerOf('third');
    const reached = ledger.firstReached.list().flatMap(({ cells }) => cells);
    const stored = await readPrograms(at('third-corpus'));
    const cells = allCells(await reachingOf(stored.map(({ program }) => program)));
    expect(reached.length).toBeGreaterThan(10);
    expect(reached.filter((cell) => !cells.has(cell))).toEqual([]);
  });

  test('keeps none while it is interrupted, and comes to the same when it goes on', async () => {
    const corpus = await corpusAfterFirst('broken-off-corpus');
    let interrupt = (): void => undefined;
    const onInterrupt = (hear: () => void): (() => void) => {
      interrupt = hear;
      return () => undefined;
    };
    const workers = () => spiedPool(({ kind }) => (kind === 'shrink' ? interrupt() : undefined));
    const words = ['nightly', ...SECOND, '--jobs', '1', '--out', at('broken-off'), '--corpus', at(corpus)];
    const { out } = await runInProcess(words, { onInterrupt, workers });
    expect(out).toContain('interrupted: ');
    expect(await seeds(corpus)).toEqual(await seeds('first-corpus'));
    await runInProcess(['nightly', '--resume', at('broken-off'), '--corpus', at(corpus)]);
    expect(await seeds(corpus)).toEqual(await seeds('whole-corpus'));
  });

  test('has room for so many', async () => {
    const corpus = await corpusAfterFirst('small-corpus');
    const { out } = await nightly([...SECOND, '--most-programs', '12'], 'small', corpus);
    expect(out.replace(/\s+/g, ' ')).toContain('no room for more: --most-programs');
    expect(await seeds(corpus)).toEqual(await seeds('first-corpus'));
  });
});

describe('a night that asks for no seeds', () => {
  test('neither reads nor keeps any', async () => {
    await writeFile(at('none-seeds.json'), '');
    await cp(at('none-seeds.json'), at('none-corpus', 'programs', 'broken.json'), { recursive: true });
    const { code, out } = await nightly(
      ['--programs', '20', '--min-programs', '0', '--seed', 'x'],
      'none',
      'none-corpus',
    );
    expect([code === 2, out.includes('pool ')]).toEqual([false, false]);
    expect(await seeds('none-corpus')).toEqual(['broken.json']);
  });
});

describe('another pool is refused', () => {
  test('by a run that goes on', async () => {
    await cp(at('whole'), at('changed'), { recursive: true });
    const text = await readFile(at('changed', 'pool.jsonl'), 'utf8');
    await writeFile(at('changed', 'pool.jsonl'), text.slice(text.indexOf('\n') + 1));
    const { code, err } = await runInProcess(['nightly', '--resume', at('changed'), '--corpus', at('whole-corpus')]);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/pool\.jsonl: pool: the run began with [0-9a-f]{16} and this/),
    ]);
  });

  test('by a run that goes on, if it cannot be read, by line and field', async () => {
    await cp(at('whole'), at('torn'), { recursive: true });
    await appendFile(at('torn', 'pool.jsonl'), '{"format":"shadowdiff-program/1","machine":1,"steps":[]}\n');
    const { code, err } = await runInProcess(['nightly', '--resume', at('torn'), '--corpus', at('whole-corpus')]);
    expect([code, err]).toEqual([2, expect.stringMatching(/pool\.jsonl: line \d+: machine: 1 is not an object/)]);
  });

  test('when runs are merged, and so is another share', async () => {
    for (const [name, words, message] of [
      ['other-pool', ['--guided', '0.5'], 'pool is "'],
      ['other-share', ['--guided', '0.25'], 'guided is 0.25 here and 0.5 there'],
    ] as const) {
      const rest = SECOND.slice(0, SECOND.indexOf('--guided'));
      const corpus = name === 'other-pool' ? 'empty-corpus' : 'first-corpus';
      await nightly([...rest, ...words, '--shard', '1/3', '--programs', '3'], name, corpus);
      await nightly([...SECOND, '--shard', '0/3', '--programs', '3'], `${name}-first`, 'first-corpus');
      const { code, err } = await runInProcess(['merge', at(`${name}-first`), at(name), '--out', at('never')]);
      expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    }
  });

  test('--guided is laid down when a run begins', async () => {
    const { code, err } = await runInProcess(['nightly', '--resume', at('whole'), '--corpus', 'x', '--guided', '0.25']);
    expect([code, err]).toEqual([2, expect.stringContaining('--guided: a resumed run keeps its own')]);
  });
});

describe('seeds that are none', () => {
  test.each([
    ['0.json', '{"format":"shadowdiff-program/1","steps":[]}', '0.json: machine: missing'],
    ['0.json', 'nonsense', '0.json: '],
    ['0.json', '', '0.json: '],
  ])('%s: %s', async (name, text, message) => {
    const corpus = await corpusAfterFirst(`bad-corpus-${message.length}-${text.length}`);
    await writeFile(at(corpus, 'programs', name), text);
    const { code, err } = await nightly(SECOND, 'never', corpus);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test('by the name of another', async () => {
    const corpus = await corpusAfterFirst('renamed-corpus');
    const [name] = await seeds(corpus);
    await cp(at(corpus, 'programs', name), at(corpus, 'programs', 'other.json'));
    const { code, err } = await nightly(SECOND, 'never', corpus);
    expect([code, err]).toEqual([2, expect.stringContaining(`other.json: its content belongs in "${name}"`)]);
  });

  test.each(['1.5', '-1', 'half', 'NaN', ''])('nor is %j a share', async (share) => {
    const { code, err } = await nightly(['--guided', share], 'never', 'first-corpus');
    expect([code, err]).toEqual([2, expect.stringContaining('Give a number from 0 to 1')]);
  });
});

test('a pool may be larger than a file that is read at once', async () => {
  const steps = Array.from({ length: MOST_STEPS }, () => ({ op: 'guest-pa' as const, vaddr: vaddr(0xfffff000) }));
  const machine = { paging: '2-level', guestPages: 1, devicePages: 0, hostCpus: 1, failAllocation: 0 } as const;
  const pool = poolOf([1, 2, 3, 4, 5].map((draw) => ({ machine: { ...machine, draw }, steps })));
  await mkdir(at('large'));
  await writePool(at('large'), pool);
  expect((await stat(at('large', 'pool.jsonl'))).size).toBeGreaterThan(LARGEST_FILE);
  expect((await readPool({ run: at('large') }, pool.identity)).members).toHaveLength(5);
});
