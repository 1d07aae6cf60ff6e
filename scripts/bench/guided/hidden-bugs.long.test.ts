/** The bugs of `npm run bench:hidden`: each can be built, and one that generated programs meet is found. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled, unless } from '../../../test-support/c-subjects.js';
import { HIDDEN_BUGS, buildHiddenBug } from './hidden-bugs.js';
import hunt from './hidden-task.js';

const hasClang = isInstalled('clang');
let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'hidden-bugs-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!hasClang)(`bugs behind constants${unless(hasClang, 'install clang')}`, () => {
  test('can all be built', () => {
    for (const bug of HIDDEN_BUGS) expect(buildHiddenBug(bug, directory)).toContain(bug.id);
  });

  test('are hunted', async () => {
    const [bug] = HIDDEN_BUGS;
    const task = { command: buildHiddenBug(bug, directory), campaign: `hidden/${bug.id}/0`, epochs: 1, programs: 3000 };
    expect(await hunt({ ...task, share: 0 })).toBeLessThan(3000);
  });
});
