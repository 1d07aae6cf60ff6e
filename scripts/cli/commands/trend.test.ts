import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CapturedCall } from '../../../test-support/captured-call.js';
import { capturedCall } from '../../../test-support/captured-call.js';
import { sampleNightFinding, sampleNight } from '../../../test-support/sample-nights.js';

let directory: string;
const at = (...names: readonly string[]): string => join(directory, ...names);

const FEW = ['--programs', '40', '--seed', 'test', '--max-tries', '500'];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shadowdiff-trend-'));
  const places = ['--corpus', at('corpus'), '--out', at('found')];
  await capturedCall(['fuzz', '--subject', 'impl:victim-ignores-draw', ...FEW, ...places], {
    today: () => new Date('2026-11-23T01:00:00Z'),
  });
  await cp(at('found'), at('killed'), { recursive: true });
  for (const file of ['summary.json', 'report.html', 'findings']) await rm(at('killed', file), { recursive: true });
  await mkdir(at('empty'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const TODAY = { today: () => new Date('2026-11-23T12:00:00Z') };
const trend = (...words: readonly string[]): Promise<CapturedCall> =>
  capturedCall(['trend', ...words, '--out', at('trend.html')], TODAY);
const page = (): Promise<string> => readFile(at('trend.html'), 'utf8');

test('makes a page from the directories of runs, and leaves out what is none', async () => {
  const { code, out, err } = await trend(at('found'), at('empty'));
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/trend\.html: \d new findings? in the week to 2026-11-23\.\n$/),
  ]);
  expect(err).toMatch(/^shadowdiff: left out: .*empty: none of summary\.json/);
  expect(await page()).toMatch(/<a href="found\/report\.html#finding-1">/);
  const again = await capturedCall(['report', '--trend', at('found'), '--out', at('again.html')], TODAY);
  expect(again.code).toBe(0);
  expect(await readFile(at('again.html'), 'utf8')).toBe(await page());
});

test('shows a run that was killed as such, as far as it came', async () => {
  expect((await trend(at('killed'))).code).toBe(0);
  expect(await page()).toContain('did not come to its end, or still runs, after');
  expect(await page()).toMatch(/<td class="number">40<\/td>/);
});

test('reads a history beside its runs, and knows a run that is given as well', async () => {
  const lines = [sampleNight(21), sampleNight(22, { directory: 'found', seed: 'other' })];
  await writeFile(at('history.jsonl'), lines.map((night) => `${JSON.stringify(night)}\n`).join(''));
  for (const place of [directory, at('history.jsonl')]) {
    expect((await trend(place, at('found'), at('found'))).code).toBe(0);
    const text = await page();
    expect(text).toContain('3 nights since 2026-11-21');
    // Only the last night of a directory left its report there.
    expect(text.match(/href="found\/report\.html"/g)).toHaveLength(1);
  }
});

test('refuses a history with a line that is no night, a shard, and places without nights', async () => {
  await writeFile(at('broken.jsonl'), `${JSON.stringify(sampleNight(21))}\n{]\n`);
  expect(await trend(at('broken.jsonl'))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/broken\.jsonl: line 2: .*, or remove the line\n$/) as string,
  });
  const record = await readFile(at('found', 'run.json'), 'utf8');
  await mkdir(at('shard'));
  await writeFile(at('shard', 'run.json'), record.replace('"shards": 1', '"shards": 2'));
  const { code, err } = await trend(at('shard'));
  expect(code).toBe(2);
  expect(err).toMatch(/left out: .*shard: one shard of several, .*\n.*trend: no night could be read; /);
});

test('a night of a machine whose clock is ahead is named, and does not end the week', async () => {
  const nights = [sampleNight(20), sampleNight(29, { findings: [sampleNightFinding('flush | end | one')] })];
  await writeFile(at('ahead.jsonl'), nights.map((night) => `${JSON.stringify(night)}\n`).join(''));
  expect((await trend(at('ahead.jsonl'))).out).toContain('1 new finding in the week to 2026-11-20.');
  expect(await page()).toMatch(/<dt>new<\/dt>\s*<dd>flush \| end \| one, first on 2026-11-29/);
  expect(await page()).toContain('the night night-29 is dated 2026-11-29, after today');
});

test('a history whose last line a power cut tore makes its page, and the line is named', async () => {
  await writeFile(at('torn.jsonl'), `${JSON.stringify(sampleNight(21))}\n{"format":`);
  const { code, err } = await trend(at('torn.jsonl'));
  expect([code, err]).toEqual([
    0,
    expect.stringMatching(/^shadowdiff: .*torn\.jsonl: line 2: left out, because it is cut short, .*; remove it\n$/),
  ]);
});

test('report --trend takes no form of a report', async () => {
  const { code, err } = await capturedCall(['report', '--trend', at('found'), '--reporter', 'json']);
  expect([code, err]).toEqual([2, expect.stringContaining("'--trend' cannot be used with option '--reporter")]);
});
