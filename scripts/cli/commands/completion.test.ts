/** The scripts, run by the shells they are for. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capturedCall } from '../../../test-support/captured-call.js';
import { DEFECTS } from '../../../impl/defects/catalogue.js';
import { REPORTERS } from '../../report/reporters.js';
import { COMMANDS } from './registry.js';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'completion-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const script = async (shell: string): Promise<string> => {
  const { code, out } = await capturedCall(['completion', shell]);
  expect(code).toBe(0);
  const path = join(directory, shell);
  writeFileSync(path, out);
  return path;
};

const CALL = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shadowdiff; printf "%s\\n" "${COMPREPLY[@]}"';
const byBash = (path: string, words: readonly string[]): string =>
  execFileSync('bash', ['-c', CALL, path, ...words], { encoding: 'utf8' });

/** What a shell offers behind these words. */
const ANSWERS: Readonly<Record<'bash' | 'zsh' | 'fish', (path: string, words: readonly string[]) => string>> = {
  // A colon is a word of its own, and what stands before it is put back.
  bash: (path, words) => {
    const pieces = words.flatMap((word) => word.split(/(?<=:)|(?=:)/));
    const start = /^.*:/.exec(words.at(-1)!)?.[0] ?? '';
    return byBash(path, pieces).replaceAll(/^(?=.)/gm, start);
  },
  // It drops what does not begin with the word later, in the line editor.
  zsh: (path, words) => {
    const asBash = 'autoload -U +X compinit; compdef() { :; }; emulate -L sh; setopt kshglob noshglob braceexpand';
    const all = execFileSync('zsh', ['-fc', `${asBash}; ${CALL}`, path, ...words], { encoding: 'utf8' });
    const fitting = all.split('\n').filter((line) => line.startsWith(words.at(-1)!));
    return fitting.join('\n');
  },
  fish: (path, words) =>
    execFileSync('fish', ['-c', `source ${path}; complete -C "$argv"`, ...words], { encoding: 'utf8' }),
};

const COMMAND_NAMES = COMMANDS.map(({ name }) => name);
const SET_PGD = DEFECTS.map(({ id }) => id).filter((id) => id.startsWith('set-pg'));
const CASES = [
  [['shadowdiff', ''], COMMAND_NAMES],
  [
    ['shadowdiff', 'corpus', ''],
    ['add', 'list', 'prune', 'stats'],
  ],
  [['shadowdiff', 'corpus', 'list', '--st'], ['--status']],
  [['shadowdiff', 'fuzz', '--seed', 'x', '--traf'], ['--traffic']],
  [
    ['shadowdiff', 'coverage', '--subject', 'm'],
    ['metal:bochs', 'metal:qemu', 'metal:v86', 'model', 'module:'],
  ],
  [
    ['shadowdiff', 'fuzz', '--subject', 'imp'],
    ['impl', 'impl:lguest'],
  ],
  [['shadowdiff', 'fuzz', '--subject', 'impl:set-pg'], SET_PGD.map((id) => `impl:${id}`)],
  [['shadowdiff', 'fuzz', '--subject', 'impl:leaf,set-pg'], SET_PGD.map((id) => `impl:leaf,${id}`)],
  [['shadowdiff', 'report', 'out', '--reporter', ''], REPORTERS.map(({ name }) => name)],
] as const;

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
  const isThere = spawnSync(shell, ['-c', 'true']).status === 0;

  test.skipIf(!isThere).each(CASES)('completes %j', async (words, expected) => {
    const path = await script(shell);
    const offered = ANSWERS[shell](path, words)
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    expect(offered.toSorted()).toEqual(expected.toSorted());
  });
});

test.each(['impl:$(touch ran),', 'impl:`touch ran`,', 'impl:${x:=$(touch ran)},', '$(touch ran)'])(
  'bash completes %s and runs nothing',
  async (word) => {
    const path = await script('bash');
    execFileSync('bash', ['-c', CALL, path, 'shadowdiff', 'fuzz', '--subject', word], { cwd: directory });
    expect(existsSync(join(directory, 'ran'))).toBe(false);
  },
);

test('bash completes what has no words of ours as file names', async () => {
  const path = await script('bash');
  expect(byBash(path, ['shadowdiff', 'fuzz', '--out', '']).trim()).toBe('');
});
