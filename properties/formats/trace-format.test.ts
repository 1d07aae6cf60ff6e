import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Observation, Outcome, Program, Trace } from '../../model/vocabulary/index.js';
import { bareOutcome, guestEntry, killedFor, paddr, pfn, vaddr } from '../../model/vocabulary/index.js';
import { BadInput } from './bad-input.js';
import { formatTrace, parseTrace, traceFromJson, traceToJson } from './trace-format.js';

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

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const addresses = u32.map(paddr);
const reasons = fc.string({ unit: 'binary' });

const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constantFrom('created' as const, 'no-memory' as const, 'ok' as const, 'stuck' as const) }),
  fc.record({ kind: fc.constantFrom('dead' as const, 'destroyed' as const, 'halted' as const, 'absent' as const) }),
  fc.record({ kind: fc.constant('initialized' as const), reserved: u32 }),
  fc.record({ kind: fc.constantFrom('mapped' as const, 'mmio' as const, 'physical' as const), paddr: addresses }),
  fc.record({ kind: fc.constant('fault' as const), code: fc.nat(7) }),
  reasons.map(killedFor),
  fc.record({ kind: fc.constant('host-bug' as const), reason: reasons }),
);

const HOST_CPUS = 3;
const emptied = (outcome: Outcome): Observation => ({
  outcome,
  references: [],
  stores: [],
  tables: 0,
  switcher: { text: 0, state: [0, 0, 0], registers: 0 },
});

const observations: fc.Arbitrary<Observation> = fc
  .record({
    outcome: outcomes,
    references: fc.array(fc.record({ page: fc.nat(4095).map(pfn), count: fc.nat(100) }), { maxLength: 4 }),
    stores: fc.array(
      fc.record({ paddr: addresses, value: fc.tuple(u32, u32).map(([low, high]) => guestEntry(low, high)) }),
      { maxLength: 4 },
    ),
    tables: fc.nat(100),
    switcher: fc.record({
      text: fc.nat(4),
      state: fc.array(fc.nat(4), { minLength: HOST_CPUS, maxLength: HOST_CPUS }),
      registers: fc.nat(4),
    }),
  })
  .map((observation) => (bareOutcome(observation.outcome.kind) ? emptied(observation.outcome) : observation));

const traces: fc.Arbitrary<Trace> = fc.record({
  created: observations,
  steps: fc.array(observations, { maxLength: 8 }),
  destroyed: observations,
});

test('any trace survives writing and reading', () => {
  fc.assert(
    fc.property(traces, (trace) => {
      const text = formatTrace(trace);
      const back = parseTrace(text, 'x', programOf(trace.steps.length, HOST_CPUS));
      expect(JSON.stringify(back)).toBe(JSON.stringify(trace));
      expect(formatTrace(back)).toBe(text);
    }),
  );
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
    const dead = { ...emptied({ kind: 'dead' }), tables: 7 };
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

const messageOf = (value: unknown, steps: number): string => {
  try {
    traceFromJson(value, 'x', programOf(steps));
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
