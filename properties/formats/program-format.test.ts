import { describe, expect, test } from 'vitest';
import { formatProgram, parseProgram, programFromJson, programHash, programToJson } from './program-format.js';
import fc from 'fast-check';
import type { Paging, Program, Step } from '../../model/vocabulary/index.js';
import {
  FEATURES,
  guestEntry,
  MACHINE_BOUNDS,
  OPS,
  paddr,
  PAGE_BYTES,
  PAGINGS,
  pagingSizes,
  vaddr,
} from '../../model/vocabulary/index.js';
import { BadInput } from './bad-input.js';

/** The example of formats.md, with its blanks taken out. */
const EXAMPLE = [
  '{"format":"shadowdiff-program/1",',
  '"machine":{"paging":"2-level","guestPages":64,"devicePages":4,"hostCpus":2,"draw":0,"failAllocation":0},',
  '"steps":[',
  '{"op":"init","kernelAddress":"0xc0000000"},',
  '{"op":"store","paddr":"0x1000","value":"0x2067"},',
  '{"op":"new-pgtable","root":"0x1000","draw":2},',
  '{"op":"set-pte","root":"0x1000","vaddr":"0x400000","pte":"0x5067"},',
  '{"op":"set-pgd","root":"0x1000","index":0},',
  '{"op":"set-pmd","pmd":"0x3000","index":0},',
  '{"op":"flush-tlb","scope":"user"},',
  '{"op":"set-stack","esp":"0xc0002000","pages":1},',
  '{"op":"access","vaddr":"0xc0001000","kind":"read","mode":"kernel"},',
  '{"op":"guest-pa","vaddr":"0x400000"},',
  '{"op":"migrate","cpu":1},',
  '{"op":"fail-alloc","count":1},',
  '{"op":"protect","page":6,"access":"read"}]}',
].join('');

const MACHINE = { paging: '2-level', guestPages: 64, devicePages: 4, hostCpus: 2, draw: 0, failAllocation: 0 };

const documentOf = (machine: unknown, ...steps: readonly unknown[]) => ({
  format: 'shadowdiff-program/1',
  machine,
  steps,
});

const messageOf = (value: unknown): string => {
  try {
    programFromJson(value, 'x');
  } catch (error) {
    expect(error).toBeInstanceOf(BadInput);
    return (error as BadInput).message;
  }
  return 'read';
};

describe('the example of formats.md', () => {
  test('comes back in the same text', () => {
    expect(formatProgram(parseProgram(EXAMPLE, 'example'))).toBe(EXAMPLE);
  });

  test('has every kind of step', () => {
    const ops = new Set(parseProgram(EXAMPLE, 'example').steps.map((step) => step.op));
    expect([...ops].sort()).toEqual([...OPS].sort());
  });

  test('is written in the order of its keys, whatever the order in which it was read', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).reverse();
      return Object.fromEntries(entries.map(([key, member]) => [key, reversed(member)]));
    };
    expect(formatProgram(programFromJson(reversed(JSON.parse(EXAMPLE)), 'example'))).toBe(EXAMPLE);
  });
});

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const anyVaddr = u32.map(vaddr);
const aligned = (bytes: number) => fc.nat(2 ** 32 / bytes - 1).map((index) => paddr(index * bytes));
const entryOf = (paging: Paging) =>
  paging === 'pae' ? fc.tuple(u32, u32).map(([low, high]) => guestEntry(low, high)) : u32.map((low) => guestEntry(low));

const stepOf = (paging: Paging, guestPages: number, hostCpus: number): fc.Arbitrary<Step> => {
  const { entryBytes, rootAlignment } = pagingSizes(paging);
  const root = aligned(rootAlignment);
  const word = fc.nat((guestPages * PAGE_BYTES) / entryBytes - 1).map((index) => paddr(index * entryBytes));
  const kind = fc.constantFrom('read' as const, 'write' as const);
  const mode = fc.constantFrom('user' as const, 'kernel' as const);
  const access = fc.constantFrom('none' as const, 'read' as const, 'write' as const);
  return fc.oneof(
    fc.record({ op: fc.constant('store' as const), paddr: word, value: entryOf(paging) }),
    fc.record({ op: fc.constant('init' as const), kernelAddress: anyVaddr }),
    fc.record({ op: fc.constant('new-pgtable' as const), root, draw: u32 }),
    fc.record({ op: fc.constant('flush-tlb' as const), scope: fc.constantFrom('all' as const, 'user' as const) }),
    fc.record({ op: fc.constant('set-stack' as const), esp: anyVaddr, pages: u32 }),
    fc.record({ op: fc.constant('set-pmd' as const), pmd: u32.map(paddr), index: u32 }),
    fc.record({ op: fc.constant('set-pte' as const), root, vaddr: anyVaddr, pte: entryOf(paging) }),
    fc.record({ op: fc.constant('set-pgd' as const), root, index: u32 }),
    fc.record({ op: fc.constant('access' as const), vaddr: anyVaddr, kind, mode }),
    fc.record({ op: fc.constant('guest-pa' as const), vaddr: anyVaddr }),
    fc.record({ op: fc.constant('migrate' as const), cpu: fc.nat(hostCpus - 1) }),
    fc.record({ op: fc.constant('fail-alloc' as const), count: u32 }),
    fc.record({ op: fc.constant('protect' as const), page: fc.nat(guestPages - 1), access }),
  );
};

const within = ({ least, most }: { readonly least: number; readonly most: number }) =>
  fc.integer({ min: least, max: most });

const programs: fc.Arbitrary<Program> = fc
  .record({
    paging: fc.constantFrom(...PAGINGS),
    guestPages: within(MACHINE_BOUNDS.guestPages),
    devicePages: within(MACHINE_BOUNDS.devicePages),
    hostCpus: within(MACHINE_BOUNDS.hostCpus),
    draw: u32,
    failAllocation: u32,
  })
  .chain((machine) =>
    fc
      .subarray(FEATURES.filter((each) => machine.paging === 'pae' || each !== 'no-execute'))
      .map((features) => (features.length === 0 ? machine : { ...machine, features })),
  )
  .chain((machine) =>
    fc.record({
      machine: fc.constant(machine),
      steps: fc.array(stepOf(machine.paging, machine.guestPages, machine.hostCpus), { maxLength: 30 }),
    }),
  );

describe('any valid program', () => {
  test('survives writing and reading', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const text = formatProgram(program);
        const back = parseProgram(text, 'x');
        expect(JSON.stringify(back)).toBe(JSON.stringify(program));
        expect(formatProgram(back)).toBe(text);
      }),
    );
  });

  test('is refused in one line as soon as a key is taken away or added', () => {
    fc.assert(
      fc.property(programs, fc.nat(), fc.boolean(), (program, at, takesAway) => {
        const document = JSON.parse(formatProgram(program));
        const objects = [document, document.machine, ...document.steps];
        const object = objects[at % objects.length];
        const needed = Object.keys(object).filter((key) => key !== 'features');
        if (takesAway) delete object[needed[at % needed.length]];
        else object.further = 1;
        expect(messageOf(document)).toMatch(/^x: .*(missing|unknown key "further"); [^\n]*$/);
      }),
    );
  });
});

/** Every object and list of a document, with the keys of its members. */
const places = (value: unknown): readonly (readonly [container: Record<string, unknown>, key: string])[] => {
  if (typeof value !== 'object' || value === null) return [];
  const container = value as Record<string, unknown>;
  return Object.keys(container).flatMap((key) => [[container, key] as const, ...places(container[key])]);
};

test('whatever stands in a place is read or refused in one line of our own words', () => {
  const strange = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('0x1', '0xfff', 'read', 'pae', 'store', 1e300),
  );
  fc.assert(
    fc.property(fc.nat(), strange, (at, value) => {
      const document: unknown = JSON.parse(EXAMPLE);
      const all = places(document);
      const [container, key] = all[at % all.length];
      container[key] = value;
      expect(messageOf(document)).toMatch(/^(read|x: [^\n]{1,400})$/);
      expect(messageOf(document)).not.toMatch(/not understood|Invalid/);
    }),
    { numRuns: 1000 },
  );
});

test('leading zeros, negative zero and whole fractions are read for what they are worth', () => {
  const text = EXAMPLE.replace('"0x1000"', '"0x00000000000000000001000"').replace('"index":0', '"index":-0.0');
  const program = parseProgram(text, 'x');
  expect(formatProgram(program)).toBe(EXAMPLE);
  expect(program.steps.some((step) => step.op === 'set-pgd' && Object.is(step.index, 0))).toBe(true);
});

const PAE = { ...MACHINE, paging: 'pae' };
const HEX = 'lower-case hex string';

test.each<[string, unknown]>([
  ['x: null is not an object; give an object with "format", "machine", "steps"', null],
  ['x: a list is not an object; give an object with "format", "machine", "steps"', []],
  ['x: format: missing; use "shadowdiff-program/1" (and 2 further problems)', {}],
  [
    'x: format: "shadowdiff-program/2" is not known here; this version reads "shadowdiff-program/1"',
    { format: 'shadowdiff-program/2', anything: 1 },
  ],
  ['x: format: 1 is not known here; this version reads "shadowdiff-program/1"', { ...documentOf(MACHINE), format: 1 }],
  ['x: steps: an object is not a list; give a list: […]', { ...documentOf(MACHINE), steps: {} }],
  [
    'x: unknown key "seed"; leave it out, only "format", "machine", "steps" belong here',
    { ...documentOf(MACHINE), seed: 1 },
  ],
  [
    'x: machine: missing; give an object with "paging", "guestPages", "devicePages", "hostCpus", "draw", "failAllocation", "features"',
    documentOf(undefined),
  ],
  [
    'x: machine.paging: "4-level" is not known; use one of "2-level", "pae"',
    documentOf({ ...MACHINE, paging: '4-level' }),
  ],
  [
    'x: machine.guestPages: 0 is out of range; give a whole number from 1 to 4096',
    documentOf({ ...MACHINE, guestPages: 0 }),
  ],
  [
    'x: machine.guestPages: 4097 is out of range; give a whole number from 1 to 4096',
    documentOf({ ...MACHINE, guestPages: 4097 }),
  ],
  [
    'x: machine.devicePages: "4" is not a whole number; give a whole number from 0 to 4096',
    documentOf({ ...MACHINE, devicePages: '4' }),
  ],
  [
    'x: machine.hostCpus: 1.5 is not a whole number; give a whole number from 1 to 64 (and 1 further problem)',
    documentOf({ ...MACHINE, hostCpus: 1.5, draw: -1 }),
  ],
  [
    'x: machine.failAllocation: 4294967296 is out of range; give a whole number from 0 to 4294967295',
    documentOf({ ...MACHINE, failAllocation: 2 ** 32 }),
  ],
  [
    `x: machine.features: the list is empty, or holds something else or a word twice; give a list of at least one of ${FEATURES.map((each) => `"${each}"`).join(', ')}, each once`,
    documentOf({ ...MACHINE, features: [] }),
  ],
  [
    'x: machine.features: "no-execute" needs PAE; leave it out, or set machine.paging to "pae"',
    documentOf({ ...MACHINE, features: ['no-execute'] }),
  ],
  [
    'x: steps[0].kind: "execute" needs a feature; add "no-execute" to machine.features, or give another kind',
    documentOf(MACHINE, { op: 'access', vaddr: '0x0', kind: 'execute', mode: 'user' }),
  ],
  ['x: steps[0]: 3 is not an object; give an object with "op"', documentOf(MACHINE, 3)],
  [
    `x: steps[1].op: "stor" is not known; use one of ${OPS.map((op) => `"${op}"`).join(', ')}`,
    documentOf(MACHINE, { op: 'migrate', cpu: 0 }, { op: 'stor' }),
  ],
  [`x: steps[0].op: missing; use one of ${OPS.map((op) => `"${op}"`).join(', ')}`, documentOf(MACHINE, { cpu: 0 })],
  [
    `x: steps[0].op: "__proto__" is not known; use one of ${OPS.map((op) => `"${op}"`).join(', ')}`,
    documentOf(MACHINE, { op: '__proto__' }),
  ],
  [
    'x: steps[0]: unknown key "__proto__"; leave it out, only "op", "cpu" belong here',
    documentOf(MACHINE, JSON.parse('{"op":"migrate","cpu":0,"__proto__":{}}')),
  ],
  [`x: steps[0].vaddr: missing; write it like "0x5067"`, documentOf(MACHINE, { op: 'guest-pa' })],
  [
    `x: steps[0].vaddr: "0XAb" is not a ${HEX}; write it as "0xab"`,
    documentOf(MACHINE, { op: 'guest-pa', vaddr: '0XAb' }),
  ],
  [
    `x: steps[0].vaddr: "1000" is not a ${HEX}; write it as "0x1000"`,
    documentOf(MACHINE, { op: 'guest-pa', vaddr: '1000' }),
  ],
  [
    `x: steps[0].vaddr: 4096 is not a ${HEX}; write it as "0x1000"`,
    documentOf(MACHINE, { op: 'guest-pa', vaddr: 4096 }),
  ],
  [
    `x: steps[0].vaddr: "0x" is not a ${HEX}; write it like "0x5067"`,
    documentOf(MACHINE, { op: 'guest-pa', vaddr: '0x' }),
  ],
  [
    `x: steps[0].vaddr: a list is not a ${HEX}; write it like "0x5067"`,
    documentOf(MACHINE, { op: 'guest-pa', vaddr: [] }),
  ],
  [
    'x: steps[0].vaddr: "0x100000000" is wider than 32 bits; give at most "0xffffffff"',
    documentOf(MACHINE, { op: 'guest-pa', vaddr: '0x100000000' }),
  ],
  [
    'x: steps[0].value: "0x10000000000000000" is wider than 64 bits; give at most 16 digits',
    documentOf(PAE, { op: 'store', paddr: '0x0', value: '0x10000000000000000' }),
  ],
  [
    'x: steps[0].mode: "root" is not known; use one of "user", "kernel"',
    documentOf(MACHINE, { op: 'access', vaddr: '0x0', kind: 'read', mode: 'root' }),
  ],
  [
    'x: steps[0].paddr: 0x40000 is outside RAM; stay below 0x40000 or raise machine.guestPages',
    documentOf(MACHINE, { op: 'store', paddr: '0x40000', value: '0x0' }),
  ],
  [
    'x: steps[0].paddr: 0x1002 is not a multiple of 4; use "0x1000" for one',
    documentOf(MACHINE, { op: 'store', paddr: '0x1002', value: '0x0' }),
  ],
  [
    'x: steps[0].paddr: 0x1004 is not a multiple of 8; use "0x1000" for one',
    documentOf(PAE, { op: 'store', paddr: '0x1004', value: '0x0' }),
  ],
  [
    'x: steps[0].value: 0x100000000 does not fit a 2-level entry; give at most 32 bits or set machine.paging to "pae"',
    documentOf(MACHINE, { op: 'store', paddr: '0x0', value: '0x100000000' }),
  ],
  [
    'x: steps[0].pte: 0x100000000 does not fit a 2-level entry; give at most 32 bits or set machine.paging to "pae"',
    documentOf(MACHINE, { op: 'set-pte', root: '0x1000', vaddr: '0x0', pte: '0x100000000' }),
  ],
  [
    'x: steps[0].root: 0x1020 is not a multiple of 4096; use "0x1000" for one',
    documentOf(MACHINE, { op: 'new-pgtable', root: '0x1020', draw: 0 }),
  ],
  [
    'x: steps[0].root: 0x1010 is not a multiple of 32; use "0x1000" for one',
    documentOf(PAE, { op: 'set-pgd', root: '0x1010', index: 0 }),
  ],
  [
    'x: steps[0].root: 0x8 is not a multiple of 32; use "0x0" for one (and 1 further problem)',
    documentOf(PAE, { op: 'set-pte', root: '0x8', vaddr: '0x0', pte: '0x0' }, { op: 'migrate', cpu: 2 }),
  ],
  [
    'x: steps[0].cpu: 2 is out of range; give at most 1 or raise machine.hostCpus',
    documentOf(MACHINE, { op: 'migrate', cpu: 2 }),
  ],
  [
    'x: steps[0].page: 64 is out of range; give at most 63 or raise machine.guestPages',
    documentOf(MACHINE, { op: 'protect', page: 64, access: 'none' }),
  ],
])('%s', (message, value) => {
  expect(messageOf(value)).toBe(message);
});

test('what only looks wrong is read', () => {
  const steps = [
    { op: 'set-pmd', pmd: '0xffffffff', index: 4294967295 },
    { op: 'new-pgtable', root: '0xfffff000', draw: 4294967295 },
    { op: 'set-stack', esp: '0x0', pages: 4294967295 },
    { op: 'store', paddr: '0x3fffc', value: '0xffffffff' },
  ];
  const program = programFromJson(documentOf(MACHINE, ...steps), 'x');
  expect(programToJson(program).steps).toEqual(steps);
  expect(messageOf(documentOf(PAE, { op: 'new-pgtable', root: '0x1020', draw: 0 }))).toBe('read');
});

test('a list of very many wrong steps is refused in one line', () => {
  const wrong = documentOf(MACHINE, ...Array.from({ length: 50_000 }, () => 3));
  expect(messageOf(wrong)).toBe(
    'x: steps[0]: 3 is not an object; give an object with "op" (and at least 99 further problems)',
  );
});

test('very deep nesting is refused in one line', () => {
  const depth = 100_000;
  const text = `{"format":"shadowdiff-program/1","machine":${'['.repeat(depth)}${']'.repeat(depth)},"steps":[]}`;
  expect(() => parseProgram(text, 'x')).toThrow(/^x: line 1, column 143: brackets nested more than 100 deep; [^\n]*$/);
});

test('an empty file is called so', () => {
  expect(() => parseProgram('', 'x')).toThrow('x: the file is empty; it must hold one JSON object');
});

const PLAIN =
  '{"format":"shadowdiff-program/1",' +
  '"machine":{"paging":"pae","guestPages":8,"devicePages":0,"hostCpus":1,"draw":0,"failAllocation":0},' +
  '"steps":[{"op":"guest-pa","vaddr":"0x10"}]}';

const SPELLED_OTHERWISE = `
  { "steps": [ { "vaddr": "0x00000010", "op": "guest-pa" } ],
    "machine": { "guestPages": 8e0, "paging": "pae", "devicePages": 0, "hostCpus": 1, "failAllocation": 0, "draw": 0 },
    "format": "shadowdiff-program/1" }`;

test('every spelling of a program has the same canonical form', () => {
  expect(formatProgram(parseProgram(PLAIN, 'x'))).toBe(PLAIN);
  expect(formatProgram(parseProgram(SPELLED_OTHERWISE, 'x'))).toBe(PLAIN);
});

test('the hash never changes, for files are named by it', () => {
  expect(programHash(parseProgram(PLAIN, 'x'))).toBe('e1cf3687');
});

test('another program has another hash', () => {
  const other = parseProgram(PLAIN.replace('0x10', '0x11'), 'x');
  expect(programHash(other)).not.toBe(programHash(parseProgram(PLAIN, 'x')));
});
