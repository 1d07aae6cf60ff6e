import { expect, test } from 'vitest';
import { capturedCall } from '../../test-support/captured-call.js';

test.each([
  ['/dev/null', 'the file is empty; it must hold one JSON object'],
  ['/dev/zero', 'more than 16777216 bytes; a program or counterexample has less'],
])('%s, named by the user, is read within bounds', async (path, problem) => {
  for (const command of ['replay', 'explain', 'shrink', 'trace'])
    expect(await capturedCall([command, path])).toEqual({ code: 2, out: '', err: `shadowdiff: ${path}: ${problem}\n` });
});
