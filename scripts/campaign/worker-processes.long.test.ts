/** Runs whose workers are processes: what only those can suffer. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

/** Milliseconds that a test of many processes may take on a machine that has others to run. */
const PATIENCE = 180_000;

const clone = inject('clone');
const entry = join(clone, 'dist', 'scripts', 'shadowdiff.js');
const compiled = join(clone, 'build');

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'shadowdiff-nightly-'));
  for (const [name, text] of Object.entries(TROUBLED)) writeFileSync(join(compiled, name), text);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const at = (...path: readonly string[]): string => join(directory, ...path);

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `meanwhile`: done while the command runs. */
const command = async (
  script: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  meanwhile: (pid: number, isOver: () => boolean) => Promise<void> = () => Promise.resolve(),
): Promise<Ended> => {
  const child = spawn(process.execPath, [script, ...words], { cwd: directory, env: { ...process.env, ...env } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  await meanwhile(child.pid!, () => child.exitCode !== null);
  return { code: await closed, out, err };
};

/** A sound machine that misbehaves on the programs of three draws, beside the command and the worker that know it. */
const TROUBLED: Readonly<Record<string, string>> = {
  'troubled-subject.mjs': `
    import { ShadowMachine } from './impl/shadow-machine.js';
    import { subjectNamed } from './properties/subjects/subject-names.js';
    const { hang, die, grow } = JSON.parse(process.env.TROUBLES);
    class Troubled extends ShadowMachine {
      create(config) {
        if (config.draw === hang) for (;;);
        if (config.draw === die) process.abort();
        if (config.draw === grow) for (const heap = []; ; ) heap.push(new Array(10000).fill({}));
        return super.create(config);
      }
    }
    const troubled = { kind: 'in-process', name: 'troubled', create: () => new Troubled() };
    export const named = (name, ...others) => (name === 'troubled' ? troubled : subjectNamed(name, ...others));
  `,
  'troubled-worker.mjs': `
    import { becomeWorker } from './scripts/campaign/worker-process.js';
    import { named } from './troubled-subject.mjs';
    export default becomeWorker(named);
  `,
  'troubled.mjs': `
    import { main } from './scripts/cli/main.js';
    import { ProcessPool } from './scripts/campaign/worker-pool.js';
    import { processSurroundings } from './scripts/cli/process-surroundings.js';
    import { named } from './troubled-subject.mjs';
    const worker = { module: new URL('./troubled-worker.mjs', import.meta.url), heap: 48 };
    const workers = (options) => new ProcessPool(worker, options);
    process.exitCode = await main(process.argv.slice(2), { ...processSurroundings(), subjectNamed: named, workers });
  `,
};

interface Program {
  readonly machine: { readonly draw: number };
}

const drawOf = (campaign: string, program: number): number => {
  const words = ['seeds', '--campaign', campaign, '--program', String(program), '--print'];
  return (JSON.parse(spawnSync(process.execPath, [entry, ...words], { encoding: 'utf8' }).stdout) as Program).machine
    .draw;
};

interface Finding {
  readonly signature: string;
  readonly program: number;
  readonly count: number;
  readonly shown: number;
  readonly file: string;
}

interface SummaryJson {
  readonly programs: number;
  readonly findings: readonly Finding[];
}

const summaryIn = (name: string): SummaryJson =>
  JSON.parse(readFileSync(at(name, 'summary.json'), 'utf8')) as SummaryJson;

/** What a run found, whenever and however smoothly it did. */
const timeless = (name: string): string =>
  readFileSync(at(name, 'summary.json'), 'utf8')
    .replace(/^ "time": \{[^}]*\},\n/m, '')
    .replace(/^ "retries": \d+,\n/m, '');

describe('workers that fail', () => {
  test('are replaced, their programs are findings, and the run goes on', async () => {
    const draws = { hang: drawOf('troubles', 3), die: drawOf('troubles', 40), grow: drawOf('troubles', 41) };
    expect(new Set(Object.values(draws)).size).toBe(3);
    const words = [
      '--subject',
      'troubled',
      '--programs',
      '100',
      '--seed',
      'troubles',
      '--jobs',
      '2',
      '--out',
      'troubles',
    ];
    const env = { TROUBLES: JSON.stringify(draws), NO_COLOR: '1' };
    const { code, out, err } = await command(
      join(compiled, 'troubled.mjs'),
      ['nightly', ...words, '--case-timeout', '2s'],
      env,
    );
    expect(code).toBe(1);
    // The last words of a worker are not for the terminal.
    expect(err).not.toContain('heap');
    const { programs, findings } = summaryIn('troubles');
    expect(programs).toBe(100);
    expect(findings.map(({ signature, program, count, shown }) => [signature, program, count, shown])).toEqual([
      ['subject-timeout | create | the worker hung', 3, 1, 3],
      ['subject-crash | create | the worker died', 40, 1, 3],
      ['subject-crash | create | the worker ran out of memory', 41, 1, 3],
    ]);
    expect(out).toContain('new       subject-timeout | create | the worker hung');
    for (const { file } of findings) expect(existsSync(at(file))).toBe(true);
    expect(existsSync(at('corpus'))).toBe(false);
  });
});

describe('workers that are killed from outside', () => {
  const KILLS = 25;
  const CAMPAIGN = ['--programs', '20000', '--seed', 'kills', '--max-tries', '100', '--jobs', '2'];

  const workersOf = (pid: number): readonly number[] =>
    spawnSync('pgrep', ['-P', String(pid), '-f', 'tinypool'], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean)
      .map(Number);

  /** Runs `nightly` and kills one of its workers again and again, but not before the run has come further. */
  const killing = async (
    words: readonly string[],
    events: string,
    signal: NodeJS.Signals,
  ): Promise<Ended & { kills: number }> => {
    let kills = 0;
    let size = 0;
    const ended = await command(entry, ['nightly', ...words], { NO_COLOR: '1' }, async (pid, isOver) => {
      while (kills < KILLS && !isOver()) {
        await sleep(30);
        const grown = existsSync(events) ? statSync(events).size : 0;
        if (grown <= size) continue;
        size = grown;
        const workers = workersOf(pid);
        if (workers.length > 0 && kill(workers[kills % workers.length], signal)) kills++;
      }
    });
    return { ...ended, kills };
  };

  test.each([
    ['a sound machine', 'impl', 'SIGKILL', 0],
    ['a sound machine', 'impl', 'SIGTERM', 0],
    ['a planted bug', 'impl:device-border-off-by-one', 'SIGKILL', 1],
  ] as const)('do not change what a run finds of %s (%s, %s)', async (_, subject, signal, expected) => {
    const name = `killed-${subject.replace(':', '-')}-${signal}`;
    const words = [...CAMPAIGN, '--subject', subject, '--corpus', at(`${name}-corpus`), '--out', name];
    const smooth = await command(entry, ['nightly', ...words]);
    const before = timeless(name);
    rmSync(at(name), { recursive: true });
    rmSync(at(`${name}-corpus`), { recursive: true, force: true });
    const rough = await killing(words, at(name, 'events.jsonl'), signal);
    expect(rough.kills).toBeGreaterThan(5);
    expect([smooth.code, rough.code]).toEqual([expected, expected]);
    expect(rough.out).toMatch(/^workers {3}failed or were killed \d+ times?; their tasks were tried again$/m);
    expect(timeless(name)).toBe(before);
  });
});

describe('a command as subject', () => {
  /** Writes down who it is, and never answers. */
  const MUTE = `exec:sh -c 'echo $$ >> mute.pids; exec sleep 600'`;
  const WORDS = [
    '--subject',
    MUTE,
    '--programs',
    '3',
    '--jobs',
    '1',
    '--corpus',
    'mute-corpus',
    '--shrink-time',
    '1ms',
  ];

  const PIDS = 'mute.pids';
  const started = (): readonly number[] =>
    existsSync(at(PIDS)) ? readFileSync(at(PIDS), 'utf8').trim().split('\n').map(Number) : [];

  test('that does not answer is a finding, and ends with the run', async () => {
    const { code } = await command(entry, ['nightly', ...WORDS, '--out', 'mute', '--case-timeout', '100ms']);
    expect(code).toBe(1);
    expect(summaryIn('mute').findings).toEqual([
      expect.objectContaining({ signature: 'subject-timeout | create | the subject did not answer', count: 3 }),
    ]);
    expect(started().length).toBeGreaterThan(2);
    await until(() => !started().some(isAlive));
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('ends with a run that %s ends', async (signal) => {
    rmSync(at(PIDS), { force: true });
    const words = ['nightly', ...WORDS, '--out', `mute-${signal}`, '--case-timeout', '1m'];
    // A group of its own, so that it can be seen whether all of it is gone.
    const child = spawn(process.execPath, [entry, ...words], { cwd: directory, stdio: 'ignore', detached: true });
    const code = new Promise((resolve) => child.once('close', resolve));
    // The first one was only to see whether it starts.
    await until(() => started().length === 2);
    child.kill(signal);
    expect(await code).toBe(signal === 'SIGINT' ? 130 : null);
    await until(() => !isAlive(-child.pid!) && !started().some(isAlive));
  });
});

/** False if it has ended. */
const kill = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
};

/** Of a process; of a group, by its negative number. */
const isAlive = (pid: number): boolean => kill(pid, 0);

const until = async (holds: () => boolean): Promise<void> => {
  for (const start = performance.now(); !holds(); await sleep(50)) {
    if (performance.now() - start > PATIENCE) throw new Error(`waited in vain: ${String(holds)}`);
  }
};

describe('a run that is cut off', () => {
  const CAMPAIGN = ['--programs', '2000', '--seed', 'cut', '--subject', 'impl:device-border-off-by-one', '--jobs', '2'];
  const BRIEF = ['--max-tries', '1', '--max-steps', '48'];

  /** Kills a run at some moment, its workers left to notice; answers whether it was still at work. */
  const killAfter = async (words: readonly string[], moment: () => Promise<void>): Promise<boolean> => {
    const child = spawn(process.execPath, [entry, 'nightly', ...words], { cwd: directory, stdio: 'ignore' });
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    await Promise.race([moment(), closed]);
    const working = child.exitCode === null;
    child.kill('SIGKILL');
    await closed;
    return working;
  };

  /** Waits until the run that is cut has written this many more events. */
  const eventsBeyond = (more: number): (() => Promise<void>) => {
    const count = (): number => readFileSync(at('cut', 'events.jsonl'), 'utf8').split('\n').length;
    const before = count();
    return () => until(() => count() >= before + more);
  };

  test(
    'at any moment goes on, and nothing is lost or counted twice',
    async () => {
      await command(entry, ['nightly', ...CAMPAIGN, ...BRIEF, '--out', 'uncut', '--corpus', 'uncut-corpus']);
      await killAfter([...CAMPAIGN, ...BRIEF, '--out', 'cut', '--corpus', 'cut-corpus'], () =>
        until(() => existsSync(at('cut', 'run.json'))),
      );
      let kills = 1;
      // After more work each time, so that it ends at last.
      for (
        let work = 2;
        await killAfter(['--resume', 'cut', '--corpus', 'cut-corpus'], eventsBeyond(work));
        work = Math.ceil(work * 1.5)
      )
        kills++;
      expect(kills).toBeGreaterThan(2);
      expect(timeless('cut')).toBe(timeless('uncut').replaceAll('uncut', 'cut'));
      expect(readdirSync(at('cut', 'findings'))).toEqual(readdirSync(at('uncut', 'findings')));
    },
    PATIENCE,
  );
});

test('a full disk ends a run with what it has, and it goes on when there is space', async () => {
  const words = 'nightly --programs 700 --seed full --jobs 2 --min-programs 0 --corpus full-corpus';
  const limited = spawnSync('bash', ['-c', `ulimit -f 1; exec "${process.execPath}" "${entry}" ${words} --out full`], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect([limited.status, limited.stderr]).toEqual([
    2,
    expect.stringMatching(/events\.jsonl: cannot be written: .*--resume/),
  ]);
  const { code, err } = await command(entry, ['nightly', '--resume', 'full', '--corpus', 'full-corpus']);
  expect(err).toMatch(/line \d+ was torn/);
  expect(code).toBe(0);
  expect(summaryIn('full').programs).toBe(700);
});
