/** What the rights of a run's directory decide, which do not bind the superuser. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';

const NOBODY = 65_534;
const entry = join(inject('clone'), 'dist', 'scripts', 'shadowdiff.js');
const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
/** Another user may not be able to read where this clone or its packages lie. */
const canRun = spawnSync(process.execPath, [entry, '--version'], { cwd: '/', ...user }).status === 0;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shadowdiff-rights-'));
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const CAMPAIGN = [
  '--subject',
  'impl:reference-held-twice',
  '--programs',
  '1000000',
  '--max-steps',
  '48',
  '--jobs',
  '1',
];

test.runIf(canRun)('a run notices at once that its directory became read-only, and prints what it found', async () => {
  const [run, corpus] = [join(directory, 'run'), join(directory, 'corpus')];
  const words = ['nightly', ...CAMPAIGN, '--seed', 'rights', '--out', run, '--corpus', corpus];
  const child = spawn(process.execPath, [entry, ...words], { cwd: directory, ...user });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  const closed = once(child, 'close') as Promise<[number | null]>;
  // There is a finding by then.
  while (!existsSync(join(run, 'events.jsonl')) || !readFileSync(join(run, 'events.jsonl')).includes('"finding"'))
    await sleep(20);
  chmodSync(run, 0o500);
  expect(await closed).toEqual([2, null]);
  chmodSync(run, 0o700);
  expect(text.err).toMatch(/run: changed by another process while the run wrote to it: permission denied.*--resume/);
  expect(text.out).toContain('reference-count');
  expect(text.out).toContain('shadowdiff replay');
  expect(readdirSync(corpus)).not.toEqual([]);
});
