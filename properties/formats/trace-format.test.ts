import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Program, Trace } from '../../model/vocabulary/index.js';
import { OBSERVABLES, killedFor, vaddr } from '../../model/vocabulary/index.js';
import type { Answered } from '../../test-support/any-trace.js';
import { anyAnswer } from '../../test-support/any-trace.js';
import { mutated, mutations } from '../../test-support/mutated-text.js';
import { BadInput } from './bad-input.js';
import { readJson } from './json-text.js';
import { quickTrace } from './quick-trace.js';
import type { TraceContents } from './trace-contents.js';
import { bareObservation, noSwitcher } from './trace-contents.js';
import { formatTrace, parseTrace, traceToJson } from './trace-format.js';
import { traceFromJson } from './trace-schema.js';

/** The example of formats.md, with its blanks taken out. */
const EXAMPLE = [
  '{"created":{"outcome":{"kind":"created"},"references":[],"stores":[],"tables":2,',
  '"switcher":{"text":1,"state":[0,0],"registers":0}},',
  '"steps":[{"outcome":{"kind":"mapped","paddr":"0x5000"},"references":[[5,1]],"stores":[["0x2000","0x5067"]],"tables":4,',
  '"switcher":{"text":1,"state":[1,0],"registers":1}}],',
  '"destroyed":{"outcome":{"kind":"destroyed"},"references":[],"stores":[],"tables":0,',
  '"switcher":{"text":0,"state":[0,0],"registers":0}}}',
].join('');

const programOf = (steps: number, hostCpus = 2): Program => ({
  machine: { paging: '2-level', guestPages: 64, devicePages: 4, hostCpus, draw: 0, failAllocation: 0 },
  steps: Array.from({ length: steps }, () => ({ op: 'guest-pa', vaddr: vaddr(0) })),
});

test('the example of formats.md comes back in the same text', () => {
  const trace = parseTrace(EXAMPLE, 'x', programOf(1));
  expect(trace.steps[0]).toEqual({
    outcome: { kind: 'mapped', paddr: 0x5000 },
    references: [{ page: 5, count: 1 }],
    stores: [{ paddr: 0x2000, value: { low: 0x5067, high: 0 } }],
    tables: 4,
    switcher: { text: 1, state: [1, 0], registers: 1 },
  });
  expect(formatTrace(trace)).toBe(EXAMPLE);
});

test('any trace survives writing and reading', () => {
  fc.assert(
    fc.property(anyAnswer(), ({ program, contents, trace }) => {
      const text = formatTrace(trace);
      const back = parseTrace(text, 'x', program, contents);
      expect(back).toEqual(trace);
      expect(formatTrace(back)).toBe(text);
    }),
  );
});

describe('the reader without schemas', () => {
  /** What both readers make of a text; undefined if the schemas refuse it. */
  const both = (text: string, { program, contents }: Answered): readonly [unknown, unknown] => {
    const quick = quickTrace(Buffer.from(text), program, contents);
    try {
      return [quick, traceFromJson(readJson(text, 'x', 'answer'), 'x', program, contents)];
    } catch (error) {
      expect(error).toBeInstanceOf(BadInput);
      return [quick, undefined];
    }
  };

  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, each]): [string, unknown] => [key, reversed(each)]);
    return Object.fromEntries([['more', [1, { a: null, b: 'ü' }, -2, []]], ...entries].toReversed());
  };

  test.each<[string, (trace: Trace) => string]>([
    ['as we write it', formatTrace],
    ['with blanks', (trace) => JSON.stringify(traceToJson(trace), undefined, '\t ')],
    ['with its keys in another order and others among them', (trace) => JSON.stringify(reversed(traceToJson(trace)))],
  ])('reads every trace %s, if no string in it has an escape', (_, write) => {
    let plain = 0;
    fc.assert(
      fc.property(anyAnswer(), (answered) => {
        const text = write(answered.trace);
        const [quick, slow] = both(text, answered);
        expect(slow).toEqual(answered.trace);
        if (/\\./.test(text.replaceAll('\t', ''))) return;
        expect(quick).toEqual(answered.trace);
        plain++;
      }),
    );
    expect(plain).toBeGreaterThan(20);
  });

  test('reads nothing of a mutated trace but what the schemas read', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(anyAnswer(), mutations, (answered, [step]) => {
        const [quick, slow] = both(mutated(formatTrace(answered.trace), [step], false).toString('utf8'), answered);
        if (quick !== undefined) expect(quick).toEqual(slow);
        if (slow === undefined) refused++;
        else accepted++;
      }),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  test.each(['tables', 'state', 'code', 'page', 'count', 'paddr', 'value', 'reserved', 'reason', 'rights', 'depth'])(
    'reads no strange value of %s that the schemas refuse',
    (member) => {
      const strange = [
        -0,
        -1,
        0.5,
        1e300,
        2 ** 32 - 2,
        2 ** 32 - 1,
        2 ** 32,
        2 ** 53 - 1,
        2 ** 53,
        null,
        true,
        '',
        '0x',
        '0x0',
        '0X1',
        '0xA',
        '0x00000000000000001',
        '0x100000000',
        '0xffffffffffffffff',
        '0x1ffffffffffffffff',
        '1',
        [],
        [1],
        {},
        'x'.repeat(65_537),
        'ü'.repeat(32_768),
        'ü'.repeat(32_769),
      ];
      const contents = { observes: OBSERVABLES, edges: 5 };
      for (const value of strange) {
        const answered = { program: programOf(1), contents, trace: parseTrace(EXAMPLE, 'x', programOf(1)) };
        const [quick, slow] = both(JSON.stringify(documentWith(member, value)), answered);
        if (quick !== undefined) expect(quick).toEqual(slow);
      }
    },
  );

  const documentWith = (member: string, value: unknown): object => {
    const at = (name: string, otherwise: unknown): unknown => (name === member ? value : otherwise);
    const shadow = {
      current: at('state', 0),
      roots: [[at('page', 17), at('paddr', '0x1000')], null, null, null],
      tables: [[0, at('depth', 1), at('paddr', '0x0'), at('page', 19)]],
      pages: [at('page', 17)],
      leaves: [[0, at('paddr', '0x400000'), at('reason', 'ram'), at('page', 5), at('rights', 1), at('rights', 3)]],
    };
    const kind = { code: 'fault', reserved: 'initialized', reason: 'killed' }[member] ?? 'mapped';
    const step = {
      outcome: {
        kind,
        paddr: at('paddr', '0x5000'),
        code: at('code', 2),
        reserved: at('reserved', '0x0'),
        reason: at('reason', 'r'),
      },
      references: [[at('page', 5), at('count', 1)]],
      stores: [[at('paddr', '0x2000'), at('value', '0x5067')]],
      tables: at('tables', 2),
      switcher: { text: at('count', 1), state: [at('state', 0), 0], registers: at('count', 0) },
    };
    const created = { ...OK, outcome: { kind: 'created' }, shadow };
    return { created, steps: [step], destroyed: OK, edges: [at('rights', 0)] };
  };
});

const FULL = {
  references: [],
  stores: [],
  tables: 0,
  switcher: { text: 0, state: [0, 0], registers: 0 },
};
const OK = { outcome: { kind: 'ok' }, ...FULL };
const documentOf = (...steps: readonly unknown[]) => ({ created: OK, steps, destroyed: OK });

describe('bare outcomes', () => {
  test('are written as the outcome alone', () => {
    const dead = { ...bareObservation({ kind: 'dead' }, noSwitcher(3)), tables: 7 };
    expect(traceToJson({ created: dead, steps: [dead], destroyed: dead }).steps).toEqual([
      { outcome: { kind: 'dead' } },
    ]);
  });

  test('are read whatever else is said, which is ignored', () => {
    const killed = { kind: 'killed', reason: 'r' };
    const steps = [{ outcome: killed }, { outcome: killed, ...FULL, tables: 9 }, { outcome: killed, switcher: 'x' }];
    const trace = traceFromJson(documentOf(...steps), 'x', programOf(3));
    const nothing = { references: [], stores: [], tables: 0, switcher: { text: 0, state: [0, 0], registers: 0 } };
    for (const step of trace.steps) expect(step).toEqual({ outcome: killedFor('r'), ...nothing });
  });
});

test('keys that are not known are ignored', () => {
  const step = { ...OK, note: 1, outcome: { kind: 'ok', why: 'x' }, switcher: { ...FULL.switcher, more: [] } };
  const trace = traceFromJson({ ...documentOf(step), subject: 'mine' }, 'x', programOf(1));
  expect(traceToJson(trace)).toEqual(documentOf(OK));
});

const messageOf = (value: unknown, steps: number, contents?: TraceContents): string => {
  try {
    traceFromJson(value, 'x', programOf(steps), contents);
  } catch (error) {
    expect(error).toBeInstanceOf(BadInput);
    return (error as BadInput).message;
  }
  return 'read';
};

const KINDS =
  '"created", "no-memory", "initialized", "ok", "mapped", "fault", "mmio", "physical", "stuck", "killed", "dead", ' +
  '"destroyed", "host-bug", "halted", "absent"';

test.each<[string, unknown]>([
  ['x: 3 is not an object; give an object with "created", "steps", "destroyed"', 3],
  ['x: steps: missing; give a list: […]', {}],
  ['x: created: missing; give an object with "outcome" (and 1 further problem)', { steps: [OK] }],
  ['x: steps: 2 answers, but the number of steps is 1; answer every step once, in order', documentOf(OK, OK)],
  ['x: steps: 0 answers, but the number of steps is 1; answer every step once, in order', documentOf()],
  ['x: steps[0]: null is not an object; give an object with "outcome"', documentOf(null)],
  ['x: steps[0].outcome: missing; give an object with "kind"', documentOf(FULL)],
  [
    `x: steps[0].outcome.kind: "fine" is not known; use one of ${KINDS}`,
    documentOf({ ...OK, outcome: { kind: 'fine' } }),
  ],
  ['x: steps[0].outcome.paddr: missing; write it like "0x5067"', documentOf({ ...OK, outcome: { kind: 'mapped' } })],
  ['x: steps[0].outcome.reason: missing; give a string', documentOf({ outcome: { kind: 'killed' } })],
  [
    'x: steps[0].outcome.reserved: 4194304 is not a lower-case hex string; write it as "0x400000"',
    documentOf({ ...OK, outcome: { kind: 'initialized', reserved: 4194304 } }),
  ],
  [
    'x: steps[0].references: missing; give a list: […] (and 3 further problems)',
    documentOf({ outcome: { kind: 'ok' } }),
  ],
  [
    'x: steps[0].references[0]: no list where a pair should stand; write it like [5,1]',
    documentOf({ ...OK, references: [{ page: 5 }] }),
  ],
  [
    'x: steps[0].references[1]: a list of another length where a pair should stand; write it like [5,1]',
    documentOf({
      ...OK,
      references: [
        [5, 1],
        [5, 1, 1],
      ],
    }),
  ],
  [
    'x: steps[0].references[0][1]: missing; give a whole number from 0 to 9007199254740991',
    documentOf({ ...OK, references: [[5]] }),
  ],
  [
    'x: steps[0].references[0][1]: -1 is out of range; give a whole number from 0 to 9007199254740991',
    documentOf({ ...OK, references: [[5, -1]] }),
  ],
  [
    'x: steps[0].stores[0][0]: 8192 is not a lower-case hex string; write it as "0x2000"',
    documentOf({ ...OK, stores: [[8192, '0x5067']] }),
  ],
  [
    'x: steps[0].tables: 1.5 is not a whole number; give a whole number from 0 to 9007199254740991',
    documentOf({ ...OK, tables: 1.5 }),
  ],
  [
    'x: steps[0].switcher: missing; give an object with "text", "state", "registers"',
    documentOf({ ...OK, switcher: undefined }),
  ],
  [
    'x: steps[0].switcher.state: 1 counts for 2 host CPUs; give one for each',
    documentOf({ ...OK, switcher: { ...FULL.switcher, state: [0] } }),
  ],
  [
    'x: steps[0].switcher.state[1]: null is not a whole number; give a whole number from 0 to 9007199254740991',
    documentOf({ ...OK, switcher: { ...FULL.switcher, state: [0, null] } }),
  ],
])('%s', (message, value) => {
  expect(messageOf(value, 1)).toBe(message);
});

test('whatever stands in a place of a step is read or refused in one line of our own words', () => {
  const step = { ...OK, outcome: { kind: 'mapped', paddr: '0x0' }, references: [[1, 1]], stores: [['0x0', '0x0']] };
  const places = [
    [],
    ['outcome'],
    ['outcome', 'kind'],
    ['outcome', 'paddr'],
    ['references'],
    ['references', '0'],
    ['references', '0', '1'],
    ['stores', '0'],
    ['stores', '0', '1'],
    ['tables'],
    ['switcher'],
    ['switcher', 'state'],
    ['switcher', 'state', '1'],
  ];
  const withValue = (target: unknown, [key, ...rest]: readonly string[], value: unknown): unknown => {
    if (key === undefined) return value;
    const copy = structuredClone(target) as Record<string, unknown>;
    return Object.assign(copy, { [key]: withValue(copy[key], rest, value) });
  };
  const strange = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('killed', 'fault', 'ok', '0x1', 1e300));
  fc.assert(
    fc.property(fc.constantFrom(...places), strange, (place, value) => {
      const message = messageOf(documentOf(withValue(step, place, value)), 1);
      expect(message).toMatch(/^(read|x: [^\n]{1,400})$/);
      expect(message).not.toMatch(/not understood|Invalid/);
    }),
    { numRuns: 1000 },
  );
});

test('very many wrong members are refused in one line', () => {
  const message = messageOf(documentOf({ ...OK, references: Array.from({ length: 300_000 }, () => 3) }), 1);
  expect(message).toMatch(/^x: steps\[0\]\.references\[0\]: .* \(and at least 99 further problems\)$/);
});

test('an empty answer is called so', () => {
  expect(() => parseTrace('\n', 'exec:x', programOf(0))).toThrow(
    'exec:x: the answer is empty; it must hold one JSON object',
  );
});

describe('a shadow', () => {
  const SHADOW = {
    current: 0,
    roots: [[17, '0x1000'], [18, null], null, null],
    tables: [[0, 1, '0x400000', 19]],
    pages: [17, 18, 19],
    leaves: [[0, '0x400000', 'ram', 5, 1, 3]],
  };
  const shown = (change: object): string => {
    const created = { ...OK, outcome: { kind: 'created' }, shadow: { ...SHADOW, ...change } };
    return messageOf({ ...documentOf(OK), created }, 1, { observes: OBSERVABLES, edges: 0 });
  };
  const LEAF_EXAMPLE = 'write it like [0,"0x400000","ram",5,1,3]';

  test.each<[string, object]>([
    ['read', {}],
    ['x: created.shadow.current: 4 is out of range; give a whole number from 0 to 3', { current: 4 }],
    ['x: created.shadow.roots: 1 roots for 4 slots; give one for each, or null', { roots: [null] }],
    [
      'x: created.shadow.tables[0][0]: 4 is out of range; give a whole number from 0 to 3',
      { tables: [[4, 1, '0x0', 1]] },
    ],
    [
      'x: created.shadow.tables[0][1]: 7 is out of range; give a whole number from 1 to 1',
      { tables: [[0, 7, '0x0', 1]] },
    ],
    ['x: created.shadow.pages: "17" is not a list; give a list: […]', { pages: '17' }],
    [
      'x: created.shadow.pages[1]: "18" is not a whole number; give a whole number from 0 to 4294967294',
      { pages: [17, '18'] },
    ],
    [`x: created.shadow.leaves[0]: no list where a leaf should stand; ${LEAF_EXAMPLE}`, { leaves: [{ slot: 0 }] }],
    [
      'x: created.shadow.leaves[0][0]: 4 is out of range; give a whole number from 0 to 3',
      { leaves: [[4, '0x0', 'ram', 5, 1, 3]] },
    ],
    [
      'x: created.shadow.leaves[0][2]: "rom" is not known; use one of "ram", "switcher-text", "switcher-registers", "switcher-state", "stray"',
      { leaves: [[0, '0x0', 'rom', 5, 1, 3]] },
    ],
    [
      'x: created.shadow.leaves[0][4]: 4 is out of range; give a whole number from 0 to 3',
      { leaves: [[0, '0x0', 'ram', 5, 4, 3]] },
    ],
    [
      'x: created.shadow.leaves[0]: 0x400123 lies within a page; give the first address of it',
      { leaves: [[0, '0x400123', 'ram', 5, 1, 3]] },
    ],
    [
      'x: created.shadow.leaves[2]: a second leaf for 0x400000 in slot 0; report each leaf once',
      { leaves: [...SHADOW.leaves, [1, '0x400000', 'ram', 5, 1, 3], [0, '0x400000', 'ram', 6, 0, 0]] },
    ],
  ])('%s', (message, change) => expect(shown(change)).toBe(message));
});
