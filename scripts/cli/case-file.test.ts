import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { capturedCall } from '../../test-support/captured-call.js';

/** Without a terminal of its own a process cannot open this one. */
const noTerminal =
  spawnSync('test', ['-c', '/dev/tty']).status === 0 && spawnSync('sh', ['-c', 'exec 3</dev/tty']).status !== 0;

test.runIf(noTerminal)('a device that cannot be opened is bad input', async () => {
  for (const command of ['replay', 'explain', 'shrink', 'trace'])
    expect(await capturedCall([command, '/dev/tty'])).toEqual({
      code: 2,
      out: '',
      err: 'shadowdiff: /dev/tty: this is a pipe or a device; name a file\n',
    });
});

test.each([
  ['/dev/null', 'the file is empty; it must hold one JSON object'],
  ['/dev/zero', 'more than 16777216 bytes; a program or counterexample has less'],
])('%s, named by the user, is read within bounds', async (path, problem) => {
  for (const command of ['replay', 'explain', 'shrink', 'trace'])
    expect(await capturedCall([command, path])).toEqual({ code: 2, out: '', err: `shadowdiff: ${path}: ${problem}\n` });
});
