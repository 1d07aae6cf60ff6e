import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Program, Step } from '../../model/vocabulary/index.js';
import { OBSERVABLES, cpu } from '../../model/vocabulary/index.js';
import type { WasmParts } from '../../test-support/wasm-subject.js';
import { CODE, COUNTER, HELLO, countAt, wasmSubject } from '../../test-support/wasm-subject.js';
import { BadInput } from '../formats/index.js';
import { determinism } from '../invariants/determinism.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { Pair } from '../pair.js';
import { traceOf } from '../trace-of.js';
import { answerOfMachine } from './foreign-machine.js';
import { MODEL } from './subject-names.js';
import type { Answer } from './subject.js';
import { WasmSubject } from './wasm-subject.js';

const directory = mkdtempSync(join(tmpdir(), 'wasm-subject-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const SHORT = 300;
const ENOUGH = 20_000;
const PROGRAM: Program = {
  machine: { paging: '2-level', guestPages: 8, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: Array.from({ length: 3 }, (): Step => ({ op: 'migrate', cpu: cpu(0) })),
};

let files = 0;
const subjectIn = (bytes: Uint8Array, caseTimeout = ENOUGH): WasmSubject => {
  const path = join(directory, `${++files}.wasm`);
  writeFileSync(path, bytes);
  return new WasmSubject(path, { where: '--subject', caseTimeout, startTimeout: SHORT });
};
const subjectOf = (parts: WasmParts, caseTimeout?: number): WasmSubject => subjectIn(wasmSubject(parts), caseTimeout);

const answer = async (parts: WasmParts, caseTimeout?: number): Promise<Answer> => {
  const subject = subjectOf(parts, caseTimeout);
  await subject.start();
  return answerOfMachine(subject.create(), PROGRAM);
};

test('a machine answers every program alike, because creation starts afresh', async () => {
  const subject = subjectOf({});
  expect(await subject.start()).toMatchObject({ name: subject.name, observes: OBSERVABLES.slice(0, 5) });
  const machine = subject.create();
  const calm = { references: [], stores: [], tables: 2, switcher: { text: 1, registers: 0, state: [0] } };
  const trace = traceOf(machine, PROGRAM);
  expect(trace).toEqual({
    created: { outcome: { kind: 'created' }, ...calm },
    steps: PROGRAM.steps.map(() => ({ outcome: { kind: 'ok' }, ...calm })),
    destroyed: {
      outcome: { kind: 'destroyed' },
      references: [],
      stores: [],
      tables: 0,
      switcher: { text: 0, registers: 0, state: [0] },
    },
  });
  expect(traceOf(machine, PROGRAM)).toEqual(trace);
});

test('its hello says what it can do, and what it does not observe is not compared', async () => {
  const hello =
    '{"format":"shadowdiff-hello/2","name":"half","paging":["pae"],"observes":["outcome","tables"],"inFlight":9}';
  const subject = subjectOf({ hello, created: [0, 3], applied: [3, 3], destroyed: [11, 0] });
  expect(await subject.start()).toMatchObject({ name: 'half', paging: ['pae'], observes: ['outcome', 'tables'] });
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  const program = { machine: { ...PROGRAM.machine, paging: 'pae' as const }, steps: [] };
  expect(await pair.run(program, { contractKept: false, twice: true })).toBeUndefined();
});

describe('edges', () => {
  const hello = '{"format":"shadowdiff-hello/2","edges":5}';

  test('are those of the program that ran last, screened or not', async () => {
    const pair = new Pair({ model: MODEL, subject: subjectOf({ hello, edges: [4, 0] }), invariants: [] });
    expect(await pair.run(PROGRAM, { contractKept: false, twice: false })).toBeUndefined();
    expect([pair.edgeCount, pair.reachedEdges]).toEqual([5, [4, 0]]);
    await pair.run({ ...PROGRAM, steps: [] }, { contractKept: false, twice: false, screened: true });
    expect(pair.reachedEdges).toEqual([4, 0]);
  });

  test('that it does not count are a wrong answer', async () => {
    expect(await answer({ hello, edges: [5] })).toMatchObject({
      failure: 'subject-garbage',
      detail: expect.stringMatching(/^answer: edges: 5 is out of range/),
      at: { stage: 'destroy' },
    });
  });
});

test('a trap is a crash at its step, with its stack, and the next program gets a fresh instance', async () => {
  const apply = [
    ...countAt(COUNTER),
    ...CODE.constant(2),
    ...CODE.isEqual,
    ...CODE.when(CODE.unreachable),
    ...CODE.constant(3072),
  ];
  const subject = subjectOf({ code: { apply } });
  const pair = new Pair({ model: MODEL, subject, invariants: [] });
  for (let time = 0; time < 2; time++) {
    expect(await pair.run(PROGRAM, { contractKept: false, twice: false })).toMatchObject({
      invariant: 'subject-crash',
      place: { kind: 'step', index: 1 },
      stage: 'migrate',
      field: 'subject',
      actual: expect.stringMatching(/^RuntimeError: unreachable, at wasm-function\[3\]:0x[0-9a-f]+$/),
      difference: 'the subject crashed: unreachable in wasm-function[3]',
    });
  }
});

test('after a crash while a program is repeated the next one gets a fresh instance too', async () => {
  const trapAtFifth = [...CODE.constant(5), ...CODE.isEqual, ...CODE.when(CODE.unreachable)];
  const subject = subjectOf({ code: { apply: [...countAt(COUNTER), ...trapAtFifth, ...CODE.constant(3072)] } });
  const pair = new Pair({ model: MODEL, subject, invariants: [determinism] });
  for (let time = 0; time < 2; time++) {
    expect(await pair.run(PROGRAM, { contractKept: false, twice: true })).toMatchObject({
      invariant: 'subject-crash',
      place: { kind: 'step', index: 1 },
    });
  }
});

test.each(['create', 'apply', 'destroy'] as const)(
  '%s that hangs is ended at the time limit of the program',
  async (name) => {
    const at = { create: { kind: 'create' }, apply: { kind: 'step', index: 0 }, destroy: { kind: 'destroy' } }[name];
    expect(await answer({ code: { [name]: [...CODE.loopForever, ...CODE.unreachable] } }, SHORT)).toMatchObject({
      kind: 'failed',
      failure: 'subject-timeout',
      detail: 'no answer within 300 ms',
      at: { place: at },
    });
  },
);

describe('memory', () => {
  const grow = (pages: number, then: readonly number[]): readonly number[] => [
    ...CODE.constant(pages),
    ...CODE.growMemory,
    ...then,
    ...CODE.constant(3072),
  ];
  const orTrap = [...CODE.constant(-1), ...CODE.isEqual, ...CODE.when(CODE.unreachable)];

  test('may grow, and is read where it is then', async () => {
    expect(await answer({ code: { apply: grow(1, orTrap) } })).toMatchObject({ kind: 'trace' });
  });

  test.each([{ least: 1 }, { least: 1, most: 65536 }, { least: 2, most: 4097 }])(
    'does not grow beyond 256 MiB: %o',
    async (memory) => {
      const fits = 4096 - memory.least;
      expect(
        await answer({ memory, code: { create: [...grow(fits, orTrap).slice(0, -3), ...CODE.constant(2048)] } }),
      ).toMatchObject({ kind: 'trace' });
      expect(await answer({ memory, code: { apply: grow(fits + 1, orTrap) } })).toMatchObject({
        kind: 'failed',
        failure: 'subject-crash',
        at: { place: { kind: 'step', index: 0 } },
      });
    },
  );

  test('holds no longer answer than a pipe would bring', async () => {
    const apply = [...CODE.constant(8192), ...CODE.constant(2 ** 22 + 1), ...CODE.store, ...CODE.constant(8192)];
    expect(await answer({ memory: { least: 4096 }, code: { apply } })).toMatchObject({
      failure: 'subject-garbage',
      detail: 'an answer of 4194305 words; give at most 4194304',
      at: { place: { kind: 'step', index: 0 } },
    });
  });

  test('keeps a maximum of its own', async () => {
    const memory = { least: 1, most: 2 };
    expect(await answer({ memory, code: { apply: grow(2, orTrap) } })).toMatchObject({ failure: 'subject-crash' });
  });
});

test.each<[string, WasmParts, RegExp]>([
  [
    'an address that is not one of a word',
    { code: { apply: CODE.constant(3073) } },
    /apply returned 3073; return a multiple of 4/,
  ],
  [
    'an address outside',
    { code: { apply: CODE.constant(-4) } },
    /apply returned 4294967292; return .* memory of 65536 bytes/,
  ],
  [
    'a length that ends outside',
    { applied: [3], code: { apply: CODE.constant(65532) } },
    /^answer: steps\[0\]\.outcome: the message ends/,
  ],
  ['a length that lies', { applied: [3, 0, 0, 0] }, /^answer: steps\[0\]\.switcher: it takes 3 words, and 0 are left/],
  ['words too many', { applied: [3, 0, 0, 2, 1, 0, 0, 9] }, /1 words more than it should have/],
  ['an unknown outcome', { applied: [99] }, /99 is not the number of a kind/],
  ['no room for input', { code: { input: CODE.constant(65520) } }, /input returned 65520, too near the end/],
])('%s is garbage', async (_, parts, problem) => {
  expect(await answer(parts)).toMatchObject({
    kind: 'failed',
    failure: 'subject-garbage',
    detail: expect.stringMatching(problem),
  });
});

describe('refused before anything runs:', () => {
  const problem = async (subject: WasmSubject): Promise<string> => {
    const error = await subject.start().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BadInput);
    return (error as BadInput).message;
  };

  test.each<[string, WasmParts, RegExp]>([
    ['a function is missing', { without: 'apply' }, /exports no function shadowdiff_apply; include shadowdiff\.h/],
    ['memory is not exported', { without: 'memory' }, /exports no memory; export it as "memory"/],
    ['it imports', { imported: ['env', 'memcpy'] }, /imports env\.memcpy; link it without imports/],
    [
      'memory begins too large',
      { memory: { least: 4097 } },
      /begins with 256\.0625 MiB; let it begin with at most 256 MiB/,
    ],
    ['its hello is none', { hello: 'hi' }, /its hello is "hi"; answer \{"format"/],
    ['its hello is cut off', { hello: HELLO.slice(0, -1) }, /wasm:.*: line 1, column/],
    ['its hello is of another version', { hello: '{"format":"shadowdiff-hello/3"}' }, /"shadowdiff-hello\/3"/],
    ['it observes what there is not', { hello: `${HELLO.slice(0, -1)},"observes":["soul"]}` }, /observes\[0\]: "soul"/],
    ['its hello traps', { code: { hello: CODE.unreachable } }, /fails when it is started: RuntimeError: unreachable/],
    [
      'its hello hangs',
      { code: { hello: [...CODE.loopForever, ...CODE.unreachable] } },
      /hello is not done within 300 ms/,
    ],
    ['its hello is outside', { code: { hello: CODE.constant(65536) } }, /hello returned 65536/],
  ])('%s', async (_, parts, expected) => {
    expect(await problem(subjectOf(parts))).toMatch(expected);
  });

  test('it is no WebAssembly', async () => {
    const message = await problem(subjectIn(new TextEncoder().encode('#!/bin/sh\n')));
    expect(message).toMatch(
      /^--subject: cannot use ".*": it is not a WebAssembly module: .*; build one with clang --target=wasm32$/,
    );
    expect(await problem(subjectIn(wasmSubject().subarray(0, 60)))).toMatch(/not a WebAssembly module/);
  });

  test('there is no file', async () => {
    const named = (file: string) => new WasmSubject(file, { where: '--subject', caseTimeout: 1, startTimeout: 1 });
    expect(await problem(named(join(directory, 'none')))).toMatch(/no such file or directory; check the path/);
    expect(await problem(named(directory))).toMatch(/it is a directory; name a file in it/);
    expect(await problem(named('/dev/zero'))).toMatch(/it is a pipe or a device; name a file/);
    expect(await problem(named(''))).toMatch(/no file is named; write wasm:FILE/);
  });
});
