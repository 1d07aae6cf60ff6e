/** A bug that generated programs practically never meet is found with the edges of the subject's own code as feedback. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled, unless } from '../../../test-support/c-subjects.js';
import { HIDDEN_BUGS, buildHiddenBug } from './hidden-bugs.js';
import hunt from './hidden-task.js';

const PATIENCE = 300_000;
/** Both hunts run at most this many programs. */
const SIZE = { epochs: 4, programs: 3000 };

const hasClang = isInstalled('clang');
let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'hidden-bugs-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!hasClang)(`bugs behind constants${unless(hasClang, 'install clang')}`, () => {
  test('can all be built', () => {
    for (const bug of HIDDEN_BUGS) expect(buildHiddenBug(bug, directory)).toContain(bug.id);
  });

  test(
    'a guided campaign finds one that the same number of programs without guidance does not',
    async () => {
      const [bug] = HIDDEN_BUGS;
      const task = { command: buildHiddenBug(bug, directory), campaign: `hidden/${bug.id}/4`, ...SIZE };
      expect(await hunt({ ...task, share: 0.5 })).toBeLessThan(SIZE.epochs * SIZE.programs);
      expect(await hunt({ ...task, share: 0 })).toBe(Infinity);
    },
    PATIENCE,
  );
});
