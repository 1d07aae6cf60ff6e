/** The scripts, run by the shells they are for. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capturedCall } from '../../../test-support/captured-call.js';
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

const COMMAND_NAMES = COMMANDS.map(({ name }) => name);
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
  [['shadowdiff', 'report', 'out', '--reporter', ''], REPORTERS.map(({ name }) => name)],
] as const;

describe.each(['bash', 'fish'] as const)('%s', (shell) => {
  const isThere = spawnSync(shell, ['-c', 'true']).status === 0;

  test.skipIf(!isThere).each(CASES)('completes %j', async (words, expected) => {
    const path = await script(shell);
    const out =
      shell === 'bash'
        ? execFileSync('bash', ['-c', CALL, path, ...words], { encoding: 'utf8' })
        : execFileSync('fish', ['-c', `source ${path}; complete -C "$argv"`, ...words], { encoding: 'utf8' });
    const offered = out
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    expect(offered.toSorted()).toEqual(expected.toSorted());
  });
});

test('bash completes what has no words of ours as file names', async () => {
  const path = await script('bash');
  const out = execFileSync('bash', ['-c', CALL, path, 'shadowdiff', 'fuzz', '--out', ''], { encoding: 'utf8' });
  expect(out.trim()).toBe('');
});
