/** The C header and the machine written with it: built as a user builds them, in every way that README.md names. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Observable, Paging, Program, Trace } from '../../../model/vocabulary/index.js';
import { OBSERVABLES } from '../../../model/vocabulary/index.js';
import type { Divergence } from '../../../properties/divergence.js';
import { formatProgram, parseTrace } from '../../../properties/formats/index.js';
import { ProgramWriter } from '../../../properties/formats/program-words.js';
import { TraceReader } from '../../../properties/formats/trace-words.js';
import { programArbitrary } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { programSeed, randomFor } from '../../../properties/seeds.js';
import { CommandSubject } from '../../../properties/subjects/command-subject.js';
import { MODEL } from '../../../properties/subjects/subject-names.js';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const WALKER = join(FOLDER, 'walker.c');
const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror'];
const SANITIZED = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'];
const WASM = ['--target=wasm32', '-nostdlib', '-O2', '-Wl,--no-entry'];
const HELLO = '{"format":"shadowdiff-hello/2"}\n';
const TIMEOUT = 20_000;

/** A program whose last step, number 2, is a guest-pa. */
const PROGRAM =
  '{"format":"shadowdiff-program/1",' +
  '"machine":{"paging":"2-level","guestPages":64,"devicePages":4,"hostCpus":2,"draw":0,"failAllocation":0},' +
  '"steps":[{"op":"init","kernelAddress":"0xc0000000"},{"op":"store","paddr":"0x1000","value":"0x2067"},' +
  '{"op":"guest-pa","vaddr":"0x0"}]}\n';

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const hasGcc = has('gcc');
const hasClang = has('clang');
const hasWasm = hasClang && has('wasm-ld');
const unless = (present: boolean, packages: string): string => (present ? '' : ` (skipped: install ${packages})`);

let directory: string;
let built = 0;

beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'c-machine-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Compiles a source and returns the path of what came out. */
const build = (compiler: string, options: readonly string[], source = WALKER): string => {
  const output = join(directory, `machine-${built++}`);
  const { status, stderr } = spawnSync(compiler, [...options, '-I', FOLDER, '-o', output, source], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return output;
};

/** walker.c with one piece of text replaced. */
const changed = (text: string, instead: string): string => {
  const parts = readFileSync(WALKER, 'utf8').split(text);
  expect(parts, `"${text}" in walker.c`).toHaveLength(2);
  const path = join(directory, `changed-${built++}.c`);
  writeFileSync(path, parts.join(instead));
  return path;
};

const programsOf = (count: number, paging: Paging | 'both'): readonly Program[] => {
  const arbitrary = programArbitrary({ paging });
  return Array.from(
    { length: count },
    (_, index) => arbitrary.generate(randomFor(programSeed('c-machine', index)), undefined).value.program,
  );
};

/** Runs programs against the model until one diverges. */
const firstFinding = async (command: string, programs: number): Promise<Divergence | undefined> => {
  const subject = new CommandSubject(`${command} --json`, '--subject', { caseTimeout: TIMEOUT, startTimeout: TIMEOUT });
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  try {
    for (const program of programsOf(programs, 'both')) {
      const found = await pair.run(program, { contractKept: false, twice: false });
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    await pair.close();
  }
};

/** Gives a machine all of its input at once. */
const run = (
  command: string,
  input: string | Buffer,
  ...options: readonly string[]
): { status: number | null; stdout: Buffer; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(command, options, { input, maxBuffer: 2 ** 30 });
  return { status, stdout, stderr: stderr.toString('utf8') };
};

interface Hello {
  readonly observes: readonly Observable[];
  readonly edges: number;
}

const helloOf = (line: string): Hello => {
  const { observes, edges } = JSON.parse(line) as Hello;
  return { observes: OBSERVABLES.filter((each) => each === 'outcome' || observes.includes(each)), edges };
};

/** The traces that a machine answers in JSON, after a hello. */
const jsonTraces = (command: string, programs: readonly Program[]): readonly Trace[] => {
  const { stdout } = run(command, `${HELLO}${programs.map(formatProgram).join('\n')}\n`, '--json');
  const [hello, ...lines] = stdout.toString('utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(programs.length);
  return lines.map((line, index) => parseTrace(line, 'answer', programs[index], helloOf(hello)));
};

/** The same in the binary encoding. */
const binaryTraces = (command: string, programs: readonly Program[]): readonly Trace[] => {
  const writer = new ProgramWriter();
  for (const program of programs) writer.add(program);
  const { stdout } = run(command, Buffer.concat([Buffer.from(HELLO), writer.take()]));
  const start = stdout.indexOf(10) + 1;
  const reader = new TraceReader(helloOf(stdout.toString('utf8', 0, start)), 'answer');
  const words = new Uint32Array(Uint8Array.from(stdout.subarray(start)).buffer);
  let at = 0;
  return programs.map((program) => {
    const end = at + 1 + words[at];
    const trace = reader.trace(words.subarray(at + 1, end), program);
    at = end;
    return trace;
  });
};

describe.skipIf(!hasGcc)(`a machine in C${unless(hasGcc, 'gcc')}`, () => {
  test('walker.c stays below 450 lines', () => {
    expect(readFileSync(WALKER, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(450);
  });

  test('agrees with the model, and compiles without a warning', async () => {
    expect(await firstFinding(build('gcc', ['-O2', ...STRICT]), 600)).toBeUndefined();
  });

  test('agrees with the model under AddressSanitizer and UBSan, and leaks nothing', async () => {
    const command = build('gcc', SANITIZED);
    expect(await firstFinding(command, 300)).toBeUndefined();
    const { status, stderr } = run(command, `${programsOf(20, 'both').map(formatProgram).join('\n')}\n`);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('answers the same in both encodings, shadow included', () => {
    const command = build('gcc', ['-O2']);
    const programs = programsOf(100, 'both');
    const traces = binaryTraces(command, programs);
    expect(traces).toEqual(jsonTraces(command, programs));
    expect(traces.every(({ created }) => created.outcome.kind === 'no-memory' || created.shadow !== undefined)).toBe(
      true,
    );
  });

  test.each([
    { bug: 'never sets D', line: ' | (needed & RW ? D : 0)', instead: '', invariant: 'accessed-dirty' },
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

  test.each([
    { cause: 'a trap', code: '__builtin_trap();' },
    { cause: 'a null pointer', code: '*(volatile int *)0 = 1;' },
    { cause: 'a failed assertion', code: 'abort();' },
    { cause: 'a stack that overflows', code: 'return apply(step);' },
  ])('a crash by $cause names the step', ({ code }) => {
    const command = build('gcc', ['-O0', '-w'], changed('	case SD_GUEST_PA:\n', `	case SD_GUEST_PA: { ${code} }\n`));
    const { stderr, stdout } = run(command, PROGRAM);
    expect(stderr).toBe('shadowdiff: at step 2\n');
    expect(stdout.toString()).toBe('');
  });

  test.skipIf(!hasClang)(`a sanitizer’s error names the step too${unless(hasClang, 'clang')}`, () => {
    const source = changed('	case SD_GUEST_PA:\n', '	case SD_GUEST_PA: { volatile int i = 4; gpgdir[i] = 0; }\n');
    const { stderr } = run(build('clang', [...SANITIZED, '-w'], source), PROGRAM);
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
    beforeAll(() => (command = build('gcc', SANITIZED)));

    test.each(unreadable)('%s', (message, input) => {
      const { status, stderr } = run(command, input);
      expect(stderr).toContain(`shadowdiff.h: ${message}\n`);
      expect(status).toBe(2);
    });
  });
});

describe.skipIf(!hasClang)(`a machine in C, with clang${unless(hasClang, 'clang')}`, () => {
  test('agrees with the model, and compiles without a warning', async () => {
    expect(await firstFinding(build('clang', ['-O2', ...STRICT]), 100)).toBeUndefined();
  });

  test('counts the edges of the machine alone, each once in a process', () => {
    const command = build('clang', ['-O1', '-fsanitize-coverage=trace-pc-guard']);
    const programs = programsOf(50, 'both');
    const edges = binaryTraces(command, [...programs, ...programs]).map((trace) => trace.edges ?? []);
    expect(edges[0].length).toBeGreaterThan(20);
    expect(new Set(edges.flat()).size).toBe(edges.flat().length);
    expect(edges.slice(programs.length).flat()).toEqual([]);
    const { stdout } = run(command, HELLO);
    expect(helloOf(stdout.toString()).edges).toBeLessThan(400);
  });

  test.skipIf(!hasWasm)(`compiles to WebAssembly without a libc${unless(hasWasm, 'lld')}`, () => {
    const module = readFileSync(build('clang', [...WASM, '-Wall', '-Wextra', '-Werror']));
    expect(module.toString('latin1', 0, 4)).toBe('\0asm');
  });
});
