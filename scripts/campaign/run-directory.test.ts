/** What happens to the directory of a run from outside, and to a run that was cut off at its start or its end. */

import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { filesBelow, runInProcess, spiedPool } from '../../test-support/in-process-run.js';
import type { Task } from './tasks.js';

const at = directoryForEachTest();

const CAMPAIGN = [
  '--subject',
  'impl:reference-held-twice',
  '--programs',
  '100',
  '--seed',
  'three',
  '--max-steps',
  '48',
];
const BRIEF = ['--max-tries', '4', '--min-programs', '1', '--jobs', '1'];
const places = (): readonly string[] => ['--out', at('run'), '--corpus', at('corpus')];

const resumed = (): readonly string[] => ['--resume', at('run'), '--corpus', at('corpus')];

const nightly = (
  words: readonly string[] = [...CAMPAIGN, ...BRIEF, ...places()],
  spy: (task: Task) => void | Promise<void> = () => undefined,
): Promise<CapturedCall> => runInProcess(['nightly', ...words], { workers: () => spiedPool(spy) });

/** Calls `first` before the first shrinking. */
const whenShrinking = (first: () => void | Promise<void>): ((task: Task) => Promise<void>) => {
  let done = false;
  return async ({ kind }) => {
    if (kind !== 'shrink' || done) return;
    done = true;
    await first();
  };
};

describe('a run that was cut off', () => {
  test('as a merge, before it was complete, is no place for another run', async () => {
    await mkdir(at('run'));
    await writeFile(at('run', 'events.jsonl'), '');
    const { code, err } = await nightly();
    expect([code, err]).toEqual([2, expect.stringContaining('events without their run.json are here; name another')]);
    expect(await readdir(at('run'))).not.toContain('run.json');
  });

  test('while it wrote files leaves halves of them, which resuming removes', async () => {
    await nightly();
    const before = Object.keys(await filesBelow(at()));
    const [entry] = await readdir(at('corpus'));
    const halves = [
      ...['run.json.12', 'summary.json.345', 'report.html.6', `findings/${entry}.7`].map((name) => `run/${name}`),
      `corpus/${entry}.8`,
    ];
    for (const name of [...halves, 'run/mine.json.1', 'corpus/another.json.2']) await writeFile(at(name), '');
    expect((await nightly(resumed())).code).toBe(1);
    expect(Object.keys(await filesBelow(at()))).toEqual(
      [...before, 'run/mine.json.1', 'corpus/another.json.2'].toSorted(),
    );
  });
});

test.each(['summary.json', 'report.html', 'findings'])(
  'a run that holds a link %s writes nothing through it',
  async (name) => {
    await nightly();
    await writeFile(at('victim'), 'kept');
    await rm(at('run', name), { recursive: true });
    await symlink(name === 'findings' ? at() : at('victim'), at('run', name));
    const { code, err } = await nightly(resumed());
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('this is a link, and results are not written through links'),
    ]);
    expect(await readFile(at('victim'), 'utf8')).toBe('kept');
  },
);

describe('two processes', () => {
  test('do not work on one run, or in one directory', async () => {
    const attempts: readonly (readonly [words: readonly string[], refusal: string])[] = [
      [['nightly', ...resumed()], 'run.lock: another process works on this run; wait until it ends'],
      [['nightly', ...CAMPAIGN, ...BRIEF, ...places()], 'run.lock: another process works on this run'],
      [['merge', at('run'), '--out', at('run')], 'a run that is not merged is here'],
    ];
    const refused: CapturedCall[] = [];
    const first = await nightly(
      undefined,
      whenShrinking(async () => {
        for (const [words] of attempts) refused.push(await runInProcess(words));
      }),
    );
    expect(first.code).toBe(1);
    for (const [index, { code, err }] of refused.entries())
      expect([code, err]).toEqual([2, expect.stringContaining(attempts[index][1])]);
  });
});

describe('a directory that is changed while the run goes on', () => {
  /** What was found is printed, and kept where that is possible. */
  const expectFound = async ({ code, out, err }: CapturedCall, why: string): Promise<void> => {
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/run: changed by another process while the run wrote to it: /),
    ]);
    expect(err).toContain(why);
    expect(out).toContain('reference-count');
    expect(out).toContain('shadowdiff replay');
    expect(await readdir(at('corpus'))).not.toEqual([]);
  };

  test('because it was deleted', async () => {
    const deleting = whenShrinking(() => rm(at('run'), { recursive: true }));
    await expectFound(await nightly(undefined, deleting), 'no such file or directory');
  });

  test('because another one took its place', async () => {
    const replacing = whenShrinking(async () => {
      await cp(at('run'), at('copy'), { recursive: true });
      await rm(at('run'), { recursive: true });
      await cp(at('copy'), at('run'), { recursive: true });
    });
    await expectFound(await nightly(undefined, replacing), 'another file is here now');
  });
});

test.each(['summary.json', 'report.html'])('%s cannot be written: what was found is printed first', async (file) => {
  await mkdir(at('run', file), { recursive: true });
  const { code, out, err } = await nightly();
  expect([code, err]).toEqual([
    2,
    expect.stringMatching(/cannot be written: .*; free space or resume with nightly --resume/),
  ]);
  expect(out).toMatch(/^new {7}reference-count/m);
  expect(out).toContain('shadowdiff replay');
});

test('an interruption while results are written waits until they are', async () => {
  const written: boolean[] = [];
  const onInterrupt = () => () => void written.push(existsSync(at('run', 'report.html')));
  await runInProcess(['nightly', ...CAMPAIGN, ...BRIEF, ...places()], { onInterrupt });
  expect(written).toEqual([true]);
});
