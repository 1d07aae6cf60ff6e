/** Nights in a row, with a repository on this machine and a `gh` that writes down how it was called. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('pull-request.sh', import.meta.url));

/**
 * Answers from the file `pulls` as GitHub does: `head` is the owner and the branch, and each pull request names the repository it
 * comes from. Fails while the file `broken` is there.
 */
const GH = `#!/usr/bin/env node
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const at = (name) => process.env.GH_STATE + '/' + name;
const [topic, verb, ...words] = process.argv.slice(2);
const pulls = existsSync(at('pulls')) ? JSON.parse(readFileSync(at('pulls'), 'utf8')) : [];
if (topic === 'api') {
  if (existsSync(at('broken'))) process.exit(4);
  const query = new URL(verb.replaceAll('{owner}', 'us').replaceAll('{repo}', 'r'), 'https://api').searchParams;
  const filter = words[words.indexOf('--jq') + 1];
  const own = filter.includes('select(.head.repo.full_name == .base.repo.full_name)');
  const found = pulls.filter(({ owner, branch, from }) => owner + ':' + branch === query.get('head') && (!own || from === 'us/r'));
  console.log(found[0]?.number ?? '');
} else if (topic === 'auth') {
  console.log('username=x-access-token\\npassword=' + process.env.GH_TOKEN);
} else {
  appendFileSync(at('calls'), [topic, verb, ...words].join(' ') + '\\n');
  const ours = { number: 7, owner: 'us', branch: 'nightly-counterexamples', from: 'us/r' };
  if (verb === 'create') writeFileSync(at('pulls'), JSON.stringify([...pulls, ours]));
}
`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shadowdiff-pull-request-'));
  writeFileSync(join(directory, 'gh'), GH);
  chmodSync(join(directory, 'gh'), 0o755);
  shell(
    `git init --quiet --bare --initial-branch=main origin.git && git clone --quiet origin.git seed 2>&1 && cd seed &&
     git switch --quiet --create main && mkdir corpus && echo old > corpus/old.json && git add . &&
     git commit --quiet --message seed && git push --quiet origin main`,
  );
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const environment = (): NodeJS.ProcessEnv => {
  const who = { GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@t', GIT_COMMITTER_NAME: 'T', GIT_COMMITTER_EMAIL: 't@t' };
  return { ...process.env, ...who, GH_STATE: directory, PATH: `${directory}:${process.env['PATH']}` };
};

const shell = (script: string, cwd = directory): string => {
  const options = { cwd, encoding: 'utf8', env: environment() } as const;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -e; ${script}`], options);
  if (status !== 0) throw new Error(stderr);
  return stdout;
};

/** A night on a fresh machine; answers what was in the corpus when shards were merged. */
const night = (name: string, ...found: readonly string[]): readonly string[] => {
  shell(`git clone --quiet origin.git ${name}`);
  const clone = join(directory, name);
  shell(`bash ${SCRIPT} adopt corpus`, clone);
  const before = readdirSync(join(clone, 'corpus'));
  for (const file of found) writeFileSync(join(clone, 'corpus', file), name);
  mkdirSync(join(clone, 'out'));
  writeFileSync(join(clone, 'out', 'report.md'), name);
  shell(`bash ${SCRIPT} propose corpus out/report.md`, clone);
  return before;
};

const branchHas = (): readonly string[] =>
  shell('git ls-tree -r --name-only nightly-counterexamples', join(directory, 'origin.git')).trim().split('\n');
const callsOfGh = (): readonly string[] => {
  const file = join(directory, 'calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

test('a night that finds nothing proposes nothing', () => {
  night('quiet');
  expect(callsOfGh()).toEqual([]);
  expect(shell('git branch', join(directory, 'origin.git'))).toBe('* main\n');
});

test('a finding opens a pull request, and the next one goes into the same', () => {
  expect(night('first', 'one.json')).toEqual(['old.json']);
  expect(branchHas()).toEqual(['corpus/old.json', 'corpus/one.json']);
  expect(night('second', 'two.json')).toEqual(['old.json', 'one.json']);
  expect(branchHas()).toEqual(['corpus/old.json', 'corpus/one.json', 'corpus/two.json']);
  expect(callsOfGh().map((each) => each.split(' ').slice(0, 3).join(' '))).toEqual(['pr create --head', 'pr edit 7']);
});

test('a night that finds nothing new leaves an open pull request alone', () => {
  night('first', 'one.json');
  const tip = shell('git rev-parse nightly-counterexamples', join(directory, 'origin.git'));
  night('second');
  expect(shell('git rev-parse nightly-counterexamples', join(directory, 'origin.git'))).toBe(tip);
  expect(callsOfGh()).toHaveLength(1);
});

test('what people wrote into the pull request stays', () => {
  night('first', 'one.json');
  shell(
    `git clone --quiet --branch nightly-counterexamples origin.git reviewer && cd reviewer && echo noted > corpus/one.json &&
     git commit --quiet --all --message note && git push --quiet`,
  );
  night('second', 'two.json');
  expect(shell('git show nightly-counterexamples:corpus/one.json', join(directory, 'origin.git'))).toBe('noted\n');
});

test('what was refused is not proposed again with the next finding', () => {
  night('first', 'one.json');
  rmSync(join(directory, 'pulls'));
  expect(night('second', 'two.json')).toEqual(['old.json']);
  expect(branchHas()).toEqual(['corpus/old.json', 'corpus/two.json']);
});

test.each([
  ['another owner', 'them', 'them/r'],
  // An organization can fork its own repository.
  ['the same owner', 'us', 'us/fork'],
])('a pull request from a branch of that name in a fork of %s is neither read nor changed', (_, owner, from) => {
  const foreign = { number: 6, owner, branch: 'nightly-counterexamples', from };
  writeFileSync(join(directory, 'pulls'), JSON.stringify([foreign]));
  expect(night('first', 'one.json')).toEqual(['old.json']);
  expect(night('second', 'two.json')).toEqual(['old.json', 'one.json']);
  expect(callsOfGh().map((each) => each.split(' ').slice(0, 3).join(' '))).toEqual(['pr create --head', 'pr edit 7']);
});

test('git asks gh for the token, because the checkout keeps none', async () => {
  night('first', 'one.json');
  const asked: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    asked.push(headers.authorization);
    response.writeHead(headers.authorization === undefined ? 401 : 404, { 'WWW-Authenticate': 'Basic' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clone = join(directory, 'first');
  shell(`git remote set-url origin http://127.0.0.1:${port}/us/r`, clone);
  const env = { ...environment(), GH_TOKEN: 'secret', GIT_TERMINAL_PROMPT: '0' };
  const child = spawn('bash', [SCRIPT, 'adopt', 'corpus'], { cwd: clone, env, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  server.close();
  const basic = `Basic ${Buffer.from('x-access-token:secret').toString('base64')}`;
  expect({ code, asked: asked.slice(0, 2) }).toEqual({ code: 128, asked: [undefined, basic] });
});

test('a night that cannot ask for the pull request fails, rather than take all for new', () => {
  night('first', 'one.json');
  writeFileSync(join(directory, 'broken'), '');
  expect(() => night('second')).toThrow(Error);
});

test('a word that it does not know is refused', () => {
  expect(() => shell(`bash ${SCRIPT} adpot corpus`)).toThrow('adopt CORPUS');
});
