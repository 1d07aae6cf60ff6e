/** The time that a run has, for exploring and for shrinking, and what it says where that is too short. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runInProcess, spiedPool } from '../../test-support/in-process-run.js';
import { directoryForEachTest } from '../../test-support/test-directory.js';

const at = directoryForEachTest();

/** Milliseconds that pass whenever the clock is read, as on a slow subject. */
const TICK = 200;

const slowly = async (...words: readonly string[]) => {
  let now = 0;
  const monotonic = (): number => (now += TICK);
  const sides = ['--subject', 'impl:reference-held-twice', '--jobs', '1', '--seed', 'slow', '--max-steps', '48'];
  return await runInProcess(['fuzz', ...sides, '--corpus', at('corpus'), ...words], { monotonic });
};

test('what has no time to become small is continued by the last line', async () => {
  const { code, out } = await slowly('--time', '20s', '--shrink-time', '1s');
  expect(code).toBe(1);
  expect(out).toMatch(/^ {2}size .*(not shrunk|\(cut short)/m);
  const [, file] = /\nthe time for shrinking was too short; shrink further with:\n.* shrink (\S+) --write$/m.exec(
    out,
  ) as unknown as [string, string];
  const { code: shrunk, err } = await runInProcess(['shrink', file, '--write']);
  expect([shrunk, err]).toEqual([0, expect.stringMatching(/\d+ steps shrunk to \d+, [\d,]+ programs tried/)]);
});

test.each([
  [['--time', '1s'], 200],
  [['--time', '1s', '--shrink-time', '3s'], 3000],
  [['--programs', '20'], null],
])('the time for shrinking of %j is %j ms', async (words, time) => {
  const run = at('run');
  await runInProcess(['fuzz', '--jobs', '1', '--seed', 'few', '--out', run, ...words]);
  const record = JSON.parse(await readFile(join(run, 'run.json'), 'utf8')) as { parts: [{ shrinkTime: number }] };
  expect(record.parts[0].shrinkTime).toBe(time);
});

test('a run of fewer programs than --min-programs is inconclusive', async () => {
  const fuzz = (...words: readonly string[]) =>
    runInProcess(['fuzz', '--jobs', '1', '--seed', 'few', '--programs', '20', ...words]);
  expect((await fuzz()).code).toBe(0);
  const { code, out } = await fuzz('--min-programs', '21');
  expect([code, out]).toEqual([3, expect.stringContaining('20 programs ran, and --min-programs asks for 21')]);
});

test('however long workers take to start, the first programs run', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const pool = spiedPool(() => void vi.advanceTimersByTime(60_000));
    let now = 0;
    const { code, out } = await runInProcess(
      ['fuzz', '--time', '12s', '--jobs', '2', '--seed', 'few', '--max-steps', '48', '--min-programs', '1'],
      { workers: () => Promise.resolve(pool), monotonic: () => (now += 60_000) },
    );
    expect([code, out]).toEqual([0, expect.stringMatching(/^programs +512 with /m)]);
  } finally {
    vi.useRealTimers();
  }
});
