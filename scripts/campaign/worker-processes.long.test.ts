/** Runs whose workers are processes: what only those can suffer. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const command = async (script: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => {
  const child = spawn(process.execPath, [script, ...words], { cwd: directory, env: { ...process.env, ...env } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
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
    const worker = { module: new URL('./troubled-worker.mjs', import.meta.url), heap: 96 };
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
  readonly shown: { readonly times: number; readonly runs: number };
  readonly file: string;
}

interface SummaryJson {
  readonly programs: number;
  readonly findings: readonly Finding[];
}

const summaryIn = (name: string): SummaryJson =>
  JSON.parse(readFileSync(at(name, 'summary.json'), 'utf8')) as SummaryJson;

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
    expect(
      findings.map(({ signature, program, count, shown }) => [signature, program, count, shown.times === shown.runs]),
    ).toEqual([
      ['subject-timeout | create | the worker hung', 3, 1, true],
      ['subject-crash | create | the worker died', 40, 1, true],
      ['subject-crash | create | the worker ran out of memory', 41, 1, true],
    ]);
    expect(out).toContain('new       subject-timeout | create | the worker hung');
    for (const { file } of findings) expect(existsSync(at(file))).toBe(true);
    expect(existsSync(at('corpus'))).toBe(false);
  });
});

describe('a command as subject', () => {
  /** Writes down its number, answers the line that asks who it is, and never answers a program. */
  const MUTE = `exec:sh -c 'echo $$ >> mute.pids; read line; echo {}; exec sleep 600'`;
  const WORDS = [
    '--subject',
    MUTE,
    '--seed',
    'mute',
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
    // It was started to say who it is, and again to see whether it answers as a version 1.
    await until(() => started().length === 3);
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

test('a full disk ends a run with what it has, and it goes on when there is space', async () => {
  /** `blocks`: how many a file may have, each of 1024 bytes. */
  const limited = (blocks: number, words: string): readonly unknown[] => {
    const script = `ulimit -f ${blocks}; exec "${process.execPath}" "${entry}" nightly ${words} --corpus full-corpus`;
    const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: directory, encoding: 'utf8' });
    return [status, stderr];
  };
  const unwritable = (file: string): RegExp =>
    new RegExp(`${file}: cannot be written: .* resume with nightly --resume`);
  const begun = limited(1, '--programs 700 --seed full --jobs 2 --min-programs 0 --out full');
  expect(begun).toEqual([2, expect.stringMatching(unwritable('events.jsonl'))]);
  expect(limited(0, '--resume full')).toEqual([2, expect.stringMatching(unwritable('run.json'))]);
  const { code, err } = await command(entry, ['nightly', '--resume', 'full', '--corpus', 'full-corpus']);
  expect(err).toMatch(/line \d+ was torn/);
  expect(code).toBe(0);
  expect(summaryIn('full').programs).toBe(700);
});
