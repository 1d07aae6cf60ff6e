/** Which programs of a campaign are judged in full, and how a run counts them. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { isJudged } from '../../properties/campaign/programs.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { runInProcess } from '../../test-support/in-process-run.js';

const at = directoryForEachTest();

const fuzz = (name: string, ...words: readonly string[]): Promise<CapturedCall> =>
  runInProcess(['fuzz', '--jobs', '1', '--max-steps', '48', '--out', at(name), '--corpus', at('corpus'), ...words]);

const jsonIn = async <Type>(name: string, file: string): Promise<Type> =>
  JSON.parse(await readFile(join(at(name), file), 'utf8')) as Type;

test('counts say how many programs were judged in full', async () => {
  const programs = Array.from({ length: 96 }, (_, program) => program);
  const judged = programs.filter((program) => isJudged(program, 0.25)).length;
  const { code, out } = await fuzz('quarter', '--programs', '96', '--judge', '0.25');
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^programs +96 with [\\d,]+ steps, ${judged} of them judged in full$`, 'm'));
  expect(out).toContain(`in 96 programs, ${judged} of them judged in full`);
  expect(await jsonIn('quarter', 'summary.json')).toMatchObject({ programs: 96, judged });
  expect(await readFile(join(at('quarter'), 'report.html'), 'utf8')).toContain(`96, ${judged} of them judged in full`);
});

test.each<readonly [string, readonly string[], number]>([
  ['a short campaign', ['--programs', '2000', '--time', '1ms'], 1],
  ['a longer one', ['--programs', '2001', '--time', '1ms'], 1 / 16],
  ['one that time ends', ['--time', '1ms'], 1 / 16],
  ['one of some invariants', ['--time', '1ms', '--invariant', 'translation'], 1],
  ['one that asks for it', ['--time', '1ms', '--judge', 'all'], 1],
])('%s has its share', async (_, words, judge) => {
  await fuzz('some', ...words);
  expect((await jsonIn<{ campaign: object }>('some', 'run.json')).campaign).toMatchObject({ judge });
});

test.each([
  [['--judge', '0'], 'Give "all", or a number up to 1 that is more than 0, such as 0.0625.'],
  [['--judge', '0.5', '--invariant', 'translation'], '--judge: a run of some invariants judges every program in full'],
])('%j is refused', async (words, why) => {
  const { code, err } = await fuzz('never', '--programs', '1', ...words);
  expect([code, err]).toEqual([2, expect.stringContaining(why)]);
});

test('a run that resumes keeps its share', async () => {
  const words = ['--jobs', '1', '--seed', 'share', '--corpus', at('corpus'), '--max-steps', '48', '--programs', '8'];
  await runInProcess(['nightly', ...words, '--judge', '0.25', '--out', at('night')]);
  const { code, err } = await runInProcess([
    'nightly',
    '--resume',
    at('night'),
    '--corpus',
    at('corpus'),
    '--judge',
    'all',
  ]);
  expect([code, err]).toEqual([2, expect.stringContaining('--judge: a resumed run keeps its own')]);
});
