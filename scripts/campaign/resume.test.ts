/** A run knows what its events say, wherever they were torn; the rest it does again. */

import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LARGEST_FILE } from '../../properties/corpus/store.js';
import type { CapturedCall, Changes } from '../../test-support/captured-call.js';
import { COUNTING, countingCall } from '../../test-support/counting-subject.js';
import { filesBelow, runInProcess, spiedPool } from '../../test-support/in-process-run.js';
import { OUTSIDE_CORPUS } from '../terminal/result-directory.js';
import { resumedPlan } from './resumed-plan.js';
import type { TaskKind } from './tasks.js';

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

const SUBJECT = 'impl:fault-code-from-shadow';
const CAMPAIGN = [
  '--programs',
  '400',
  '--seed',
  'full',
  '--subject',
  SUBJECT,
  '--max-steps',
  '48',
  '--max-tries',
  '20',
];

let events: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shadowdiff-resume-'));
  await runInProcess(['nightly', ...CAMPAIGN, '--jobs', '2', '--out', at('whole'), '--corpus', at('corpus')]);
  events = await readFile(at('whole', 'events.jsonl'), 'utf8');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const resume = (name: string, changes: Changes = {}): Promise<CapturedCall> =>
  runInProcess(['nightly', '--resume', at(name), '--corpus', at('corpus')], changes);

/** A run as it was when only so many bytes of its events were written. */
const cutAt = async (bytes: number): Promise<string> => {
  const name = `cut-${bytes}`;
  await cp(at('whole', 'run.json'), at(name, 'run.json'), { recursive: true });
  await writeFile(at(name, 'events.jsonl'), events);
  await truncate(at(name, 'events.jsonl'), bytes);
  return name;
};

const resultsIn = async (name: string): Promise<unknown> => {
  const files = Object.entries(await filesBelow(at(name))).filter(
    ([path]) => !/^(run\.json|events\.jsonl|report\.html)$/.test(path),
  );
  return files.map(([path, text]) => [path, text.replace(/^ "time": \{[^}]*\},\n/m, '').replaceAll(at(name), 'RUN')]);
};

/** It names the campaign. */
const firstLine = (): string => events.slice(0, events.indexOf('\n'));

/** Where the line of the last task begins; after it comes only the end. */
const lastTask = (): number => events.slice(0, -1).lastIndexOf('\n');

/** Behind each kind of line, and within it. */
const cuts = (): readonly number[] => {
  const ends = [...events.matchAll(/\n/g)].map(({ index }) => index + 1);
  return [0, ends[0] + 5, ...ends.slice(1).flatMap((end, line) => (line % 2 === 0 ? [end] : [end - 10]))];
};

describe('a run that goes on', () => {
  test('comes to the same, wherever it was cut', async () => {
    const whole = await resultsIn('whole');
    for (const bytes of cuts()) {
      const name = await cutAt(bytes);
      const { code, out } = await resume(name);
      expect([bytes, code]).toEqual([bytes, 1]);
      expect(out.includes('nothing was left to run')).toBe(bytes > lastTask());
      expect(await resultsIn(name)).toEqual(whole);
    }
  });

  test('does nothing that is done', async () => {
    const tasks: TaskKind[] = [];
    const workers = () => spiedPool(({ kind }) => void tasks.push(kind));
    await cp(at('whole'), at('again'), { recursive: true });
    const { out } = await resume('again', { workers });
    expect(tasks).toEqual([]);
    expect(out).toContain('\nnothing was left to run\n');
    expect(await resultsIn('again')).toEqual(await resultsIn('whole'));
  });

  test('comes to the same if a later batch was done and an earlier one was not', async () => {
    // Two batches, which two workers begin at once: neither knows what the other one reaches.
    const words = [...CAMPAIGN, '--programs', '600', '--max-tries', '0', '--jobs', '2', '--corpus', at('corpus')];
    await runInProcess(['nightly', ...words, '--out', at('two')]);
    const results = await resultsIn('two');
    const lines = (await readFile(at('two', 'events.jsonl'), 'utf8')).split('\n');
    const left = lines.filter((line) => !/"batch":0,|"kind":"(end|finding)"/.test(line));
    expect(left.some((line) => line.includes('"batch":1,'))).toBe(true);
    await writeFile(at('two', 'events.jsonl'), left.join('\n'));
    await resume('two');
    expect(await resultsIn('two')).toEqual(results);
  });

  test('explores for longer, if it is given more time', async () => {
    // A millisecond passes whenever the time is asked for, which happens before every program.
    let now = 0;
    const monotonic = (): number => now++;
    const words = ['--seed', 'full', '--jobs', '1', '--corpus', at('none'), '--min-programs', '0', '--max-steps', '48'];
    await runInProcess(['nightly', ...words, '--time', '100ms', '--out', at('short')], { monotonic });
    const programs = async (): Promise<number> =>
      (JSON.parse(await readFile(at('short', 'summary.json'), 'utf8')) as { readonly programs: number }).programs;
    expect(await programs()).toBe(512);
    await runInProcess(['nightly', '--resume', at('short'), '--corpus', at('none'), '--time', '1s'], { monotonic });
    expect(await programs()).toBe(1024);
  });
});

test('what is found of a machine that is not of this package stays out of its corpus, at night too', async () => {
  const { code } = await countingCall('fuzz', '--subject', COUNTING.name, '--programs', '20', '--out', at('outside'));
  expect(code).toBe(0);
  expect((await resumedPlan(at('outside'), {})).part.corpus).toBe(OUTSIDE_CORPUS);
  expect((await resumedPlan(at('outside'), { corpus: 'mine' })).part.corpus).toBe('mine');
});

describe('what cannot go on is refused', () => {
  test.each([
    [['--resume', 'RUN', '--seed', 'other'], '--seed: a resumed run keeps its own'],
    [['--resume', 'RUN', '--max-tries', '7'], '--max-tries: a resumed run keeps its own'],
    [['--resume', 'nowhere'], 'there is no such file'],
    [['--resume', 'package.json'], 'package.json/run.json: the path leads through a file; name a directory'],
    [['--out', 'RUN'], 'a run is here already; resume it with nightly --resume'],
    [['--shard', '0/2'], 'give every one of them the same --seed'],
    [['--shard', '2/2', '--seed', 'x'], '2/2 is not a shard'],
    [['--shard', 'auto', '--seed', 'x'], 'auto finds no variable of a scheduler'],
    [['--subject', 'nobody'], 'there is no subject "nobody"'],
    [['--subject', 'exec:/no/such/command'], 'cannot start "/no/such/command"'],
    [['--out', '/dev/null/x'], '/dev/null: this is a file'],
    [['--jobs', '0'], 'from 1 to'],
  ])('%j', async (words, message) => {
    const { code, out, err } = await runInProcess([
      'nightly',
      ...words.map((word) => word.replace('RUN', at('whole'))),
    ]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });

  test('a line of events that is none of ours, by its number', async () => {
    const name = await cutAt(0);
    await writeFile(at(name, 'events.jsonl'), `${firstLine()}\n{"kind":"nothing"}\n`);
    const { code, err } = await resume(name);
    expect([code, err]).toEqual([2, expect.stringContaining('events.jsonl: line 2: kind: "nothing" is not known')]);
  });

  test('events of another campaign, as a whole or from a line on', async () => {
    const other = ['--programs', '0', '--seed', 'AA', '--jobs', '1', '--corpus', at('none'), '--min-programs', '0'];
    await runInProcess(['nightly', ...other, '--out', at('other')]);
    const foreign = /line \d: events of (campaign [0-9a-f]{16}|an unnamed campaign), and this run is of [0-9a-f]{16}/;
    const [, ...unnamed] = events.split('\n');
    for (const [index, text] of [events, unnamed.join('\n')].entries()) {
      const name = `foreign-${index}`;
      await cp(at('other'), at(name), { recursive: true });
      await writeFile(at(name, 'events.jsonl'), text);
      const { code, err } = await resume(name);
      expect([code, err]).toEqual([2, expect.stringMatching(foreign)]);
    }
  });

  const SPAN = '"shard":0,"batches":[[0,9007199254740991]],"programs":1,"elapsed":1,"ended":false';
  const COUNTS = '"programs":1,"judged":1,"steps":1,"diedEarly":0,"hits":0,"misses":0,"cacheHits":0,"cacheMisses":0';
  const LISTS = '"checks":[],"exercised":[],"situations":[],"incidence":[],"ends":[]';

  test.each([
    [`{"kind":"shard",${SPAN},"counts":{${COUNTS},${LISTS}},"signatures":{}}`, 'is out of range'],
    [
      `{"kind":"batch","shard":0,"batch":0,"programs":1,"elapsed":1,"counts":{${COUNTS.replace('"judged":1', '"judged":2')},${LISTS}},"signatures":{}}`,
      'counts.judged: more than programs',
    ],
    [`{"kind":"begin","at":"","shard":7}`, 'shard 7 is not of this run'],
    [
      `{"kind":"batch","shard":0,"batch":0,"programs":1,"elapsed":1,"counts":{${COUNTS},${LISTS}},"signatures":{}}`,
      'not of the invariants of this run',
    ],
    ['x'.repeat(LARGEST_FILE + 1), `longer than ${LARGEST_FILE} bytes`],
    ['['.repeat(1000), 'nested more than'],
  ])('a crafted line of events: %.40s', async (line, message) => {
    const name = await cutAt(0);
    await writeFile(at(name, 'events.jsonl'), `${firstLine()}\n${line}\n`);
    const { code, err } = await resume(name);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(err).toContain('events.jsonl: line 2');
  });

  /** With it no program could be made, and nothing would be compared. */
  const BLIND = '{"paging":[],"steps":[],"subjectShows":[],"referenceShows":[],"edges":0}';

  test.each([
    ['shadowdiff-run/3', 'shadowdiff-run/2', 'run.json: format: "shadowdiff-run/2" is not known'],
    ['"shards":1', '"shards":0', 'campaign.shards: 0 is out of range'],
    ['"maxSteps":48', '"maxSteps":0', 'campaign.maxSteps: 0 is out of range'],
    ['"maxTries":20', '"maxTries":1e10', 'campaign.maxTries: 10000000000 is out of range'],
    ['"caseTimeout":5000', '"caseTimeout":0', 'campaign.caseTimeout: 0 is out of range'],
    ['"seed":"full"', '"seed":"a b"', 'campaign.seed: give 1 to 100 ASCII letters'],
    ['"jobs":2', '"jobs":0', 'parts[0].jobs: 0 is out of range'],
    ['"shard":0', '"shard":7', 'parts[0].shard: 7 is out of range'],
    ['"shards":1', `"shards":1,"scope":${BLIND}`, 'a side no longer does and shows what it did when the run began'],
  ])('a crafted run.json: %s for %s', async (from, to, message) => {
    const name = await cutAt(0);
    const record = JSON.stringify(JSON.parse(await readFile(at(name, 'run.json'), 'utf8')));
    expect(record).toContain(from);
    await writeFile(at(name, 'run.json'), record.replace(from, to));
    const { code, err } = await resume(name);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
