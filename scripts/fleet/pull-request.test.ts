/** Nights in a row, with a repository on this machine and a `gh` that writes down how it was called. */

import { spawnSync } from 'node:child_process';
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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('pull-request.sh', import.meta.url));

/** Answers the number of the pull request while the file `open` is there, and fails while `broken` is. */
const GH = `#!/bin/sh
[ "$2" = list ] || echo "$*" >> "$GH_STATE/calls"
case $2 in
  list) [ ! -e "$GH_STATE/broken" ] || exit 4; [ ! -e "$GH_STATE/open" ] || echo 7 ;;
  create) touch "$GH_STATE/open" ;;
esac
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

const shell = (script: string, cwd = directory): string => {
  const who = { GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@t', GIT_COMMITTER_NAME: 'T', GIT_COMMITTER_EMAIL: 't@t' };
  const env = { ...process.env, ...who, GH_STATE: directory, PATH: `${directory}:${process.env['PATH']}` };
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -e; ${script}`], { cwd, encoding: 'utf8', env });
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
  rmSync(join(directory, 'open'));
  expect(night('second', 'two.json')).toEqual(['old.json']);
  expect(branchHas()).toEqual(['corpus/old.json', 'corpus/two.json']);
});

test('a night that cannot ask for the pull request fails, rather than take all for new', () => {
  night('first', 'one.json');
  writeFileSync(join(directory, 'broken'), '');
  expect(() => night('second')).toThrow(Error);
});

test('a word that it does not know is refused', () => {
  expect(() => shell(`bash ${SCRIPT} adpot corpus`)).toThrow('say adopt CORPUS');
});
