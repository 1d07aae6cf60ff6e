/** However a campaign is cut up, it comes to the same. */

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defectNamed } from '../../impl/defects/catalogue.js';
import { implWith, subjectNamed } from '../../properties/subjects/subject-names.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { filesBelow, runInProcess, spiedPool } from '../../test-support/in-process-run.js';
import type { Night } from '../report/trend/night.js';
import type { WorkerPool } from '../terminal/surroundings.js';
import { readHistory } from './history.js';

/** Several kinds of finding, each in many programs. By its name it is a command, whose batches are small. */
const SUBJECT = 'exec:planted';
const DEFECTS = ['fault-code-from-shadow', 'set-pte-keeps-guessed-page'].map((id) => defectNamed(id)!);
const planted = implWith(SUBJECT, DEFECTS);
const named: typeof subjectNamed = (name, ...others) => (name === SUBJECT ? planted : subjectNamed(name, ...others));
const CAMPAIGN = ['--programs', '49', '--seed', 'two', '--subject', SUBJECT, '--paging', '2-level'];
// Most programs are only screened.
const QUICK = ['--judge', '0.25', '--max-steps', '60', '--max-tries', '4', '--min-programs', '40'];

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

const call = (words: readonly string[], workers?: () => WorkerPool): Promise<CapturedCall> =>
  runInProcess(words, { subjectNamed: named, ...(workers === undefined ? {} : { workers }) });

const places = (name: string): readonly string[] => ['--out', at(name), '--corpus', at(`${name}-corpus`)];

const run = async (name: string, ...words: readonly string[]): Promise<CapturedCall> =>
  await call(['nightly', ...CAMPAIGN, ...QUICK, ...places(name), ...words]);

const fuzzWords = (name: string, ...words: readonly string[]): readonly string[] => [
  'fuzz',
  ...CAMPAIGN,
  '--judge',
  '0.25',
  '--max-steps',
  '60',
  '--max-tries',
  '4',
  ...places(name),
  ...words,
];

const merge = async (out: string, runs: readonly string[], ...words: readonly string[]): Promise<CapturedCall> =>
  await call(['merge', ...runs.map((each) => at(each)), '--out', at(out), ...words]);

const shards = (of: number): readonly string[] => Array.from({ length: of }, (_, index) => `shard-${index}-of-${of}`);

/** Without times, and without the names of the directories that a test chose. */
const resultsIn = async (name: string): Promise<Readonly<Record<string, unknown>>> => {
  const files = await filesBelow(at(name));
  const timeless = Object.entries(files)
    .filter(([path]) => path !== 'run.json' && path !== 'events.jsonl' && path !== 'report.html')
    .map(([path, text]) => [path, text.replace(/^ "time": \{[^}]*\},\n/m, '').replaceAll(at(name), 'RUN')]);
  return Object.fromEntries(timeless) as Readonly<Record<string, string>>;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shadowdiff-merge-'));
  await run('whole', '--jobs', '1');
  await run('jobs', '--jobs', '4');
  for (const [index, name] of shards(7).entries()) await run(name, '--jobs', '2', '--shard', `${index}/7`);
  await merge('merged', shards(7));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a campaign of a fixed number of programs', () => {
  test('finds something, each finding in more than one shard', async () => {
    const { findings } = JSON.parse(await readFile(at('whole', 'summary.json'), 'utf8')) as {
      readonly findings: readonly { readonly count: number }[];
    };
    expect(findings.length).toBeGreaterThan(2);
    expect(Math.max(...findings.map(({ count }) => count))).toBeGreaterThan(7);
  });

  test('finds and counts the same with one worker and with four', async () => {
    const [one, four] = [await resultsIn('whole'), await resultsIn('jobs')];
    expect(Object.keys(four)).toEqual(Object.keys(one));
    expect(withoutCorpus(four, 'jobs')).toEqual(withoutCorpus(one, 'whole'));
  });

  test('comes to the same in seven shards', async () => {
    await merge('kept', shards(7), '--corpus', at('kept-corpus'));
    expect(withoutCorpus(await resultsIn('kept'), 'kept')).toEqual(withoutCorpus(await resultsIn('whole'), 'whole'));
    expect(await filesBelow(at('kept-corpus'))).toEqual(await filesBelow(at('whole-corpus')));
  });

  test('comes to the same as a fuzz run, with one job and with four', async () => {
    const whole = await countersIn('whole');
    for (const jobs of ['1', '4']) {
      const name = `fuzz-${jobs}`;
      await call(fuzzWords(name, '--jobs', jobs, '--max-findings', '1000'));
      expect(await countersIn(name)).toEqual(whole);
      expect(await filesBelow(at(name, 'findings'))).toEqual(await filesBelow(at('whole', 'findings')));
      expect(await filesBelow(at(`${name}-corpus`))).toEqual(await filesBelow(at('whole-corpus')));
    }
    expect(await resultsIn('fuzz-4')).toEqual(renamed(await resultsIn('fuzz-1'), 'fuzz-1-corpus', 'fuzz-4-corpus'));
  });

  test('keeps nothing in the corpus before its shards are merged', async () => {
    await expect(filesBelow(at('shard-0-of-7-corpus'))).rejects.toThrow('ENOENT');
  });

  test('needs a corpus that it can write to only if it is in one piece', async () => {
    await writeFile(at('file'), '');
    const corpus = ['--corpus', at('file', 'corpus'), '--programs', '1'];
    expect((await run('refused', ...corpus)).err).toContain('this is a file');
    expect((await run('read-only', ...corpus, '--shard', '0/7')).err).toBe('');
  });
});

describe('a limit on the kinds of finding', () => {
  test('ends a run with the same program, in whatever order its batches complete', async () => {
    await call(fuzzWords('few-1', '--jobs', '1', '--max-findings', '4'));
    // The first batch comes back when three others have begun.
    let batches = 0;
    let release = (): void => undefined;
    const enough = new Promise<void>((resolve) => (release = resolve));
    const pool = spiedPool(async (task) => {
      if (task.kind !== 'batch') return;
      if (++batches === 4) release();
      if (task.batch.range.first === 0) await enough;
    }, named);
    await call(fuzzWords('few-4', '--jobs', '4', '--max-findings', '4'), () => pool);
    const { programs, findings } = await countersIn('few-1');
    expect(programs).toBeLessThan(49);
    expect(findings).toHaveLength(4);
    expect(Math.max(...findings.map(({ program }) => program))).toBe(programs - 1);
    expect(await resultsIn('few-4')).toEqual(renamed(await resultsIn('few-1'), 'few-1-corpus', 'few-4-corpus'));
    expect(await filesBelow(at('few-4-corpus'))).toEqual(await filesBelow(at('few-1-corpus')));
  });
});

interface Counters {
  readonly programs: number;
  readonly findings: readonly { readonly program: number }[];
}

const OF_ONE_KIND = new Set(['kind', 'maxFindings', 'time', 'canary', 'corpus', 'doubts']);

/** What a run found and counted, without what sets a fuzz run apart from a nightly one. */
const countersIn = async (name: string): Promise<Counters> => {
  const summary = JSON.parse(await readFile(at(name, 'summary.json'), 'utf8')) as Counters & Record<string, unknown>;
  const counters = Object.entries(summary).filter(([field]) => !OF_ONE_KIND.has(field));
  return JSON.parse(JSON.stringify(Object.fromEntries(counters)).replaceAll(at(name), 'RUN')) as Counters;
};

const renamed = (results: Readonly<Record<string, unknown>>, from: string, to: string): unknown =>
  JSON.parse(JSON.stringify(results).replaceAll(at(from), at(to)));

/** A whole run and a merged one name other corpora. */
const withoutCorpus = (results: Readonly<Record<string, unknown>>, name: string): unknown =>
  JSON.parse(JSON.stringify(results).replaceAll(at(`${name}-corpus`), 'CORPUS'));

/** To the byte, times included: they come from the same runs. */
const eventsOf = (name: string): Promise<string> => readFile(at(name, 'events.jsonl'), 'utf8');

describe('merging', () => {
  test('does not depend on the order', async () => {
    await merge('backwards', shards(7).toReversed());
    expect(await eventsOf('backwards')).toBe(await eventsOf('merged'));
  });

  test('does not depend on what was merged before', async () => {
    const [a, b, c, d, e, f, g] = shards(7);
    await merge('left', [a, b, c, d]);
    await merge('right', [g, e, f]);
    await merge('both', ['right', 'left']);
    expect(await eventsOf('both')).toBe(await eventsOf('merged'));
  });

  test('counts what is given twice once', async () => {
    const [a] = shards(7);
    await merge('twice', ['merged', ...shards(7), a, 'merged']);
    expect(await eventsOf('twice')).toBe(await eventsOf('merged'));
    expect(await resultsIn('twice')).toEqual(await resultsIn('merged'));
  });

  test('names a shard that is missing, and one that was cut off', async () => {
    const [, torn, ...others] = shards(7);
    await cp(at(torn), at('torn'), { recursive: true });
    const lines = (await eventsOf('torn')).split('\n');
    const batch = lines.findIndex((line) => line.includes('"kind":"batch"'));
    await writeFile(at('torn', 'events.jsonl'), `${lines.slice(0, batch).join('\n')}\n${lines[batch].slice(0, 50)}`);
    const { code, out, err } = await merge('incomplete', ['torn', ...others]);
    expect(code).toBe(1);
    expect(err).toContain(`line ${batch + 1} was torn`);
    expect(out).toContain('shard 0 of 7 is missing; shard 1 of 7 did not come to its end');
  });

  test('makes a night of shards, which are none themselves', async () => {
    const nights = await readHistory(at('history.jsonl'), (problem) => expect.fail(problem));
    const of = (name: string): unknown => nights.findLast((night) => night.directory === name);
    expect(nights.filter((night) => night.directory.startsWith('shard'))).toEqual([]);
    const { findings } = await countersIn('whole');
    expect(of('merged')).toMatchObject({ seed: 'two', programs: 49, verdict: 'divergence' });
    expect((of('merged') as Night).findings).toEqual((of('whole') as Night).findings);
    expect((of('merged') as Night).findings).toHaveLength(findings.length);
  });

  test('leaves out what is no run, and says so', async () => {
    const { err } = await merge('with-nothing', ['nothing', ...shards(7)]);
    expect(err).toMatch(/left out: .*nothing.run\.json: there is no such file/);
    expect(await eventsOf('with-nothing')).toBe(await eventsOf('merged'));
  });

  test('cannot be resumed: what helps where a result cannot be written is another directory', async () => {
    await mkdir(at('full', 'summary.json'), { recursive: true });
    const { code, err } = await merge('full', shards(7));
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/cannot be written: .*; free space or name another --out\n$/),
    ]);
  });

  test('refuses another campaign, and to replace a run', async () => {
    await run('other', '--jobs', '1', '--seed', 'another', '--programs', '0');
    const other = await merge('never', ['other', ...shards(7)]);
    expect([other.code, other.err]).toEqual([
      2,
      expect.stringMatching(/not of the campaign of .*other: seed is "two" here/),
    ]);
    const over = await merge('other', shards(7));
    expect([over.code, over.err]).toEqual([2, expect.stringContaining('a run that is not merged is here')]);
  });
});
