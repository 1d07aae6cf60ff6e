import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Program, Step } from '../../model/vocabulary/index.js';
import { paddr } from '../../model/vocabulary/index.js';
import { BadInput } from '../formats/index.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { Pair } from '../pair.js';
import { versionOne } from './capabilities.js';
import { answerOfMachine } from './foreign-machine.js';
import { ModuleSubject } from './module-subject.js';
import { CommandNotAllowed, MODEL, subjectNamed } from './subject-names.js';
import type { Answer } from './subject.js';

const directory = mkdtempSync(join(tmpdir(), 'module-subject-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const SHORT = 300;
const ENOUGH = 20_000;
const PROGRAM: Program = {
  machine: { paging: '2-level', guestPages: 8, devicePages: 0, hostCpus: 2, draw: 0, failAllocation: 0 },
  steps: [
    { op: 'fail-alloc', count: 0 },
    { op: 'new-pgtable', root: paddr(0), draw: 0 },
  ] satisfies readonly Step[],
};

/** A machine of which a test replaces one method or the whole observation of a step. */
const PRELUDE = `
const observation = (kind) => ({ outcome: { kind }, references: [], stores: [], tables: 2, switcher: { text: 1, state: [0, 0], registers: 0 } });
class Calm {
  create() { return observation('created'); }
  apply(step) { return observation('ok'); }
  destroy() { return observation('destroyed'); }
}
const answering = (change) => () => Object.assign(new Calm(), { apply: () => ({ ...observation('ok'), ...change }) });
`;

let files = 0;
const fileOf = (body: string, extension = 'mjs'): string => {
  const path = join(directory, `${++files}.${extension}`);
  writeFileSync(path, PRELUDE + body);
  return path;
};
const subjectIn = (path: string, caseTimeout = ENOUGH): ModuleSubject =>
  new ModuleSubject(path, { where: '--subject', caseTimeout, startTimeout: ENOUGH });

const answer = async (body: string, caseTimeout?: number): Promise<Answer> => {
  const subject = subjectIn(fileOf(body), caseTimeout);
  await subject.start();
  return answerOfMachine(subject.create(), PROGRAM);
};

test('its default export makes machines', async () => {
  const subject = subjectIn(fileOf('let made = 0; export default () => { made++; return new Calm(); };'));
  expect(await subject.start()).toMatchObject({ name: subject.name, version: 2 });
  expect(answerOfMachine(subject.create(), PROGRAM)).toMatchObject({
    kind: 'trace',
    trace: { steps: [{ tables: 2 }, { tables: 2 }] },
  });
});

test('what it throws is a crash, named after the error and the function, at its step', async () => {
  const body = `
    class Crashing extends Calm {
      apply(step) { return step.op === 'new-pgtable' ? this.lookUp(step.root) : super.apply(step); }
      lookUp(root) { return observation('ok').shadow.at(root); }
    }
    export default () => new Crashing();`;
  const subject = subjectIn(fileOf(body));
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS.slice(0, 0) });
  expect(await pair.run(PROGRAM, { contractKept: false, twice: false })).toMatchObject({
    invariant: 'subject-crash',
    place: { kind: 'step', index: 1 },
    stage: 'new-pgtable',
    field: 'subject',
    actual: expect.stringMatching(
      /^TypeError: Cannot read .*, at Crashing\.lookUp \(\d+\.mjs:\d+:\d+\), at Crashing\.apply \(\d+\.mjs:\d+:\d+\)$/,
    ),
    difference: 'the subject crashed: TypeError in Crashing.lookUp',
  });
});

test.each([
  ['"no error"', 'it threw "no error"'],
  ['undefined', 'it threw undefined'],
  ['10n', 'it threw 10'],
  ['{ get message() { throw 1; } }', 'it threw an object'],
  [
    'Object.defineProperty(new Error(), "message", { get() { throw 1; } })',
    'it threw something that cannot be looked at',
  ],
])('anything may be thrown: %s', async (thrown, detail) => {
  const body = `export default () => Object.assign(new Calm(), { create() { throw ${thrown}; } });`;
  expect(await answer(body)).toMatchObject({ failure: 'subject-crash', detail, at: { place: { kind: 'create' } } });
});

test('endless recursion is a crash', async () => {
  const body = 'const deep = () => 1 + deep(); export default () => Object.assign(new Calm(), { destroy: deep });';
  expect(await answer(body)).toMatchObject({
    failure: 'subject-crash',
    did: 'crashed: RangeError in deep',
    at: { place: { kind: 'destroy' } },
  });
});

test('a call that does not return is ended, at its step', async () => {
  const body = 'export default () => Object.assign(new Calm(), { apply() { for (;;); } });';
  expect(await answer(body, SHORT)).toMatchObject({
    failure: 'subject-timeout',
    detail: 'no answer within 300 ms',
    at: { place: { kind: 'step', index: 0 }, stage: 'fail-alloc' },
  });
});

test('a view that cannot be read is a crash too', async () => {
  const body = `export default () => Object.assign(new Calm(), { shadow: { get allocatedTables() { throw new Error('gone'); } } });`;
  const pair = new Pair({ model: MODEL, subject: subjectIn(fileOf(body)), invariants: INVARIANTS });
  expect(await pair.run(PROGRAM, { contractKept: false, twice: false })).toMatchObject({ invariant: 'subject-crash' });
});

test.each([
  ['null', /^answer: null is wrong; return an observation/],
  ['answering({ outcome: undefined })()', /^outcome: missing/],
  ['answering({ outcome: { kind: "fine" } })()', /^outcome\.kind: "fine" is wrong; give one of: created, /],
  ['answering({ outcome: { kind: "mapped" } })()', /^outcome\.paddr: missing; give a whole number from 0 to 2³²−1/],
  ['answering({ outcome: { kind: "killed" } })()', /^outcome\.reason: missing; give a text/],
  ['answering({ references: {} })()', /^references: an object is wrong; give a list/],
  ['answering({ references: [{ page: 1, count: -1 }] })()', /^references\[0\]\.count: -1 is wrong/],
  [
    'answering({ stores: [{ paddr: 0, value: 7n }] })()',
    /^stores\[0\]\.value: 7 is wrong; give an object with low and high/,
  ],
  ['answering({ tables: 1.5 })()', /^tables: 1\.5 is wrong/],
  [
    'answering({ switcher: { text: 0, registers: 0, state: [0] } })()',
    /^switcher\.state: it has 1 members; give one for each of 2/,
  ],
])('an answer that is no observation is garbage: %s', async (machine, problem) => {
  const made = machine === 'null' ? 'Object.assign(new Calm(), { apply: () => null })' : machine;
  expect(await answer(`export default () => ${made};`)).toMatchObject({
    failure: 'subject-garbage',
    detail: expect.stringMatching(problem),
    at: { place: { kind: 'step', index: 0 } },
  });
});

test('of a kill the reason is enough, and of a bare outcome nothing else is read', async () => {
  const body = `export default () => Object.assign(new Calm(), { apply: () => ({ outcome: { kind: 'killed', reason: 'bad-read 1' } }) });`;
  expect(await answer(body)).toMatchObject({
    kind: 'trace',
    trace: { steps: [{ outcome: { kind: 'killed', cause: 'unknown' }, stores: [] }, {}] },
  });
});

test('a machine that cannot be made any more fails at its creation', async () => {
  const subject = subjectIn(
    fileOf('let made = 0; export default () => { if (made++) throw new Error("spent"); return new Calm(); };'),
  );
  await subject.start();
  expect(answerOfMachine(subject.create(), PROGRAM)).toMatchObject({
    failure: 'subject-crash',
    detail: expect.stringContaining('Error: spent'),
    at: { stage: 'create' },
  });
});

test('a machine that is not made in time is a time-out at its creation', async () => {
  const body = 'let made = 0; export default () => { while (made > 0); made++; return new Calm(); };';
  expect(await answer(body, SHORT)).toMatchObject({ failure: 'subject-timeout', at: { stage: 'create' } });
});

describe('refused before anything runs:', () => {
  const problem = async (path: string, subject = subjectIn(path)): Promise<string> => {
    const error = await subject.start().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BadInput);
    return (error as BadInput).message;
  };

  test.each([
    ['', /it has no default export; end it with: export default \(\) => new MyMachine\(\)/],
    ['export default new Calm();', /its default export is no function; end it with/],
    ['export default Calm;', /its default export is a class; end it with/],
    [
      'export default () => undefined;',
      /returns undefined, not a machine; return an object with create, apply and destroy/,
    ],
    ['export default async () => new Calm();', /returns a promise; await what it needs at the top/],
    [
      'export default () => { throw new Error("no licence"); };',
      /default export fails: Error: no licence, at .*; mend it/,
    ],
    ['throw new Error("broken");', /it cannot be loaded: Error: broken/],
    [
      'await new Promise(() => undefined); export default () => new Calm();',
      /not loaded within 20000 ms; mend what its top level does or awaits/,
    ],
    ['import "./no-such-file.mjs"; export default () => new Calm();', /it cannot be loaded: .*no-such-file/],
  ])('%s', async (body, expected) => {
    expect(await problem(fileOf(body))).toMatch(expected);
  });

  test('what does not end within the time for starting, at its top or when it makes the first machine', async () => {
    const limits = { where: '--subject', caseTimeout: ENOUGH, startTimeout: SHORT };
    const looping = new ModuleSubject(fileOf('for (;;);'), limits);
    expect(await problem('', looping)).toMatch(/not loaded within 300 ms; mend what its top level does or awaits/);
    const known = versionOne('loaded elsewhere');
    const making = new ModuleSubject(fileOf('export default () => { for (;;); };'), { ...limits, known });
    expect(await problem('', making)).toMatch(/default export is not done within 300 ms; mend it/);
  });

  test('there is no such file', async () => {
    expect(await problem(join(directory, 'none.mjs'))).toMatch(
      /^--subject: cannot use ".*": no such file or directory; check/,
    );
    expect(await problem(directory)).toMatch(/it is a directory; name a file in it/);
    expect(await problem('/dev/zero')).toMatch(/it is a pipe or a device; name a file/);
    expect(await problem('')).toMatch(/no file is named; write module:FILE/);
  });

  test.skipIf('typescript' in process.features && process.features.typescript !== false)(
    'this Node.js does not load TypeScript',
    async () => {
      const path = fileOf('export default () => new Calm();', 'ts');
      expect(await problem(path)).toMatch(
        /Node\.js v\d+\.\d+\.\d+ cannot load TypeScript; use Node\.js 22\.18 or later/,
      );
    },
  );
});

test.each(['module:./mine.js', 'wasm:./mine.wasm'])('a file that names %s needs permission', (name) => {
  const settings = { caseTimeout: 1, allowed: [] };
  expect(() => subjectNamed(name, 'entry.json', settings)).toThrow(CommandNotAllowed);
  expect(subjectNamed(name, '--subject', { ...settings, allowed: [name] }).name).toBe(name);
  expect(subjectNamed(name, 'entry.json', { ...settings, allowed: 'all' }).name).toBe(name);
});
