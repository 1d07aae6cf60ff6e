/** Variants of the kernel that make mistakes: each is found from the command line, and made small. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { METAL_MISTAKES } from '../../properties/subjects/metal-subject.js';
import { isInstalled } from '../../test-support/c-subjects.js';

const directory = mkdtempSync(join(tmpdir(), 'metal-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe.each(METAL_MISTAKES)('a kernel with %s', (variant) => {
  test.each([
    ['v86', true],
    ['qemu', isInstalled('qemu-system-i386')],
  ])('is found on %s', (platform, isHere) => {
    if (!isHere) return;
    const entry = join(inject('clone'), 'dist/scripts/shadowdiff.js');
    const subject = `metal:${platform},${variant}`;
    const words = ['--profile', 'architecture', '--subject', subject, '--seed', 'variants', '--max-findings', '1'];
    const { status, stdout } = spawnSync(process.execPath, [entry, 'fuzz', ...words, '--time', '60s'], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(/\b(?:\d|10) after shrinking/) });
  });
});
