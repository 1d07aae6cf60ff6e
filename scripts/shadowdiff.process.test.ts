/** The command as a process: what only a real one has. */

import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';

const clone = inject('clone');
const entry = join(clone, 'dist', 'scripts', 'shadowdiff.js');

const shell = (script: string) =>
  spawnSync('bash', ['-c', script], { cwd: clone, encoding: 'utf8', env: { ...process.env, SHADOWDIFF: entry } });

test('the version is that of the package', () => {
  const { status, stdout } = shell('node "$SHADOWDIFF" --version');
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test('a start loads few files, and no package that one entry has no need of', () => {
  const seen = join(clone, 'seen');
  const corpus = join(clone, 'corpus');
  const one = join(
    corpus,
    readdirSync(corpus).find((name) => name.endsWith('.json'))!,
  );
  const env = { ...process.env, NODE_V8_COVERAGE: seen };
  expect(spawnSync(process.execPath, [entry, 'regress', one], { cwd: clone, env }).status).toBe(0);
  const { result } = JSON.parse(readFileSync(join(seen, readdirSync(seen)[0]), 'utf8')) as V8Coverage;
  const loaded = result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  expect(loaded.filter((url) => url.includes('node_modules'))).toEqual([]);
  expect(loaded.length).toBeLessThan(40);
});

interface V8Coverage {
  readonly result: readonly { readonly url: string }[];
}

test('a package that was not built tells how to build it, and one that was runs', () => {
  const installed = mkdtempSync(join(tmpdir(), 'shadowdiff-installed-'));
  const { bin } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as {
    readonly bin: { readonly shadowdiff: string };
  };
  cpSync(join(clone, bin.shadowdiff), join(installed, bin.shadowdiff));
  copyFileSync(join(clone, 'package.json'), join(installed, 'package.json'));
  symlinkSync(bin.shadowdiff, join(installed, 'linked'));
  const start = () => spawnSync(join(installed, 'linked'), ['--version'], { encoding: 'utf8' });
  const { status, stderr } = start();
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining(`run "npm run build" in ${installed}`),
  });
  mkdirSync(join(installed, 'dist', 'scripts'), { recursive: true });
  writeFileSync(join(installed, 'dist', 'scripts', 'shadowdiff.js'), 'console.log(process.argv[2])');
  expect(start().stdout).toBe('--version\n');
  rmSync(installed, { recursive: true, force: true });
});

test('a reader that goes away is no error', () => {
  const { stdout, stderr } = shell(
    'node "$SHADOWDIFF" seeds --campaign x --programs 1000000000 | head -1; echo ${PIPESTATUS[0]}',
  );
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^shard 0 of 1 .*\n0\n$/), stderr: '' });
});

test('a full disk is', () => {
  const { status, stderr } = shell('node "$SHADOWDIFF" defects > /dev/full');
  expect(status).toBe(2);
  expect(stderr).toBe(
    'shadowdiff: standard output: cannot be written: no space left on device; free space or redirect it\n',
  );
});

test('workers need no directory for temporary files', () => {
  const { status, stdout } = shell(
    'TMPDIR=/nowhere timeout 60 node "$SHADOWDIFF" fuzz --jobs 2 --programs 20 --seed a',
  );
  expect(stdout).toContain('in 20 programs');
  expect(status).toBe(0);
});

test('our own machine in a process of its own agrees', () => {
  const { status, stdout } = shell(
    'node "$SHADOWDIFF" fuzz --programs 20 --seed a --subject "exec:node $SHADOWDIFF trace"',
  );
  expect(stdout).toContain('in 20 programs');
  expect(status).toBe(0);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends a run with a summary', async (signal) => {
  const child = spawn(process.execPath, [entry, 'fuzz', '--time', '1m', '--seed', 'a'], { cwd: clone });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    // Once the seed is told, the run is on.
    if (text === '') child.kill(signal);
    text += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(130);
  expect(text).toContain('summary\n');
});

/** A subject that answers its first line and then nothing for so many seconds. */
const muteFor = (seconds: number): string => `exec:sh -c 'read line; echo {}; exec sleep ${seconds}'`;

test('a second signal does not wait for the subject', async () => {
  const words = ['fuzz', '--time', '1m', '--seed', 'a', '--subject', muteFor(60), '--case-timeout', '50s'];
  const child = spawn(process.execPath, [entry, ...words], { cwd: clone });
  let again: NodeJS.Timeout | undefined;
  child.stdout.once('data', () => {
    child.kill('SIGINT');
    // Again and again, because signals that a busy machine delivers together count as one.
    again = setInterval(() => child.kill('SIGINT'), 400);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(again);
  expect(code).toBe(130);
});

test('a terminal that is closed takes the subject along', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'shadowdiff-terminal-'));
  const command = `${process.execPath} ${entry} fuzz --time 1m --seed a --max-tries 1 --case-timeout 1s --out ${directory}`;
  const terminal = spawn('script', ['-qc', `${command} --subject "${muteFor(61.5)}"`, '/dev/null'], {
    cwd: clone,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => terminal.stdout.once('data', resolve));
  terminal.kill('SIGKILL');
  await expect.poll(() => existsSync(join(directory, 'summary.json')), { timeout: 30_000 }).toBe(true);
  await expect.poll(() => spawnSync('pgrep', ['-f', 'sleep 61.5$']).status, { timeout: 30_000 }).toBe(1);
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
});

test.each([
  ['a timer', `throw new Error('lost \\u001b[31m')`],
  ['a promise', `void Promise.reject(new Error('lost \\u001b[31m'))`],
])('an error in %s that nothing catches is a bug of ours, and no divergence', (_, statement) => {
  const preload = `data:text/javascript,${encodeURIComponent(`setTimeout(() => { ${statement} }, 200)`)}`;
  const words = ['--import', preload, entry, 'fuzz', '--time', '20s', '--seed', 'a', '--jobs', '1', '--corpus', 'none'];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: tmpdir(), encoding: 'utf8' });
  expect([status, stderr]).toEqual([4, expect.stringContaining('; this is a bug in shadowdiff, please report it')]);
  expect(stderr).not.toContain('\u001b[31m');
});
