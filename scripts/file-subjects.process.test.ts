/** Subjects that are files, through the command as a user calls it, with real workers. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import type { Program } from '../model/vocabulary/index.js';
import { formatProgram } from '../properties/formats/index.js';
import { CODE, wasmSubject } from '../test-support/wasm-subject.js';

const clone = inject('clone');
const directory = mkdtempSync(join(tmpdir(), 'file-subjects-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const PROGRAM: Program = {
  machine: { paging: '2-level', guestPages: 64, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: [{ op: 'fail-alloc', count: 0 }],
};
writeFileSync(join(directory, 'program.json'), formatProgram(PROGRAM));

const call = (line: string): { readonly status: number | null; readonly out: string; readonly err: string } => {
  const entry = join(clone, 'dist', 'scripts', 'shadowdiff.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...line.split(' ')], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, out: stdout, err: stderr };
};

/** Its machines are made by `make`, with all of the library at hand. */
const writeModule = (name: string, make: string): void =>
  writeFileSync(
    join(directory, name),
    `import * as library from ${JSON.stringify(join(clone, 'dist', 'properties', 'index.js'))};\n${make}\n`,
  );

const filesIn = (name: string): readonly string[] =>
  existsSync(join(directory, name)) ? readdirSync(join(directory, name)).toSorted() : [];

const DEFECTS = 'demand-takes-page-twice,fault-code-from-shadow';

test('a module that makes our own machines gives the findings of impl, whatever the workers', () => {
  writeModule(
    'planted.mjs',
    `const make = library.implWith('', '${DEFECTS}'.split(',').map(library.defectNamed)).create; export default () => make();`,
  );
  const few = '--programs 60 --seed module --max-tries 100';
  call(`fuzz --subject impl:${DEFECTS} ${few} --jobs 1 --corpus impl`);
  const recorded = (corpus: string, name: string): unknown[] =>
    filesIn(corpus).map((file) => {
      const text = readFileSync(join(directory, corpus, file), 'utf8').replace(`"${name}"`, '"x"');
      const entry = JSON.parse(text) as { readonly provenance: Record<string, unknown> };
      return { ...entry, provenance: { ...entry.provenance, date: '' } };
    });
  const expected = recorded('impl', `impl:${DEFECTS}`);
  expect(expected.length).toBeGreaterThan(1);
  for (const jobs of [1, 2]) {
    const corpus = `module-${jobs}`;
    const { status, out } = call(`fuzz --subject module:./planted.mjs ${few} --jobs ${jobs} --corpus ${corpus}`);
    expect(status).toBe(1);
    const last = out.trimEnd().split('\n').at(-1)!;
    expect(call(last.slice(last.indexOf('replay '))).status).toBe(1);
    expect(recorded(corpus, 'module:./planted.mjs')).toEqual(expected);
  }
});

test.each([0, 1, 3])('a module that ends our process with %i is no result', (status) => {
  writeModule('leaving.mjs', `export default () => process.exit(${status});`);
  const { status: ended, out, err } = call('fuzz --subject module:./leaving.mjs --programs 1');
  expect([ended, out]).toEqual([2, '']);
  expect(err).toContain('shadowdiff: a module ended the process before the command was done');
});

test('a .js file that its package.json takes for CommonJS is refused with what to do', () => {
  writeModule('commonjs.js', 'export default () => library.implWith("", []).create();');
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}');
  const { status, err } = call('fuzz --subject module:./commonjs.js --programs 1');
  rmSync(join(directory, 'package.json'));
  expect(status).toBe(2);
  expect(err).toMatch(/it cannot be loaded: .*; name it \.mjs, or put "type": "module" into package\.json/);
});

test('a module that loops at its top level ends within the time for starting, and nothing is written', () => {
  writeModule('looping.mjs', 'for (;;);');
  const side = '--subject module:./looping.mjs --start-timeout 500ms';
  for (const command of [
    'fuzz --programs 1 --out looped',
    'nightly --programs 1 --out looped',
    'replay program.json',
  ]) {
    const { status, err } = call(`${command} ${side}`);
    expect({ status, err }).toEqual({
      status: 2,
      err: expect.stringMatching(/^shadowdiff: --subject: cannot use .*: it is not loaded within 500 ms; mend .*\n$/),
    });
    expect(existsSync(join(directory, 'looped'))).toBe(false);
  }
});

test.each([
  [
    'a promise at its top level',
    `Promise.reject(new Error('late')); export default () => new library.ShadowMachine();`,
  ],
  [
    'a timer of one of its machines',
    `class Late extends library.ShadowMachine {
       apply(step) { setTimeout(() => { throw new Error('late'); }); return super.apply(step); }
     }
     export default () => new Late();`,
  ],
])('an error that nothing caught, in %s, is of the module', (_, body) => {
  writeModule('late.mjs', body);
  const late = /^shadowdiff: \/\S*\/late\.mjs: it failed outside of the calls of its machines: Error: late, at .*\n$/;
  for (const command of ['fuzz --programs 20 --seed a --jobs 1', 'replay program.json']) {
    const { status, err } = call(`${command} --subject module:./late.mjs`);
    expect({ command, status, err }).toEqual({ command, status: 2, err: expect.stringMatching(late) });
  }
});

test('a module may take longer to load than a worker may be silent', () => {
  writeModule(
    'slow.mjs',
    `for (const start = Date.now(); Date.now() < start + 1500;);
     export default () => new library.ShadowMachine();`,
  );
  const { status, err } = call('fuzz --subject module:./slow.mjs --case-timeout 100ms --programs 5 --seed a --jobs 1');
  expect({ status, err }).toEqual({ status: expect.toBeOneOf([0, 1]), err: '' });
});

test('what a module prints reaches no terminal raw, nor our standard output', () => {
  writeModule(
    'printing.mjs',
    `console.log('log \\u001b[31m'); process.stdout.write('out \\u009b1m\\n'); console.error('error \\u202e');
     export default () => new library.ShadowMachine();`,
  );
  const side = '--subject module:./printing.mjs';
  const printed = 'log \\u001b[31m\nout \\u009b1m\nerror \\u202e\n';
  const { out, err } = call(`trace program.json ${side}`);
  expect(err).toBe(printed);
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => typeof JSON.parse(line)),
  ).toEqual(['object']);
  const run = call(`fuzz ${side} --programs 20 --seed a --jobs 1 --out printed`);
  expect(run).toMatchObject({ status: 0, out: expect.not.stringContaining('log'), err: printed });
  expect(readFileSync(join(directory, 'printed', 'workers.log'), 'utf8')).toBe(printed);
});

describe('a machine that hangs at some steps', () => {
  test('is a finding of the run, which goes on, and of every command that runs it again', () => {
    writeModule(
      'hanging.mjs',
      `class Hanging extends library.ShadowMachine {
         apply(step) { while (step.op === 'set-stack' && step.pages > 1); return super.apply(step); }
       }
       export default () => new Hanging();`,
    );
    const side = '--subject module:./hanging.mjs --case-timeout 500ms';
    const signature = 'subject-timeout | set-stack | the subject did not answer';
    const run = call(`fuzz ${side} --programs 12 --seed a --max-tries 4 --jobs 1 --corpus hanging --out run`);
    expect(run.status).toBe(1);
    expect(run.out).toContain(signature);
    expect(run.out).toMatch(/programs +12 with/);
    const [entry] = filesIn('hanging').map((file) => `hanging/${file}`);
    for (const command of ['replay', 'explain']) {
      const { status, out } = call(`${command} ${entry} ${side}`);
      expect({ command, status, shown: out.includes(signature) }).toEqual({ command, status: 1, shown: true });
    }
    expect(call(`regress ${entry} ${side}`)).toMatchObject({ status: 1, out: expect.stringContaining(signature) });
    expect(call(`regress ${entry}`)).toMatchObject({ status: 3, out: expect.stringContaining('give --allow-exec') });
    expect(call(`shrink ${entry} ${side} --max-tries 3`).status).toBe(0);
    expect(call('report run --reporter html --out page.html --allow-exec').status).toBe(0);
    expect(readFileSync(join(directory, 'page.html'), 'utf8')).toContain('no answer within 500 ms');
  });
});

test('a trap in WebAssembly is a finding, and the run goes on with a new instance', () => {
  writeFileSync(join(directory, 'trap.wasm'), wasmSubject({ code: { create: CODE.unreachable } }));
  const run = call('fuzz --subject wasm:./trap.wasm --programs 20 --seed a --jobs 1 --corpus trap');
  expect(run.status).toBe(1);
  expect(run.out).toContain('subject-crash | create | the subject crashed: unreachable in wasm-function[2]');
  expect(run.out).toMatch(/\(0 steps, 20 programs\)/);
});

test.each(['module:./none.mjs', 'wasm:./none.wasm'])('%s is bad input, and nothing is written', (name) => {
  for (const command of [
    'fuzz --programs 9 --corpus none --out none',
    'nightly --programs 9 --corpus none --out none',
  ]) {
    const { status, err } = call(`${command} --subject ${name}`);
    expect({ status, err }).toEqual({
      status: 2,
      err: expect.stringMatching(
        /^shadowdiff: --subject: cannot use "\.\/none\.\w+": no such file or directory; check .*\n$/,
      ),
    });
    expect(filesIn('none')).toEqual([]);
  }
});
