/** `metal:` subjects from the command line. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { programFromJson } from '../../properties/formats/index.js';
import { CommandSubject } from '../../properties/subjects/command-subject.js';
import { isInstalled } from '../../test-support/c-subjects.js';
import { Conversation } from './conversation.js';
import { boot } from './platforms.js';

const clone = inject('clone');
const directory = mkdtempSync(join(tmpdir(), 'metal-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Milliseconds. */
const TIMEOUT = 30_000;

const fuzz = (
  subject: string,
  ...options: readonly string[]
): { readonly status: number | null; readonly out: string } => {
  const entry = join(clone, 'dist/scripts/shadowdiff.js');
  const words = [
    'fuzz',
    '--profile',
    'architecture',
    '--subject',
    subject,
    '--jobs',
    '1',
    '--seed',
    'metal',
    ...options,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...words], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { status, out: `${stdout}${stderr}` };
};

/** It has no option that only shows its version. */
const isBochsInstalled = spawnSync('bochs', ['--help']).status === 0;

/** How many programs each is given. */
const PLATFORMS = [
  ['v86', 1000, true],
  ['qemu', 1000, isInstalled('qemu-system-i386')],
  ['bochs', 500, isBochsInstalled],
] as const;

describe.each(PLATFORMS)('metal:%s', (platform, programs, isHere) => {
  test.skipIf(!isHere)('agrees with the manual', () => {
    const { status, out } = fuzz(`metal:${platform}`, '--programs', `${programs}`, '--time', '120s');
    expect({ status, out }).toEqual({
      status: 0,
      out: expect.stringContaining(`in ${programs.toLocaleString('en')} programs`),
    });
  });
});

test('a CPU that speculates is not asked for A and D, and the run says so', () => {
  const { status, out } = fuzz('metal:v86,speculates', '--programs', '20');
  const reason = 'the subject shows no stores';
  expect({ status, out }).toEqual({
    status: 0,
    out: expect.stringMatching(RegExp(`accessed-dirty.*\\n.*${reason}`, 's')),
  });
});

/** Elsewhere all goes by way of its serial port. */
test.skipIf(!isBochsInstalled || process.platform !== 'linux')('the memory of Bochs is found', async () => {
  const machine = await boot('bochs', join(clone, 'scripts/metal/metal.elf'));
  onTestFinished(() => machine.end());
  await new Conversation(machine, { start: TIMEOUT, program: TIMEOUT }).begin(0);
  expect(machine.memory).toBeDefined();
});

test('a kernel that dies of a program is a crash at its step, and the next program has a new machine', async () => {
  const adapter = [process.execPath, join(clone, 'dist/scripts/metal/adapter.js')];
  const argv = [...adapter, 'v86', join(clone, 'scripts/metal/metal.elf'), '0', `${TIMEOUT}`, `${TIMEOUT}`];
  const remedies = { 'subject-crash': '', 'subject-timeout': '', 'subject-garbage': '' };
  const subject = new CommandSubject({ name: 'metal:v86', argv, remedies }, 'test', {
    caseTimeout: TIMEOUT,
    startTimeout: TIMEOUT,
  });
  const machine = { paging: 'pae', guestPages: 64, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 };
  const program = (steps: readonly object[]): ReturnType<typeof programFromJson> =>
    programFromJson({ format: 'shadowdiff-program/1', machine, steps }, 'test');
  const bad = program([
    { op: 'init', kernelAddress: '0xc0000000' },
    { op: 'store', paddr: '0x1000', value: '0x2001' },
    { op: 'new-pgtable', root: '0x80000', draw: 0 },
  ]);
  const good = program([{ op: 'init', kernelAddress: '0xc0000000' }]);
  const [first, second] = await Promise.all([subject.answer(bad), subject.answer(good)]);
  await subject.close();
  expect(first).toMatchObject({
    kind: 'failed',
    failure: 'subject-crash',
    at: { place: { kind: 'step', index: 2 } },
    detail: 'exited with code 10; its last words: "a root at 0x80000, outside of RAM"',
  });
  expect(second.kind).toBe('trace');
});
