/** The kernel that the package ships is the one in guest/. */

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { programArbitrary } from '../../properties/generators/index.js';
import { ProgramWriter } from '../../properties/formats/index.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import { Conversation } from './conversation.js';
import { boot } from './platforms.js';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const KERNEL = join(FOLDER, 'metal.elf');
const SOURCES = [
  'build.sh',
  'entry.S',
  'floppy.S',
  'guest.h',
  'kernel.ld',
  'layout.h',
  'main.c',
  'program.c',
  'serial.c',
  'tables.c',
];
const LIMITS = { start: 60_000, program: 60_000 };
const PROGRAMS = 200;

/** What `gcc -m32` needs is not everywhere. */
const canBuild = spawnSync('gcc', ['-m32', '-ffreestanding', '-fsyntax-only', '-x', 'c', '/dev/null']).status === 0;

test('the kernel was built from its sources, and so was the floppy', () => {
  const hash = createHash('sha256');
  for (const name of SOURCES) hash.update(readFileSync(join(FOLDER, 'guest', name)));
  const mark = `sources ${hash.digest('hex')}`;
  const stale = [KERNEL, join(FOLDER, 'metal.img')].filter((path) => !readFileSync(path).includes(mark));
  expect({ stale, remedy: 'npm run build:metal' }).toMatchObject({ stale: [] });
});

test.skipIf(!canBuild)('a kernel that is built anew answers as it does', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'metal-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  execFileSync('sh', [join(FOLDER, 'guest/build.sh'), directory]);
  expect(await tracesOf(join(directory, 'metal.elf'))).toEqual(await tracesOf(KERNEL));
});

const tracesOf = async (kernel: string): Promise<Buffer> => {
  const machine = await boot('v86', kernel);
  onTestFinished(() => machine.end());
  const conversation = new Conversation(machine, LIMITS);
  await conversation.begin(0);
  const traces: Buffer[] = [];
  const writer = new ProgramWriter();
  const programs = programArbitrary({
    profile: 'architecture',
    guestPages: 128,
    paging: 'both',
    traffic: 'coherent',
    mostSteps: 160,
  });
  for (let index = 0; index < PROGRAMS; index++) {
    writer.add(programs.generate(randomFor(programSeed('kernel-build', index)), undefined).value.program);
    traces.push(await conversation.run(Buffer.from(writer.take())));
  }
  return Buffer.concat(traces);
};
