import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadInput, programHash } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import { paddr, vaddr } from '../../model/vocabulary/index.js';
import { programArbitrary } from '../generators/index.js';
import { SCREEN_DISAGREES, SUBJECT_FAILURES, signatureOf } from '../divergence.js';
import { INVARIANTS } from '../invariants/invariants.js';
import type { Finding } from '../finding.js';
import { fileNameOf, formatCounterexample, parseCounterexample } from './counterexample.js';
import { STATUSES } from '../finding.js';

const PROGRAM: Program = {
  machine: { paging: 'pae', guestPages: 4, devicePages: 1, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: [
    { op: 'init', kernelAddress: vaddr(0xc0000000) },
    { op: 'new-pgtable', root: paddr(0x20), draw: 1 },
    { op: 'access', vaddr: vaddr(0x1000), kind: 'read', mode: 'user' },
  ],
};

const ENTRY: Finding = {
  status: 'open',
  subject: 'impl:leaf-one-past-ram',
  reference: 'model',
  case: { traffic: 'hostile', program: PROGRAM },
  divergence: {
    invariant: 'translation',
    alsoBroken: ['coherence'],
    place: { kind: 'step', index: 2 },
    stage: 'access',
    field: 'outcome',
    expected: 'fault code 4',
    actual: 'mapped 0x0',
    difference: 'fault became mapped',
  },
  provenance: { date: '2024-02-29T12:00:00.000Z', version: '0.1.0', seed: 'nightly', program: 17, originalSteps: 120 },
  note: 'A note with "quotes", umlauts: äöü, and\nlines.',
};

type Json = Record<string, unknown>;
const jsonOf = (entry: Finding): Json => JSON.parse(formatCounterexample(entry)) as Json;

/** What a reader is told about the entry with some fields replaced; `undefined` takes a field away. */
const refusal = (fields: Json): string => {
  try {
    parseCounterexample(JSON.stringify({ ...jsonOf(ENTRY), ...fields }), 'some.json');
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  throw new Error('the entry was accepted');
};

describe('an entry as text', () => {
  test('may say how short it can be', () => {
    const shortest = { machine: 'small', steps: 3, folding: 'names' } as const;
    const entry = { ...ENTRY, provenance: { ...ENTRY.provenance, shortest } };
    expect(parseCounterexample(formatCounterexample(entry), 'some.json')).toEqual(entry);
    const wrong = { ...ENTRY.provenance, shortest: { ...shortest, machine: 'large' } };
    expect(refusal({ provenance: wrong })).toContain('provenance.shortest.machine');
  });

  test('comes back as it was', () => {
    expect(parseCounterexample(formatCounterexample(ENTRY), 'some.json')).toEqual(ENTRY);
  });

  test('comes back as it was, whatever was found and whoever found it', () => {
    const words = fc.string({ unit: 'binary', maxLength: 20 });
    const programs = programArbitrary().map((each) => each.program);
    const ids = [...INVARIANTS.map(({ id }) => id), ...SUBJECT_FAILURES, SCREEN_DISAGREES];
    const entries = fc
      .record({
        status: fc.constantFrom(...STATUSES),
        subject: words,
        reference: words,
        note: words,
        case: programArbitrary(),
        invariant: fc.constantFrom(...ids),
        alsoBroken: fc.array(words, { maxLength: 3 }),
        at: fc.nat(),
        field: words,
        expected: words,
        actual: words,
        difference: words,
        standardError: fc.option(words, { nil: undefined }),
        before: fc.option(fc.array(programs, { maxLength: 2 }), { nil: undefined }),
        provenance: fc.record({
          date: words,
          version: words,
          seed: words,
          program: fc.maxSafeNat(),
          originalSteps: fc.maxSafeNat(),
        }),
      })
      .map(
        ({
          invariant,
          alsoBroken,
          at,
          field,
          expected,
          actual,
          difference,
          standardError,
          before,
          ...rest
        }): Finding => {
          const { steps } = rest.case.program;
          const index = at % (steps.length + 4);
          const outside = (['create', 'end', 'destroy', 'end-of-input'] as const)[index - steps.length];
          const place = outside === undefined ? ({ kind: 'step', index } as const) : { kind: outside };
          const stage = outside ?? steps[index].op;
          return {
            ...rest,
            ...(before === undefined ? {} : { before }),
            divergence: {
              invariant,
              alsoBroken,
              place,
              stage,
              field,
              expected,
              actual,
              difference,
              ...(standardError === undefined ? {} : { standardError }),
            },
          };
        },
      );
    fc.assert(
      fc.property(entries, (entry) => {
        expect(parseCounterexample(formatCounterexample(entry), 'some.json')).toEqual(entry);
      }),
      { numRuns: 20, seed: 20 },
    );
  });

  test('ends in a line of its own, and one for each step is easy to compare', () => {
    const text = formatCounterexample(ENTRY);
    expect(text).toMatch(/\}\n$/);
    expect(text.split('\n').length).toBeGreaterThan(30);
    expect(jsonOf(ENTRY)).toMatchObject({
      format: 'shadowdiff-counterexample/1',
      signature: 'translation | access | fault became mapped',
      program: { format: 'shadowdiff-program/1' },
    });
  });
});

describe('the version of an entry', () => {
  const { divergence } = ENTRY;

  test.each<[what: string, entry: Finding, version: number]>([
    ['nothing new', ENTRY, 1],
    ['standard error', { ...ENTRY, divergence: { ...divergence, standardError: '' } }, 2],
    ['programs before it', { ...ENTRY, before: [] }, 2],
    [
      'a place behind all programs',
      { ...ENTRY, divergence: { ...divergence, place: { kind: 'end-of-input' }, stage: 'end-of-input' } },
      2,
    ],
  ])('of one with %s', (_, entry, version) => {
    expect(jsonOf(entry)).toMatchObject({ format: `shadowdiff-counterexample/${version}` });
  });
});

describe('an entry’s file', () => {
  test('is named after invariant, stage and program', () => {
    expect(fileNameOf(ENTRY)).toBe(`translation--access--${programHash(PROGRAM)}.json`);
    expect(fileNameOf(ENTRY)).toMatch(/^translation--access--[0-9a-f]{8}\.json$/);
  });

  test('has another name for another program, and the same for another note', () => {
    const steps = PROGRAM.steps.slice(1);
    const other: Finding = { ...ENTRY, case: { ...ENTRY.case, program: { ...PROGRAM, steps } } };
    expect(fileNameOf(other)).not.toBe(fileNameOf(ENTRY));
    expect(fileNameOf({ ...ENTRY, note: 'seen again', status: 'fixed' })).toBe(fileNameOf(ENTRY));
    expect(fileNameOf({ ...ENTRY, before: [PROGRAM] })).not.toBe(fileNameOf(ENTRY));
  });
});

const program = (): Json => jsonOf(ENTRY)['program'] as Json;
const wordy = (text: string): string => text.padEnd(2000, '!');

describe('a refusal names the field and the fix', () => {
  test.each<[what: string, fields: Json, message: string]>([
    [
      'another version',
      { format: 'shadowdiff-counterexample/3', shape: 'new' },
      'some.json: format: "shadowdiff-counterexample/3" is not known here; this version reads "shadowdiff-counterexample/1" and "shadowdiff-counterexample/2"',
    ],
    [
      'no format',
      { format: undefined },
      'some.json: format: missing; this version reads "shadowdiff-counterexample/1" and ',
    ],
    [
      'what version 1 has not',
      { standardError: 'oops' },
      'some.json: format: it has what version 1 has not; write "shadowdiff-counterexample/2"',
    ],
    [
      'too much standard error',
      { format: 'shadowdiff-counterexample/2', standardError: 'x'.repeat(2 ** 16 + 1) },
      'some.json: standardError: too long; keep at most its last 65536 characters',
    ],
    [
      'a program before it that is none',
      { format: 'shadowdiff-counterexample/2', before: [program(), { ...program(), steps: 1 }] },
      'some.json: before[1]: steps: ',
    ],
    [
      'too many programs before it',
      { format: 'shadowdiff-counterexample/2', before: Array.from({ length: 2001 }, () => 1) },
      'some.json: before: 2001 programs; give at most 2000',
    ],
    ['an unknown status', { status: 'closed' }, 'some.json: status: "closed" is not known; use one of "open", "fixed"'],
    ['no subject', { subject: undefined }, 'some.json: subject: missing; give a string'],
    ['a subject of numbers', { subject: 7 }, 'some.json: subject: 7 is not a text; give a string'],
    [
      'an unknown traffic',
      { traffic: 'rude' },
      'some.json: traffic: "rude" is not known; use one of "hostile", "coherent", "racy"',
    ],
    ['an unknown invariant', { invariant: '../../etc' }, 'some.json: invariant: "../../etc" is not known; use one of '],
    ['an unknown stage', { stage: 'nap' }, 'some.json: stage: "nap" is not known; use one of "create", "store", '],
    ['a key too many', { severity: 9 }, 'some.json: unknown key "severity"; leave it out, only "format", '],
    [
      'two problems',
      { note: 7, traffic: 'rude' },
      'some.json: traffic: "rude" is not known; use one of "hostile", "coherent", "racy" (and 1 further problem)',
    ],
    [
      'a place that is none',
      { place: { kind: 'nowhere' } },
      'some.json: place.kind: "nowhere" is not known; use one of ',
    ],
    ['a step without number', { place: { kind: 'step' } }, 'some.json: place.index: missing; give a whole number'],
    [
      'a step before the first',
      { place: { kind: 'step', index: -1 } },
      'some.json: place.index: -1 is out of range; give a whole number from 0 to ',
    ],
    [
      'a step behind the last',
      { place: { kind: 'step', index: 3 } },
      'some.json: place.index: the program has no step 3; give a number from 0 to 2',
    ],
    [
      'a step of a program without steps',
      { program: { ...program(), steps: [] } },
      'some.json: place.index: the program has no step 2; give it a step',
    ],
    [
      'a stage that is not the step’s',
      { place: { kind: 'step', index: 0 } },
      'some.json: stage: step 0 is "init"; write that, or correct place.index',
    ],
    [
      'a stage that is not the place',
      { place: { kind: 'end' } },
      'some.json: stage: "access" is not the place; write "end"',
    ],
    [
      'another signature',
      { signature: 'translation | access' },
      'some.json: signature: invariant, stage and difference make "translation | access | fault became mapped"; write that',
    ],
    [
      'a list that is none',
      { alsoBroken: 'coherence' },
      'some.json: alsoBroken: "coherence" is not a list; give a list',
    ],
    ['a list of numbers', { alsoBroken: ['x', 1] }, 'some.json: alsoBroken[1]: 1 is not a text; give a string'],
    ['a provenance that is none', { provenance: [] }, 'some.json: provenance: a list is not an object; give an object'],
    [
      'half a provenance',
      { provenance: { ...ENTRY.provenance, program: 'first' } },
      'some.json: provenance.program: "first" is not a whole number; give a whole number from 0 to ',
    ],
    ['no program', { program: undefined }, 'some.json: program: missing; give an object'],
    [
      'a step that is none',
      { program: { ...program(), steps: [{ op: 'sleep' }] } },
      'some.json: program: steps[0].op: "sleep" is not known; use one of "store", ',
    ],
    [
      'a program of another version',
      { program: { ...program(), format: 'shadowdiff-program/9' } },
      'some.json: program: format: "shadowdiff-program/9" is not known here; this version reads "shadowdiff-program/1"',
    ],
  ])('%s', (_, fields, message) => {
    expect(refusal(fields)).toContain(message);
  });

  test.each([
    ['an empty file', ''],
    ['half a file', formatCounterexample(ENTRY).slice(0, 400)],
    ['another text', 'not JSON at all'],
    ['a list', '[]'],
    ['a number', '7'],
    ['nothing', 'null'],
  ])('%s', (_, text) => {
    expect(() => parseCounterexample(text, 'some.json')).toThrow(BadInput);
    expect(() => parseCounterexample(text, 'some.json')).toThrow(/^some\.json: .+; .+/);
  });

  test('what a stranger wrote is shown short, and a terminal obeys none of it', () => {
    const strange = wordy('\u001b[31m');
    const fields = ['format', 'status', 'invariant', 'stage', 'traffic', 'difference'] as const;
    const messages = fields.map((field) => [field, refusal({ [field]: strange })] as const);
    const unfit = messages.filter(([, message]) => message.length >= 900 || message.includes('\u001b'));
    expect(unfit).toEqual([]);
  });

  test('a signature fits what it is made of', () => {
    expect(signatureOf(parseCounterexample(formatCounterexample(ENTRY), 'some.json').divergence)).toBe(
      jsonOf(ENTRY)['signature'],
    );
  });
});
