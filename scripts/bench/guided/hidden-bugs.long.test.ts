/** walker.c has not changed at the places where the bugs are planted. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled, unless } from '../../../test-support/c-subjects.js';
import { HIDDEN_BUGS, buildHiddenBug } from './hidden-bugs.js';

const hasClang = isInstalled('clang');
let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'hidden-bugs-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!hasClang)(`bugs behind constants${unless(hasClang, 'install clang')}`, () => {
  test('can all be built', () => {
    for (const bug of HIDDEN_BUGS) expect(buildHiddenBug(bug, directory)).toContain(bug.id);
  });
});
