/** Whole calls of `bisect` on a small repository, whose machine is the example in Python. */

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capturedCall } from '../../../test-support/captured-call.js';

const WALKER = fileURLToPath(new URL('../../examples/walker.py', import.meta.url));
const CORPUS = fileURLToPath(new URL('../../../corpus', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);
const git = (...words: readonly string[]): string =>
  execFileSync('git', ['-C', at('repo'), ...words], { encoding: 'utf8' }).trim();

const commit = (subject: string, change: (text: string) => string): void => {
  writeFileSync(at('repo', 'machine.py'), change(readFileSync(at('repo', 'machine.py'), 'utf8')));
  git('add', '.');
  git('-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '--quiet', '--message', subject);
};

const bisect = (...words: readonly string[]) =>
  capturedCall(['bisect', at('program.json'), '--repo', at('repo'), '--subject', 'exec:python3 machine.py', ...words]);

const comment =
  (text: string) =>
  (old: string): string =>
    `${old}# ${text}\n`;
beforeAll(() => {
  if (!hasPython) return;
  directory = mkdtempSync(join(tmpdir(), 'bisect-'));
  execFileSync('git', ['init', '--quiet', at('repo')]);
  copyFileSync(WALKER, at('repo', 'machine.py'));
  const machine = { paging: '2-level', guestPages: 4, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 };
  const steps = [{ op: 'access', vaddr: '0x0', kind: 'read', mode: 'kernel' }];
  writeFileSync(at('program.json'), JSON.stringify({ format: 'shadowdiff-program/1', machine, steps }));
  commit('one', comment('one'));
  commit('two', comment('two'));
  commit('cannot be built', comment('UNBUILDABLE'));
  commit('mend the build', (old) => old.replace('# UNBUILDABLE\n', ''));
  commit('the one that broke it', (old) =>
    old.replace('def run(program):\n', 'def run(program):\n    raise SystemExit(0)\n'),
  );
  commit('six', comment('six'));
  commit('seven', comment('seven'));
});
afterAll(() => {
  if (hasPython) rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(!hasPython)('bisect', () => {
  const BUILD = ['--build', '! grep -q UNBUILDABLE machine.py'];

  test('finds the commit, past one that cannot be built, and leaves the checkout alone', async () => {
    writeFileSync(at('repo', 'machine.py'), 'half a thought');
    const before = [git('status', '--porcelain'), git('rev-parse', 'HEAD')];
    const { code, out, err } = await bisect('--good', 'HEAD~6', ...BUILD);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^first bad commit: [0-9a-f]+ the one that broke it \(A, /);
    expect(out).toMatch(/^ *machine\.py .*\n 1 file changed/m);
    expect([git('status', '--porcelain'), git('rev-parse', 'HEAD')]).toEqual(before);
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('shadowdiff-bisect-'))).toEqual([]);
    git('checkout', '--quiet', '--', '.');
  }, 60_000);

  test('says if an end is not what it is said to be', async () => {
    expect(await bisect('--good', 'HEAD')).toMatchObject({
      code: 2,
      err: expect.stringContaining('both sides diverge on it too'),
    });
    const bad = await bisect('--good', 'HEAD~6', '--bad', 'HEAD~5');
    expect(bad).toMatchObject({ code: 2, err: expect.stringContaining('both sides agree on it') });
    const unbuilt = await bisect('--good', 'HEAD~4', '--bad', 'HEAD~4', ...BUILD);
    expect(unbuilt).toMatchObject({ code: 2, err: expect.stringContaining('cannot be built') });
  }, 60_000);

  /** The program, as a counterexample that was recorded for some signature. */
  const bisectEntry = (recorded: object) => {
    const program = JSON.parse(readFileSync(at('program.json'), 'utf8')) as object;
    const name = readdirSync(CORPUS).find((each) => each.endsWith('.json'))!;
    const entry = JSON.parse(readFileSync(join(CORPUS, name), 'utf8')) as object;
    const here = { traffic: 'hostile', program, place: { kind: 'step', index: 0 }, ...recorded };
    writeFileSync(at('entry.json'), JSON.stringify({ ...entry, ...here }));
    const words = ['bisect', at('entry.json'), '--repo', at('repo'), '--subject', 'exec:python3 machine.py'];
    return capturedCall([...words, '--good', 'HEAD~6', ...BUILD]);
  };

  test('finds the commit of a recorded divergence', async () => {
    const [invariant, stage, difference] = ['subject-crash', 'create', 'the subject crashed: exited with code 0'];
    const signature = `${invariant} | ${stage} | ${difference}`;
    const recorded = { invariant, stage, difference, signature, place: { kind: 'create' } };
    const { code, out, err } = await bisectEntry(recorded);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^first bad commit: [0-9a-f]+ the one that broke it \(A, /);
  }, 60_000);

  test('does not blame a commit for another divergence than the recorded one', async () => {
    const { code, err } = await bisectEntry({});
    expect([code, err]).toEqual([2, expect.stringContaining('diverges in another way')]);
  }, 60_000);

  test('builds no commit after an interruption', async () => {
    const words = ['bisect', at('program.json'), '--repo', at('repo'), '--subject', 'exec:python3 machine.py'];
    const interruptedAtOnce = {
      onInterrupt: (listener: () => void) => {
        listener();
        return () => undefined;
      },
    };
    const { code } = await capturedCall(
      [...words, '--good', 'HEAD~6', '--build', `touch '${at('built')}'`],
      interruptedAtOnce,
    );
    expect([code, existsSync(at('built'))]).toEqual([130, false]);
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  }, 60_000);

  test('refuses what is no commit, and what is no repository', async () => {
    expect((await bisect('--good', 'nothing')).err).toContain('not a commit of');
    const { code, err } = await capturedCall(['bisect', at('program.json'), '--good', 'HEAD', '--repo', directory]);
    expect([code, err]).toEqual([2, expect.stringContaining('look at --repo')]);
  });
});
