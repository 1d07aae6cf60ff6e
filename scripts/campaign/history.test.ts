/** The history of nights: what nightly and merge append, and what is wrong with a line. */

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { capturing } from '../../test-support/captured-call.js';
import { runInProcess } from '../../test-support/in-process-run.js';
import { sampleNightFinding, sampleNight } from '../../test-support/sample-nights.js';
import type { Night } from '../report/trend/night.js';
import { Session } from '../terminal/session.js';
import { appendToHistory, readHistory } from './history.js';

const at = directoryForEachTest();

const refuse = (problem: string): void => expect.fail(problem);
const history = (): Promise<readonly Night[]> => readHistory(at('history.jsonl'), refuse);

const NIGHT = sampleNight(23, { directory: 'one' });

/** Returns what was complained about. */
const append = async (night = NIGHT): Promise<string> => {
  const { surroundings, stderr } = capturing();
  await appendToHistory(at(night.directory), night, new Session(surroundings));
  return stderr.text;
};

test('a night has a line when it begins, so that one that is killed is missed, and one with its results', async () => {
  const few = ['--programs', '12', '--min-programs', '0', '--max-steps', '60', '--max-tries', '20', '--jobs', '1'];
  const places = ['--out', at('first'), '--corpus', at('corpus')];
  const words = ['nightly', ...few, '--seed', 'first', '--subject', 'impl:victim-ignores-draw', ...places];
  const { err } = await runInProcess(words);
  expect(err).toBe('');
  const [begun, ended, ...others] = await history();
  expect(others).toEqual([]);
  expect(begun).toMatchObject({ directory: 'first', verdict: 'unfinished', programs: 0, findings: [] });
  expect(ended).toMatchObject({ directory: 'first', seed: 'first', verdict: 'divergence', programs: 12, judged: 12 });
  expect(ended.started).toBe(begun.started);
  const summary = JSON.parse(await readFile(at('first', 'summary.json'), 'utf8')) as { findings: unknown[] };
  expect(ended.findings).toHaveLength(summary.findings.length);
  expect(ended.findings[0]).toMatchObject({ status: 'new', anchor: 'finding-1' });
  expect(await readFile(at('first', 'report.html'), 'utf8')).toContain(`id="${ended.findings.at(-1)!.anchor!}"`);
  expect(ended.mutations.map(({ machine }) => machine)).toEqual(['model']);
});

describe('the file', () => {
  test('is missed by one complaint, and by no failure', async () => {
    await mkdir(at('history.jsonl'));
    expect(await append()).toMatch(
      /history\.jsonl: cannot be written: .*directory.*; .* \(this night is not in it; name .*one/,
    );
  });

  test('is not written through a link', async () => {
    await symlink(at('elsewhere'), at('history.jsonl'));
    expect(await append()).toContain('history.jsonl: this is a link');
    await expect(readFile(at('elsewhere'))).rejects.toThrow('ENOENT');
  });

  test('has whole lines, however many write at once', async () => {
    const nights = Array.from({ length: 20 }, (_, index) => ({ ...NIGHT, seed: `night-${index}` }));
    await Promise.all(nights.map((night) => append(night)));
    expect((await history()).map(({ seed }) => seed).toSorted()).toEqual(nights.map(({ seed }) => seed).toSorted());
  });

  test('a last line that a power cut tore is left out, with a complaint', async () => {
    await append();
    const whole = await readFile(at('history.jsonl'), 'utf8');
    for (const [torn, complaints] of [
      ['{"format":"shadow', [expect.stringMatching(/history\.jsonl: line 2: left out, because it is cut short/)]],
      ['{"for', [expect.stringMatching(/history\.jsonl: line 2: left out, because it is cut short/)]],
      ['\0\0\0', [expect.stringMatching(/history\.jsonl: line 2: left out, because it is cut short/)]],
      [JSON.stringify(NIGHT), []],
    ] as const) {
      await writeFile(at('history.jsonl'), whole + torn);
      const problems: string[] = [];
      const nights = await readHistory(at('history.jsonl'), (problem) => problems.push(problem));
      expect([nights.length, problems]).toEqual([complaints.length === 0 ? 2 : 1, complaints]);
    }
  });

  test('a line that a power cut tore stays alone', async () => {
    await writeFile(at('history.jsonl'), '{"format":"shadow');
    expect(await append()).toBe('');
    const problems: string[] = [];
    expect(await readHistory(at('history.jsonl'), (problem) => problems.push(problem))).toEqual([NIGHT]);
    expect(problems).toEqual([expect.stringMatching(/history\.jsonl: line 1: left out, because it is cut short/)]);
  });

  test.each([
    ['no JSON', '{]', /line 2: .*, or remove the line$/],
    [
      'another format',
      JSON.stringify({ ...NIGHT, format: 'shadowdiff-night/2' }),
      /line 2: format: "shadowdiff-night\/2" is not known; use "shadowdiff-night\/1"/,
    ],
    ['a field that is missing', JSON.stringify({ ...NIGHT, seed: undefined }), /line 2: seed: missing; give a string/],
    [
      'a time that is none',
      JSON.stringify({ ...NIGHT, started: '2026-13-41T00:00:00Z' }),
      /line 2: started: not a time; /,
    ],
    [
      'an anchor that is none',
      JSON.stringify({ ...NIGHT, findings: [sampleNightFinding('flush | end | one', { anchor: '\ud800' })] }),
      /line 2: findings\[0\]\.anchor: not the anchor of a finding; /,
    ],
    [
      'a name that no directory can have',
      JSON.stringify({ ...NIGHT, directory: 'a\0b' }),
      /line 2: directory: not the name of a directory/,
    ],
    ['a path', JSON.stringify({ ...NIGHT, directory: '../x' }), /line 2: directory: not the name of a directory/],
  ])('%s is refused with its line', async (_, line, message) => {
    await append();
    await writeFile(at('history.jsonl'), `${await readFile(at('history.jsonl'), 'utf8')}${line}\n`);
    await expect(history()).rejects.toThrow(message);
  });
});
