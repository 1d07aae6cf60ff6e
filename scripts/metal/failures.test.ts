/** Machines that fail: each has one clear message. Commands of Node.js pass for emulators. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { metalCommand } from '../../properties/subjects/metal-subject.js';
import { isInstalled } from '../../test-support/c-subjects.js';
import { Conversation } from './conversation.js';
import type { Ears, Machine } from './machine.js';
import { boot } from './platforms.js';

const KERNEL = fileURLToPath(new URL('metal.elf', import.meta.url));
/** Milliseconds: more than a process takes to start on a busy machine. */
const START = 20_000;
const SHORT = 50;

const directory = mkdtempSync(join(tmpdir(), 'shadowdiff-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A program without steps. */
const PROGRAM = Buffer.from(Uint32Array.of(7, 0, 64, 0, 1, 0, 0, 0).buffer);

interface Limits {
  readonly start: number;
  readonly program: number;
}
const PATIENT: Limits = { start: START, program: START };

/** Boots and runs one program. */
const attempt = async (machine: Machine, limits: Limits): Promise<Buffer> => {
  onTestFinished(() => machine.end());
  const conversation = new Conversation(machine, limits);
  await conversation.begin(0);
  return await conversation.run(PROGRAM);
};

/** A serial line that says something at the start, and something else when it is given a program. */
const line = (first: string, answer = ''): Machine => {
  let ears: Ears | undefined;
  const say = (text: string): void => void setImmediate(() => ears?.heard(Buffer.from(text, 'latin1')));
  return {
    name: 'line',
    listen: (given) => {
      ears = given;
      say(first);
    },
    send: (bytes) => say(bytes[0] === 'V'.charCodeAt(0) ? 'v\x01\0\0\0\0\0\0\0' : answer),
    end: () => undefined,
  };
};

const GREETING = 'BIOS: all is well\nshadowdiff-metal/1\n';

describe('at its start', () => {
  test.each([
    ['does not exist', 'no-such-emulator {kernel}', 'there is no command "no-such-emulator"; check its path'],
    [
      'ends',
      `'${process.execPath}' -e "console.error('first\\ncannot open display'); process.exit(3)" {kernel}`,
      'the emulator ended with code 3: cannot open display',
    ],
  ])('an emulator that %s', async (_, platform, message) => {
    await expect(attempt(await boot(platform, KERNEL), PATIENT)).rejects.toThrow(message);
  });

  test.each([
    ['is silent', '', SHORT, `the kernel did not come up within ${SHORT} ms; its serial line is silent`],
    ['is no kernel', 'login: ', SHORT, `the kernel did not come up within ${SHORT} ms; its serial line: "login: "`],
    ['babbles without end', 'x'.repeat(2 ** 20 + 1), START, 'the serial line babbles: "xxxx'],
  ])('a line that %s', async (_, first, start, message) => {
    await expect(attempt(line(first), { start, program: START })).rejects.toThrow(message);
  });

  test('a kernel that is none', async () => {
    const path = join(directory, 'kernel.elf');
    writeFileSync(path, 'no kernel');
    await expect(boot('v86', path)).rejects.toThrow(`${path} is no multiboot kernel`);
    await expect(boot('v86', join(directory, 'missing'))).rejects.toThrow('missing is no multiboot kernel');
  });

  test('QEMU that is not installed', async () => {
    vi.stubEnv('PATH', directory);
    onTestFinished(() => void vi.unstubAllEnvs());
    const remedy = 'there is no command "qemu-system-i386"; apt-get install qemu-system-x86';
    await expect(attempt(await boot('qemu', KERNEL), PATIENT)).rejects.toThrow(remedy);
  });

  test('QEMU that is too old', async () => {
    const bin = mkdtempSync(join(directory, 'bin-'));
    const complaint = "-machine pc,memory-backend=memory: Property '.memory-backend' not found";
    writeFileSync(join(bin, 'qemu-system-i386'), `#!/bin/sh\necho "qemu: ${complaint}" >&2\nexit 1\n`, { mode: 0o755 });
    vi.stubEnv('PATH', bin);
    onTestFinished(() => void vi.unstubAllEnvs());
    const message = `the emulator ended with code 1: qemu: ${complaint}; QEMU 5.0 or later is needed`;
    await expect(attempt(await boot('qemu', KERNEL), PATIENT)).rejects.toThrow(message);
  });

  test.skipIf(!isInstalled('qemu-system-i386'))('QEMU that a triple fault resets', async () => {
    const path = join(directory, 'triple-fault.elf');
    writeFileSync(path, tripleFaultKernel());
    const machine = await boot('qemu', path);
    await expect(attempt(machine, PATIENT)).rejects.toThrow('the machine was reset, as after a triple fault');
    expect(await machine.registers?.()).toMatch(/EAX=.*CR3=/s);
  });
});

/** Our kernel, but its first instructions load an empty table of gates from memory that is zero, and raise an exception. */
const tripleFaultKernel = (): Buffer => {
  const kernel = readFileSync(KERNEL);
  const header = kernel.indexOf(Buffer.from([0x02, 0xb0, 0xad, 0x1b]));
  // lidt 0x500000; int3
  kernel.set([0x0f, 0x01, 0x1d, 0x00, 0x00, 0x50, 0x00, 0xcc], header + 12);
  return kernel;
};

test.each([
  ['is silent', '', SHORT, 'silent', `the kernel does not answer within ${SHORT} ms; its serial line is silent`],
  ['babbles', 'login: ', START, 'babble', 'the serial line babbles: "login: "'],
  ['took an exception', 'Pexception 0xd\0', START, 'exception', 'exception 0xd'],
])('a kernel that %s instead of an answer', async (_, answer, program, death, message) => {
  const running = attempt(line(GREETING, answer), { start: START, program });
  await expect(running).rejects.toMatchObject({ death, message });
});

describe('names', () => {
  const TIMES = { startTimeout: 1, caseTimeout: 1 };

  test.each([
    ['vmware', 'there is no platform "vmware"; use one of qemu, v86, bochs, or a command with {kernel} in it'],
    ['', 'there is no platform ""'],
    ['qemu,no-such', 'the kernel has no variant "no-such"; use one of: no-invlpg, early-flush'],
  ])('metal:%s', (name, message) => {
    expect(() => metalCommand(name, '--subject', TIMES)).toThrow(message);
  });

  test.each([
    ['v86,no-invlpg,last-root', 'v86', '9'],
    ['v86,speculates', 'v86', '64'],
    ['qemu -machine pc,accel=kvm -kernel {kernel}', 'qemu -machine pc,accel=kvm -kernel {kernel}', '0'],
    ['./boot {kernel} pc,accel,no-invlpg,speculates', './boot {kernel} pc,accel', '65'],
  ])('variants add up: metal:%s', (name, platform, variant) => {
    const kernel = expect.stringMatching(/metal\.elf$/) as string;
    expect(metalCommand(name, '--subject', TIMES).argv.slice(2)).toEqual([platform, kernel, variant, '1', '1']);
  });
});
