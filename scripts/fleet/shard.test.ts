/** shard.sh with a `nightly` that writes down how it was called and ends as it is told. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const NIGHTLY = `import { appendFileSync } from 'node:fs';
appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
process.exit(Number(process.env.CODE));
`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shadowdiff-shard-'));
  mkdirSync(join(directory, 'scripts', 'fleet'), { recursive: true });
  mkdirSync(join(directory, 'dist', 'scripts'), { recursive: true });
  copyFileSync(fileURLToPath(new URL('shard.sh', import.meta.url)), join(directory, 'scripts', 'fleet', 'shard.sh'));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  writeFileSync(join(directory, 'dist', 'scripts', 'shadowdiff.js'), NIGHTLY);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const shard = (code: number, ...words: readonly string[]): number | null =>
  spawnSync('bash', ['scripts/fleet/shard.sh', ...words], {
    cwd: directory,
    env: { ...process.env, CODE: String(code) },
  }).status;
const calls = (): string => readFileSync(join(directory, 'calls'), 'utf8');

test('a shard begins with its options, and resumes with them', () => {
  expect(shard(0, 'tonight', 'run', '--time', '1h')).toBe(0);
  mkdirSync(join(directory, 'run'));
  writeFileSync(join(directory, 'run', 'run.json'), '{}');
  expect(shard(0, 'tonight', 'run', '--time', '1h')).toBe(0);
  expect(calls()).toBe('nightly --seed tonight --shard auto --out run --time 1h\nnightly --resume run --time 1h\n');
});

test.each([
  [0, 0],
  [1, 0],
  [3, 0],
  [2, 2],
  [4, 4],
  [130, 130],
])('if nightly ends with %i, the scheduler is told %i', (code, told) => {
  expect(shard(code, 'tonight', 'run')).toBe(told);
});

test('without a directory it runs nothing', () => {
  expect(shard(0, 'tonight')).toBe(2);
  expect(calls).toThrow('ENOENT');
});
