import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Program, Trace } from '../../model/vocabulary/index.js';
import { OBSERVABLES, vaddr } from '../../model/vocabulary/index.js';
import { anyAnswer, observationWords, traceWords } from '../../test-support/any-trace.js';
import { BadInput } from './bad-input.js';
import type { TraceContents } from './trace-contents.js';
import { VERSION_ONE } from './trace-contents.js';
import type { ObservationPlace } from './trace-words.js';
import { TraceReader } from './trace-words.js';

const EVERYTHING: TraceContents = { observes: OBSERVABLES, edges: 10 };

test('any trace survives writing and reading', () => {
  fc.assert(
    fc.property(anyAnswer(), ({ program, contents, trace }) => {
      const reader = new TraceReader(contents, 'x');
      expect(reader.trace(traceWords(trace, contents), program)).toEqual(trace);
    }),
  );
});

test('any trace survives it observation by observation', () => {
  fc.assert(
    fc.property(anyAnswer(fc.constant(EVERYTHING)), ({ program, trace }) => {
      const reader = new TraceReader(EVERYTHING, 'x');
      reader.begin(program.machine);
      const places: readonly ObservationPlace[] = ['created', ...trace.steps.keys(), 'destroyed'];
      const read = [trace.created, ...trace.steps, trace.destroyed].map((observation, index) =>
        reader.one(Uint32Array.from(observationWords(observation, OBSERVABLES)), places[index]),
      );
      expect(read).toEqual([trace.created, ...trace.steps, trace.destroyed]);
      expect(reader.edgesOf(Uint32Array.from([trace.edges!.length, ...trace.edges!]))).toEqual(trace.edges);
    }),
  );
});

test('the words of any subject are a trace or a problem in one line', () => {
  const anyWord = fc.oneof(
    { weight: 3, arbitrary: fc.nat(16) },
    fc.nat(600),
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.constantFrom(0x7fffffff, 0x80000000, 0xffffffff),
  );
  const program = programOf(3, 'pae');
  fc.assert(
    fc.property(fc.array(anyWord, { maxLength: 200 }), (words) => {
      expect(messageOf(Uint32Array.from(words), program, EVERYTHING)).toMatch(/^(read|x: \S+: [^\n]{1,200})$/);
    }),
    { numRuns: 3000 },
  );
});

test('every cut and every changed word of a trace is read, or refused in one line', () => {
  const change = fc.record({ at: fc.nat(), word: fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 0xffffffff })) });
  fc.assert(
    fc.property(anyAnswer(), fc.array(change, { maxLength: 3 }), fc.nat(), (answered, changes, cut) => {
      const words = traceWords(answered.trace, answered.contents);
      const shorter = words.slice(0, cut % words.length);
      expect(messageOf(shorter, answered.program, answered.contents)).toMatch(/^x: \S+: /);
      for (const { at, word } of changes) words[at % words.length] = word;
      expect(messageOf(words, answered.program, answered.contents)).toMatch(/^(read|x: \S+: [^\n]{1,200})$/);
    }),
    { numRuns: 1000 },
  );
});

const programOf = (steps: number, paging: Program['machine']['paging'] = '2-level'): Program => ({
  machine: { paging, guestPages: 64, devicePages: 4, hostCpus: 2, draw: 0, failAllocation: 0 },
  steps: Array.from({ length: steps }, () => ({ op: 'guest-pa', vaddr: vaddr(0) })),
});

const messageOf = (words: Uint32Array, program: Program, contents: TraceContents): string => {
  try {
    new TraceReader(contents, 'x').trace(words, program);
    return 'read';
  } catch (error) {
    expect(error).toBeInstanceOf(BadInput);
    return (error as BadInput).message;
  }
};

/** An observation of two host CPUs: its kind, no references, no stores, two tables, and the Switcher's references. */
const observation = (kind: number): readonly number[] => [kind, 0, 0, 2, 1, 0, 0, 0];
const CREATED = observation(0);
const OK = observation(3);
const DESTROYED = observation(11);
/** No tables, no pages, no leaves. */
const SHADOW = [0, ...Array.from({ length: 8 }, () => 0xffffffff), 0, 0, 0];

describe('of what is not a trace, the place and the remedy are named', () => {
  const refused = (words: readonly number[], contents = VERSION_ONE): string =>
    messageOf(Uint32Array.from(words), programOf(1), contents);

  test.each<[string, readonly number[]]>([
    ['x: created.outcome: the message ends before it; check the lengths', []],
    ['x: steps[0].outcome: the message ends before it; check the lengths', CREATED],
    ['x: destroyed.outcome: the message ends before it; check the lengths', [...CREATED, ...OK]],
    [
      'x: destroyed.switcher: it takes 4 words, and 3 are left of the message; check the lengths',
      [...CREATED, ...OK, ...DESTROYED.slice(0, -1)],
    ],
    [
      'x: destroyed: 2 words more than it should have; check the lengths that come before',
      [...CREATED, ...OK, ...DESTROYED, 0, 0],
    ],
    [
      'x: steps[0].outcome: 15 is not the number of a kind; give a number from 0 to 14, plus 256 if the shadow follows',
      [...CREATED, 15],
    ],
    [
      'x: steps[0].outcome: 515 is not the number of a kind; give a number from 0 to 14, plus 256 if the shadow follows',
      [...CREATED, 515],
    ],
    [
      'x: steps[0].references: it takes 8589934590 words, and 1 are left of the message; check the lengths',
      [...CREATED, 3, 0xffffffff, 0],
    ],
    [
      'x: steps[0].stores: it takes 6 words, and 5 are left of the message; check the lengths',
      [...CREATED, 3, 0, 2, 1, 2, 3, 4, 5],
    ],
    ['x: steps[0].shadow: the hello does not list it; add "shadow" to observes', [...CREATED, 259, ...OK.slice(1)]],
    ['x: steps[0].outcome.reason: 65537 bytes long; give at most 65536', [...CREATED, 9, 65537]],
    [
      'x: steps[0].outcome.reason: it takes 2 words, and 1 are left of the message; check the lengths',
      [...CREATED, 9, 5, 0],
    ],
    [
      'x: steps[0].outcome.reason: it is not UTF-8; check its length and its bytes',
      [...CREATED, 9, 2, 0x28c3, ...DESTROYED],
    ],
    [
      'x: steps[0].outcome.reason: more text behind its end; fill the last word up with zeros',
      [...CREATED, 9, 2, 0x414141, ...DESTROYED],
    ],
  ])('%s', (message, words) => expect(refused(words)).toBe(message));

  const shown = (...shadow: readonly number[]): readonly number[] => [256, ...CREATED.slice(1), ...shadow];
  test.each<[string, readonly number[]]>([
    ['x: created.shadow: missing; a subject that observes the shadow reports it from the start', CREATED],
    ['x: steps[0].shadow: a bare outcome has none; leave it out', [...shown(...SHADOW), 266]],
    ['x: destroyed.shadow: nothing is left to show; leave it out', [...shown(...SHADOW), ...OK, 267]],
    ['x: created.shadow.current: 4 is out of range; give a number from 0 to 3', shown(4)],
    [
      'x: created.shadow.roots: a guest root without a root page; give 4294967295 for both, or the page',
      shown(0, 0xffffffff, 0),
    ],
    [
      'x: created.shadow.tables: 2 is not the depth of a table; give 1 to 1',
      shown(...SHADOW.slice(0, 9), 1, 0, 2, 0, 0),
    ],
    [
      'x: created.shadow.leaves: 5 is out of range; give a number from 0 to 4',
      shown(...SHADOW.slice(0, 11), 1, 0, 0, 5, 0, 0, 0),
    ],
    [
      'x: created.shadow.leaves[1]: a second leaf for 0x1000 in slot 2; report each leaf once',
      shown(...SHADOW.slice(0, 11), 2, 2, 0x1000, 0, 0, 0, 0, 2, 0x1000, 0, 5, 0, 0),
    ],
    [
      'x: created.shadow.pages: it takes 4294967295 words, and 0 are left of the message; check the lengths',
      shown(...SHADOW.slice(0, 10), 0xffffffff),
    ],
    ['x: edges: 10 is out of range; give a number from 0 to 9', [...shown(...SHADOW), ...OK, ...DESTROYED, 1, 10]],
    ['x: edges: the message ends before it; check the lengths', [...shown(...SHADOW), ...OK, ...DESTROYED]],
  ])('%s', (message, words) => expect(refused(words, EVERYTHING)).toBe(message));
});

test('what did not change from one observation to the next is shared', () => {
  const words = Uint32Array.from([...CREATED, ...OK, ...DESTROYED]);
  const { created, steps, destroyed }: Trace = new TraceReader(VERSION_ONE, 'x').trace(words, programOf(1));
  expect(steps[0].switcher).toBe(created.switcher);
  expect(destroyed.references).toBe(steps[0].references);
});
