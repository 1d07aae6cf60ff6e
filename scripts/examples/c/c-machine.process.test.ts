/** The C header and the machine written with it: built as a user builds them, in every way that README.md names. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Divergence } from '../../../properties/divergence.js';
import { formatProgram } from '../../../properties/formats/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { CommandSubject } from '../../../properties/subjects/command-subject.js';
import type { Subject } from '../../../properties/subjects/subject.js';
import { MODEL } from '../../../properties/subjects/subject-names.js';
import { WasmSubject } from '../../../properties/subjects/wasm-subject.js';
import { traceOf } from '../../../properties/trace-of.js';
import {
  HELLO,
  SANITIZERS,
  binaryTraces,
  helloOf,
  isInstalled,
  jsonTraces,
  output,
  programsOf,
  unless,
} from '../../../test-support/c-subjects.js';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const WALKER = join(FOLDER, 'walker.c');
const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror'];
const WASM = ['--target=wasm32', '-nostdlib', '-O2', '-Wl,--no-entry'];
const TIMEOUT = 20_000;

/** A program whose last step, number 2, is a guest-pa. */
const PROGRAM =
  '{"format":"shadowdiff-program/1",' +
  '"machine":{"paging":"2-level","guestPages":64,"devicePages":4,"hostCpus":2,"draw":0,"failAllocation":0},' +
  '"steps":[{"op":"init","kernelAddress":"0xc0000000"},{"op":"store","paddr":"0x1000","value":"0x2067"},' +
  '{"op":"guest-pa","vaddr":"0x0"}]}\n';

const hasGcc = isInstalled('gcc');
const hasClang = isInstalled('clang');
const hasWasm = hasClang && isInstalled('wasm-ld');

const programs = (count: number): ReturnType<typeof programsOf> =>
  programsOf('c-machine', { first: 0, count, paging: 'both' });

let directory: string;
let built = 0;

beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'c-machine-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Compiles a source and returns the path of what came out. */
const build = (compiler: string, options: readonly string[], source = WALKER): string => {
  const machine = join(directory, `machine-${built++}`);
  const { status, stderr } = spawnSync(compiler, [...options, '-I', FOLDER, '-o', machine, source], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return machine;
};

/** walker.c with one piece of text replaced. */
const changed = (text: string, instead: string): string => {
  const parts = readFileSync(WALKER, 'utf8').split(text);
  expect(parts, `"${text}" in walker.c`).toHaveLength(2);
  const path = join(directory, `changed-${built++}.c`);
  writeFileSync(path, parts.join(instead));
  return path;
};

/** Runs programs against the model until one diverges. */
const firstFindingOf = async (subject: Subject, count: number): Promise<Divergence | undefined> => {
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  try {
    for (const program of programs(count)) {
      const found = await pair.run(program, { contractKept: false, twice: false });
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    await pair.close();
  }
};

const firstFinding = async (command: string, count: number): Promise<Divergence | undefined> =>
  firstFindingOf(new CommandSubject(command, '--subject', { caseTimeout: TIMEOUT, startTimeout: TIMEOUT }), count);

describe.skipIf(!hasGcc)(`a machine in C${unless(hasGcc, 'install gcc')}`, () => {
  test('walker.c stays below 450 lines', () => {
    expect(readFileSync(WALKER, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(450);
  });

  test('agrees with the model, and compiles without a warning', async () => {
    expect(await firstFinding(build('gcc', ['-O2', ...STRICT]), 600)).toBeUndefined();
  });

  test('agrees with the model under AddressSanitizer and UBSan, and leaks nothing', async () => {
    const command = build('gcc', SANITIZERS);
    expect(await firstFinding(command, 300)).toBeUndefined();
    const { status, stderr } = output(command, `${programs(20).map(formatProgram).join('\n')}\n`);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('answers the same in both encodings, shadow included', () => {
    const command = build('gcc', ['-O2']);
    const some = programs(100);
    const traces = binaryTraces(command, some);
    expect(traces).toEqual(jsonTraces(command, some));
    expect(traces.every(({ created }) => created.outcome.kind === 'no-memory' || created.shadow !== undefined)).toBe(
      true,
    );
  });

  test.each([
    {
      bug: 'lets the guest write the host CPU’s state',
      line: 'pages + PAGE, 0, SD_SWITCHER_STATE',
      instead: 'pages + PAGE, RW, SD_SWITCHER_STATE',
      invariant: 'switcher',
    },
    {
      bug: 'keeps the pages of the CPU that the guest has left',
      line: '	release(current, paging->switcher + PAGE, size_at(0));\n',
      instead: '',
      invariant: 'switcher',
    },
    {
      bug: 'forgets what it has taken',
      line: '		sd_references(node->page, references[SD_RAM][node->page]);',
      instead: '		return;',
      invariant: 'reference-count',
    },
  ])('one that $bug is found out', async ({ line, instead, invariant }) => {
    const found = await firstFinding(build('gcc', ['-O2', '-w'], changed(line, instead)), 300);
    // Its shadow may name the finding after a leaf that is wrong too.
    expect([found?.invariant, ...(found?.alsoBroken ?? [])]).toContain(invariant);
  });

  test('the empty machine of README.md is a subject, and the bug to begin with can be planted', async () => {
    const readme = readFileSync(join(FOLDER, '..', 'README.md'), 'utf8');
    const source = join(directory, 'readme.c');
    writeFileSync(source, /```c\n(.*?)```/s.exec(readme)![1]);
    const found = await firstFinding(build('gcc', ['-O2'], source), 30);
    expect(found).toBeDefined();
    expect(found?.invariant).not.toMatch(/^subject-/);
    expect(readme).toContain('`pages + PAGE, 0, SD_SWITCHER_STATE`');
  });

  test.each([
    { cause: 'a trap', code: '__builtin_trap();' },
    { cause: 'a null pointer', code: '*(volatile int *)0 = 1;' },
    { cause: 'a failed assertion', code: 'abort();' },
    { cause: 'a stack that overflows', code: 'return apply(step);' },
    { cause: 'an exit', code: 'exit(3);' },
  ])('a crash by $cause names the step', ({ code }) => {
    const command = build('gcc', ['-O0', '-w'], changed('	case SD_GUEST_PA:\n', `	case SD_GUEST_PA: { ${code} }\n`));
    const { stderr, stdout } = output(command, PROGRAM);
    expect(stderr).toBe('shadowdiff: at step 2\n');
    expect(stdout.toString()).toBe('');
  });

  test.skipIf(!hasClang).each(['gcc', 'clang'])(`a sanitizer’s error of %s names the step too`, (compiler) => {
    const source = changed('	case SD_GUEST_PA:\n', '	case SD_GUEST_PA: { volatile int i = 4; gpgdir[i] = 0; }\n');
    const { stderr } = output(build(compiler, [...SANITIZERS, '-w'], source), PROGRAM);
    expect(stderr).toContain('index 4 out of bounds');
    expect(stderr).toContain('shadowdiff: at step 2\n');
  });

  const unreadable: readonly (readonly [message: string, input: string | Buffer])[] = [
    ['a line that is not a whole program', 'garbage\n'],
    ['a line that is not a whole program', PROGRAM.replace('}]}', '}]')],
    ['a program whose "format" is not in formats.md', '{"format":"shadowdiff-program/2"}\n'],
    ['a program with 5000 guest pages', PROGRAM.replace('"guestPages":64', '"guestPages":5000')],
    ['a program with a field that is not in formats.md', PROGRAM.replace('"draw"', '"luck"')],
    ['a program without a "failAllocation"', PROGRAM.replace(',"failAllocation":0', '')],
    ['a "kernelAddress" that does not fit 32 bits', PROGRAM.replace('"0xc', '"0x1c')],
    ['a program with a number that cannot be read', PROGRAM.replace('"0xc', '"0xg')],
    ['a store at 0x100000, which is not a word of guest RAM', PROGRAM.replace('"0x1000"', '"0x100000"')],
    ['a store at 0x1001, which is not a word of guest RAM', PROGRAM.replace('"0x1000"', '"0x1001"')],
    ['a program of 4294967295 words', Buffer.from(`${HELLO}\xff\xff\xff\xff`, 'latin1')],
    ['a program that breaks off', Buffer.from(`${HELLO}\x09\0\0\0\0\0\0\0`, 'latin1')],
    ['a program that breaks off', Buffer.from(`${HELLO}\x01\0\0\0\0\0\0\0`, 'latin1')],
  ];

  describe('a program that it cannot read ends it with', () => {
    let command: string;
    beforeAll(() => (command = build('gcc', SANITIZERS)));

    test.each(unreadable)('%s', (message, input) => {
      const { status, stderr } = output(command, input);
      expect(stderr).toContain(`shadowdiff.h: ${message}\n`);
      expect(status).toBe(2);
    });
  });
});

describe.skipIf(!hasClang)(`a machine in C, with clang${unless(hasClang, 'install clang')}`, () => {
  test('agrees with the model, and compiles without a warning', async () => {
    expect(await firstFinding(build('clang', ['-O2', ...STRICT]), 100)).toBeUndefined();
  });

  test('counts the edges of the machine alone, each once in a program, whatever ran before', () => {
    const command = build('clang', ['-O1', '-fsanitize-coverage=trace-pc-guard']);
    const some = programs(50);
    const edges = binaryTraces(command, [...some, ...some]).map((trace) => trace.edges ?? []);
    expect(edges[0].length).toBeGreaterThan(20);
    for (const each of edges) expect(new Set(each).size).toBe(each.length);
    expect(edges.slice(some.length)).toEqual(edges.slice(0, some.length));
    const alone = some.slice(40).map((program) => binaryTraces(command, [program])[0].edges);
    expect(alone).toEqual(edges.slice(40, some.length));
    const { stdout } = output(command, HELLO);
    expect(helloOf(stdout.toString()).edges).toBeLessThan(400);
  });

  test.skipIf(!hasWasm)(
    `counts its edges as WebAssembly too, whatever ran before${unless(hasWasm, 'install lld')}`,
    async () => {
      const file = build('clang', [...WASM, '-fsanitize-coverage=trace-pc-guard']);
      const subject = new WasmSubject(file, { where: '--subject', caseTimeout: TIMEOUT, startTimeout: TIMEOUT });
      const pair = new Pair({ model: MODEL, subject, invariants: [] });
      const edgesOf = async (some: ReturnType<typeof programs>): Promise<readonly (readonly number[])[]> => {
        const edges: (readonly number[])[] = [];
        for (const program of some) {
          await pair.run(program, { contractKept: false, twice: false });
          edges.push(pair.reachedEdges);
        }
        return edges;
      };
      const forwards = await edgesOf(programs(20));
      expect(forwards[0].length).toBeGreaterThan(20);
      expect((await edgesOf(programs(20).toReversed())).toReversed()).toEqual(forwards);
    },
  );

  test.skipIf(!hasWasm)(
    `agrees with the model as WebAssembly, without a libc${unless(hasWasm, 'install lld')}`,
    async () => {
      const file = build('clang', [...WASM, '-Wall', '-Wextra', '-Werror']);
      const subject = new WasmSubject(file, { where: '--subject', caseTimeout: TIMEOUT, startTimeout: TIMEOUT });
      expect(await firstFindingOf(subject, 300)).toBeUndefined();
    },
  );

  test.skipIf(!hasWasm)(
    `begins afresh as WebAssembly after a program that was cut off${unless(hasWasm, 'install lld')}`,
    async () => {
      const file = build('clang', WASM);
      const subject = new WasmSubject(file, { where: '--subject', caseTimeout: TIMEOUT, startTimeout: TIMEOUT });
      await subject.start();
      const [machine, other] = [subject.create(), subject.create()];
      const [cutOff, next] = programs(2);
      machine.create(cutOff.machine);
      for (const step of cutOff.steps) machine.apply(step);
      expect(traceOf(machine, next)).toEqual(traceOf(other, next));
    },
  );
});
