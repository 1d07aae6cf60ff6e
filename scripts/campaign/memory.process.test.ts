/** Subjects that remember something from program to program, that lie by chance, and that fail at the end of their input. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { parseCounterexample } from '../../properties/corpus/counterexample.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import type { Summary } from '../report/document/summary-document.js';

const clone = inject('clone');
const entry = join(clone, 'dist', 'scripts', 'shadowdiff.js');

/** The reference behind a pipe. `lies`: whether it counts a table too many in its answer, the `n`th; `leaks`: at the end of its input. */
const SUBJECT = `
import { createInterface } from 'node:readline';
const built = (path) => import(${JSON.stringify(pathToFileURL(join(clone, 'build/')).href)} + path);
const { ReferenceMachine } = await built('model/machine.js');
const { parseProgram, formatTrace } = await built('properties/formats/index.js');
const { traceOf } = await built('properties/trace-of.js');
const LIES = { chance: () => Math.random() < 1 / 40, after: (n) => n > 50, fixed: () => false, leak: () => false };
const LEAKS = \`==1==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 24 byte(s) in 1 object(s) allocated from:
    #0 0x7f0001 in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x560001 in make_table /home/me/mine.c:10

SUMMARY: LeakSanitizer: 24 byte(s) leaked in 1 allocation(s).
\`;
const mode = process.argv[2];
let answers = 0;
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line.includes('shadowdiff-hello')) return void console.log('{"format":"shadowdiff-hello/2"}');
    const trace = JSON.parse(formatTrace(traceOf(new ReferenceMachine(), parseProgram(line, 'input'))));
    if (LIES[mode](++answers) && trace.created.tables !== undefined) trace.created.tables++;
    console.log(JSON.stringify(trace));
  })
  .on('close', () => {
    if (mode !== 'leak' || answers < 3) return;
    process.stderr.write(LEAKS);
    process.exitCode = 23;
  });
`;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'shadowdiff-memory-'));
  writeFileSync(join(directory, 'subject.mjs'), SUBJECT);
});
afterEach(() => rmSync(join(directory, 'out'), { recursive: true, force: true }));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const subject = (mode: string): string => `exec:${process.execPath} ${join(directory, 'subject.mjs')} ${mode}`;

const shadowdiff = (...words: readonly string[]) => {
  const env = { ...process.env, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...words], {
    cwd: directory,
    encoding: 'utf8',
    env,
  });
  return { code: status, out: stdout, err: stderr };
};

const fuzz = (mode: string, programs: number, ...words: readonly string[]) =>
  shadowdiff(
    'fuzz',
    '--subject',
    subject(mode),
    '--programs',
    `${programs}`,
    '--seed',
    'memory',
    '--jobs',
    '2',
    '--max-steps',
    '48',
    ...words,
  );

const corpus = (): string => join(directory, 'out', 'corpus');
const kept = (): readonly { readonly path: string; readonly finding: Finding }[] =>
  (existsSync(corpus()) ? readdirSync(corpus()) : []).map((name) => {
    const path = join(corpus(), name);
    return { path, finding: parseCounterexample(readFileSync(path, 'utf8'), path) };
  });

test('what shows by chance is flaky, and kept nowhere', () => {
  // What is there by chance may be searched for long.
  const { code, out, err } = fuzz('chance', 400, '--shrink-time', '10s');
  expect([code, err]).toEqual([1, '']);
  expect(out).toMatch(/^flaky {5}.* shows in \d of 10 runs\)$/m);
  expect(out).not.toMatch(/^new /m);
  expect(out).toMatch(/^divergence: \d kinds? of finding \(none new, \d flaky\) in 400 programs/m);
  expect(kept()).toEqual([]);
  expect(existsSync(join(directory, 'corpus'))).toBe(false);
});

test('a night keeps what a subject remembers, and the next one replays it as recorded', () => {
  const night = (seed: string) => {
    const words = [
      '--jobs',
      '1',
      '--programs',
      '60',
      '--min-programs',
      '0',
      '--max-steps',
      '48',
      '--shrink-time',
      '1m',
    ];
    return shadowdiff('nightly', '--subject', subject('after'), ...words, '--seed', seed, '--out', `out/${seed}`);
  };
  expect(night('one').out).toMatch(/^new {7}\S.* \(0 steps behind \d+ other programs, \d+ programs\)$/m);
  const [{ path, finding }] = kept();
  const again = night('two');
  expect(again.out).toMatch(/^corpus {4}1 entry replayed, as recorded$/m);
  expect(again.out).toMatch(/^known {5}\S.* \(0 steps behind /m);
  expect(again.code).toBe(1);
  const { findings } = JSON.parse(readFileSync(join(directory, 'out', 'one', 'summary.json'), 'utf8')) as Summary;
  expect(findings).toMatchObject([{ file: relative(directory, path), programsBefore: finding.before!.length }]);
});

test('what a subject remembers is kept with the programs before it, which are few and small', () => {
  const { code, out } = fuzz('after', 200);
  expect(code).toBe(1);
  expect(out.replace(/\s+/g, ' ')).toContain(
    'behind 50 other programs in the same process: the subject remembers something from an earlier program',
  );
  expect(kept()).toHaveLength(1);
  const [{ path, finding }] = kept();
  expect(finding.before!.map(({ steps }) => steps.length)).toEqual(Array.from({ length: 50 }, () => 0));
  expect(finding.case.program.steps).toEqual([]);

  const regress = shadowdiff('regress', '--corpus', corpus(), '--allow-exec');
  expect([regress.code, regress.out]).toEqual([1, expect.stringContaining('still diverges: table-accounting')]);
  const replay = shadowdiff('replay', path, '--allow-exec');
  expect([replay.code, replay.out]).toEqual([
    1,
    expect.stringContaining('  behind 50 other programs in the same process'),
  ]);
  const explain = shadowdiff('explain', path, '--allow-exec');
  expect(explain.out.replace(/\s+/g, ' ')).toContain(
    'The subject remembers something from an earlier program: the divergence shows only',
  );
  const alone = { ...(JSON.parse(readFileSync(path, 'utf8')) as object), before: [] };
  writeFileSync(join(directory, 'alone.json'), JSON.stringify(alone));
  expect(shadowdiff('replay', join(directory, 'alone.json'), '--allow-exec').code).toBe(0);

  const shrink = shadowdiff('shrink', path, '--allow-exec', '--max-tries', '3');
  expect([shrink.code, (JSON.parse(shrink.out) as { before: unknown[] }).before.length]).toEqual([0, 50]);

  // Once it is mended, the entry is stale, and the message says how to be rid of it.
  const mended = JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), subject: subject('fixed') });
  writeFileSync(path, mended);
  const stale = shadowdiff('regress', '--corpus', corpus(), '--allow-exec');
  expect([stale.code, stale.out]).toEqual([1, expect.stringContaining('corpus prune --stale')]);
});

test('a leak at the end of input is a finding of the run, in words of the sanitizer', () => {
  const signature = 'subject-crash | end-of-input | the subject crashed: LeakSanitizer: memory leak in make_table';
  const { code, out } = fuzz('leak', 100);
  expect([code, out]).toEqual([1, expect.stringContaining(`finding: ${signature}`)]);
  expect(out).toMatch(/^ {2}at +the end of input$/m);
  const [{ path, finding }, ...others] = kept();
  expect(others).toEqual([]);
  expect(signatureOf(finding.divergence)).toBe(signature);
  expect(finding.divergence.standardError).toContain('Direct leak of 24 byte(s)');
  expect(finding.before).toHaveLength(2);
  const explain = shadowdiff('explain', path, '--allow-exec');
  expect([explain.code, explain.out]).toEqual([1, expect.stringContaining('Direct leak of 24 byte(s)')]);
  const lanes = shadowdiff('regress', '--subject', subject('leak'), '--jobs', '2', '--corpus', join(clone, 'corpus'));
  expect([lanes.code, lanes.out]).toEqual([1, expect.stringContaining('at the end of its input')]);
}, 120_000);

test('if every program times out, the usual cause is named', () => {
  const silent = join(directory, 'silent.mjs');
  writeFileSync(
    silent,
    `let first = true;
     process.stdin.on('data', () => { if (first) console.log('{"format":"shadowdiff-hello/2"}'); first = false; });`,
  );
  const { code, out } = shadowdiff(
    'fuzz',
    '--subject',
    `exec:${process.execPath} ${silent}`,
    '--case-timeout',
    '300ms',
    '--programs',
    '3',
    '--seed',
    'memory',
    '--jobs',
    '1',
    '--max-tries',
    '1',
  );
  expect(code).toBe(1);
  expect(out.replace(/\s+/g, ' ')).toContain(
    'every program timed out; the usual cause is a subject that does not flush its answers',
  );
}, 120_000);
