import { describe, expect, test } from 'vitest';
import { defectNamed } from '../impl/defects/catalogue.js';
import { ShadowMachine } from '../impl/shadow-machine.js';
import { ReferenceMachine } from '../model/machine.js';
import type {
  Machine,
  Observation,
  Op,
  Outcome,
  OutcomeKind,
  Program,
  Step,
  Trace,
} from '../model/vocabulary/index.js';
import { OBSERVABLES, bareOutcome, guestEntry, killedFor, paddr, pfn } from '../model/vocabulary/index.js';
import {
  access,
  failAlloc,
  flushTlb,
  guestPa,
  init,
  machineOf,
  migrate,
  newPgtable,
  protect,
  setPgd,
  setPte,
  setStack,
  store,
} from '../test-support/steps.js';
import type { Divergence, Place } from './divergence.js';
import { formatTrace, parseTrace } from './formats/index.js';
import type { Invariant, Verdict, Violation } from './invariants/invariant.js';
import { HELD, VACUOUS } from './invariants/invariant.js';
import type { Moment, Stage } from './invariants/moment.js';
import { INVARIANTS } from './invariants/invariants.js';
import type { LockstepOptions } from './lockstep.js';
import { Lockstep } from './lockstep.js';
import { Tally } from './tally.js';
import { RecordedMachine, ZERO_OBSERVATION, traceOf } from './trace-of.js';

const MACHINE = machineOf({ guestPages: 16, devicePages: 2, hostCpus: 2 });

/** Each kind of step, and most kinds of answer. Root in page 1, its only table in page 2, the device in page 16. */
const TOUR: readonly Step[] = [
  init(),
  store(0x1000, 0x2007),
  store(0x2000, 0x5007),
  store(0x2004, 0x10007),
  store(0x2008, 0x6005),
  newPgtable(0x1000, 1),
  access(0x0),
  access(0x0, 'write'),
  access(0x0, 'write'),
  access(0x1000),
  access(0x2000, 'write', 'user'),
  access(0x3000),
  guestPa(0x123),
  setStack(0x1000, 1),
  setPte(0x1000, 0x0, 0x7067),
  setPte(0x1000, 0x0, 0x5067),
  migrate(1),
  access(0x0),
  setPgd(0x1000, 0),
  flushTlb('user'),
  flushTlb('all'),
  failAlloc(0),
  protect(7, 'read'),
  newPgtable(0x1000, 2),
];
/** In 2-level paging it kills. */
const DEATH: Step = { op: 'set-pmd', pmd: paddr(0x1000), index: 0 };

const LIVING: Program = { machine: MACHINE, steps: TOUR };
const DYING: Program = { machine: MACHINE, steps: [...TOUR, DEATH, access(0x0), access(0x0)] };

const soundPair = (): { readonly model: Machine; readonly subject: Machine } => ({
  model: new ReferenceMachine(),
  subject: new ShadowMachine(),
});

const tampering = (id: string): Machine => {
  const machine = new ShadowMachine();
  defectNamed(id)?.plant(machine);
  return machine;
};

const BROKEN: Violation = {
  kind: 'other',
  field: 'field',
  expected: 'right',
  actual: 'wrong',
  difference: 'broken on purpose',
  location: { slot: 2 },
};

/** An invariant that writes down when it is checked, and is broken at one stage. */
const witness = (id: string, stages: readonly Stage[], log: string[], brokenAt?: Stage): Invariant => ({
  id,
  statement: 'A witness is asked.',
  source: 'machine.md',
  exercisedBy: 'anything',
  harms: 'guest',
  looksAt: ['outcome'],
  contract: 'any',
  stages,
  situations: [],
  watch: () => ({
    begin: () => void log.push(`${id} begin`),
    before: ({ stage }) => void log.push(`${id} before ${stage}`),
    after: ({ stage }) => {
      log.push(`${id} after ${stage}`);
      return stage === brokenAt ? BROKEN : HELD;
    },
  }),
});

describe('the order of asking', () => {
  const short: Program = { machine: MACHINE, steps: [TOUR[0], TOUR[1]] };

  test('everybody begins, is asked in the order given, before and after each step of its stages', () => {
    const log: string[] = [];
    const invariants = [
      witness('one', ['create', 'init', 'store', 'end', 'destroy'], log),
      witness('two', ['init'], log),
    ];
    expect(new Lockstep({ ...soundPair(), invariants }).run(short, false)).toBeUndefined();
    expect(log).toEqual([
      'one begin',
      'two begin',
      'one after create',
      'one before init',
      'two before init',
      'one after init',
      'two after init',
      'one before store',
      'one after store',
      'one after end',
      'one after destroy',
    ]);
  });

  test('a finding is named after the first that broke, and names the others', () => {
    const invariants = [
      witness('whole', ['init'], []),
      witness('first', ['init'], [], 'init'),
      witness('second', ['init'], [], 'init'),
      witness('third', ['init'], [], 'init'),
    ];
    expect(new Lockstep({ ...soundPair(), invariants }).run(short, false)).toEqual({
      invariant: 'first',
      alsoBroken: ['second', 'third'],
      place: { kind: 'step', index: 0 },
      stage: 'init',
      ...BROKEN,
    } satisfies Divergence);
  });

  test.each<[Stage, Place]>([
    ['create', { kind: 'create' }],
    ['init', { kind: 'step', index: 0 }],
    ['store', { kind: 'step', index: 1 }],
    ['end', { kind: 'end' }],
    ['destroy', { kind: 'destroy' }],
  ])('an invariant broken at %s ends the program there', (stage, place) => {
    const log: string[] = [];
    const all: readonly Stage[] = ['create', 'init', 'store', 'end', 'destroy'];
    const found = new Lockstep({ ...soundPair(), invariants: [witness('one', all, log, stage)] }).run(short, false);
    expect(found).toMatchObject({ stage, place });
    expect(log.at(-1)).toBe(`one after ${stage}`);
  });

  test('what is tolerated does not end the program', () => {
    const met: Divergence[] = [];
    const tolerates = (divergence: Divergence): boolean => met.push(divergence) > 0;
    const invariants = [witness('one', ['store'], [], 'store')];
    const lockstep = new Lockstep({ ...soundPair(), invariants, tolerates });
    expect(lockstep.run(LIVING, false)).toBeUndefined();
    expect(met.map(({ place }) => place)).toEqual([1, 2, 3, 4].map((index) => ({ kind: 'step', index })));
    expect(lockstep.tally.steps).toBe(LIVING.steps.length);
  });
});

describe('who is asked', () => {
  test('an invariant that rests on the contract is asked of guests that keep it only', () => {
    const log: string[] = [];
    const invariants: Invariant[] = [{ ...witness('one', ['init'], log), contract: 'kept' }];
    const lockstep = new Lockstep({ ...soundPair(), invariants });
    lockstep.run(LIVING, false);
    expect([log.includes('one after init'), lockstep.tally.checks[0]]).toEqual([false, 0]);
    lockstep.run(LIVING, true);
    expect([log.includes('one after init'), lockstep.tally.checks[0]]).toEqual([true, 1]);
  });

  test('an invariant that looks inside is skipped for a machine that does not let it', () => {
    const log: string[] = [];
    const invariants: Invariant[] = [{ ...witness('one', ['init'], log), looksAt: ['shadow'] }];
    const black: Machine = new ReferenceMachine();
    new Lockstep({ model: new ReferenceMachine(), subject: black, invariants }).run(LIVING, false);
    expect(log).toEqual(['one begin']);
    new Lockstep({ ...soundPair(), invariants }).run(LIVING, false);
    expect(log).toContain('one after init');
  });

  test('an invariant sees the step, the guest after it, and both observations', () => {
    const seen: unknown[] = [];
    const look = ({ step, guest, model, subject, shadow }: Moment): Verdict => {
      seen.push([step?.op, guest.root, guest.linear, model.outcome.kind, subject.outcome.kind, shadow !== undefined]);
      return VACUOUS;
    };
    const invariants: Invariant[] = [
      { ...witness('one', ['create', 'new-pgtable', 'destroy'], []), watch: () => ({ after: look }) },
    ];
    new Lockstep({ ...soundPair(), invariants }).run({ machine: MACHINE, steps: TOUR.slice(0, 6) }, false);
    expect(seen).toEqual([
      [undefined, undefined, true, 'created', 'created', true],
      ['new-pgtable', 0x1000, false, 'ok', 'ok', true],
      [undefined, 0x1000, false, 'destroyed', 'destroyed', true],
    ]);
  });
});

describe('the end of a program', () => {
  const afterDeath = (count: number): Program => ({
    machine: MACHINE,
    steps: [TOUR[0], DEATH, ...Array.from({ length: count }, () => access(0x0))],
  });

  test.each([
    [0, 2],
    [3, 5],
    [4, 6],
    [5, 6],
    [100, 6],
  ])('of %i steps after a kill no more than four are taken', (dead, taken) => {
    const lockstep = new Lockstep({ ...soundPair(), invariants: INVARIANTS });
    expect(lockstep.run(afterDeath(dead), false)).toBeUndefined();
    expect(lockstep.tally.steps).toBe(taken);
    expect(lockstep.tally.diedEarly).toBe(1);
  });

  test('a machine without memory is not asked for ever either', () => {
    const machine = { ...MACHINE, failAllocation: 1 };
    const lockstep = new Lockstep({ ...soundPair(), invariants: INVARIANTS });
    expect(lockstep.run({ machine, steps: TOUR }, false)).toBeUndefined();
    expect(lockstep.tally.allOutcomes('absent')).toBe(5);
    expect(lockstep.tally.diedEarly).toBe(1);
  });

  test('a late death is not an early one', () => {
    const lockstep = new Lockstep({ ...soundPair(), invariants: INVARIANTS });
    expect(lockstep.run(DYING, false)).toBeUndefined();
    expect(lockstep.tally.diedEarly).toBe(0);
  });
});

describe('a divergence of a defective machine', () => {
  test('at creation', () => {
    const lockstep = new Lockstep({
      model: new ReferenceMachine(),
      subject: tampering('creation-leaks-root'),
      invariants: INVARIANTS,
    });
    const found = lockstep.run({ machine: { ...MACHINE, failAllocation: 2 }, steps: TOUR }, false);
    expect(found).toMatchObject({ place: { kind: 'create' }, stage: 'create', field: 'tables', expected: '0' });
  });

  test('at destroy', () => {
    const lockstep = new Lockstep({
      model: new ReferenceMachine(),
      subject: tampering('teardown-forgets-tables'),
      invariants: INVARIANTS,
    });
    const found = lockstep.run(LIVING, false);
    expect(found).toMatchObject({ invariant: 'table-accounting', alsoBroken: ['teardown'], stage: 'destroy' });
  });
});

describe('the tally', () => {
  test('counts programs, steps, outcomes, hits and misses', () => {
    const lockstep = new Lockstep({ ...soundPair(), invariants: INVARIANTS });
    expect(lockstep.run(DYING, false)).toBeUndefined();
    const { tally } = lockstep;
    const { programs, steps, hits, misses, cacheHits, cacheMisses, diedEarly } = tally;
    expect({ programs, steps, hits, misses, cacheHits, cacheMisses, diedEarly }).toEqual({
      programs: 1,
      steps: 27,
      // The first access after `migrate` changes the Switcher's pages, and counts as a miss.
      hits: 1,
      misses: 3,
      cacheHits: 1,
      cacheMisses: 1,
      diedEarly: 0,
    });
    const outcomes: readonly [Op, OutcomeKind, number][] = [
      ['access', 'mapped', 4],
      ['access', 'mmio', 1],
      ['access', 'fault', 2],
      ['access', 'dead', 2],
      ['set-pmd', 'killed', 1],
      ['guest-pa', 'physical', 1],
      ['init', 'initialized', 1],
      ['store', 'ok', 4],
      ['store', 'killed', 0],
    ];
    expect(outcomes.map(([op, kind]) => [op, kind, tally.outcomesOf(op, kind)])).toEqual(outcomes);
    expect(tally.allOutcomes('dead')).toBe(2);
    expect(tally.allOutcomes('ok')).toBe(15);
  });

  test('adds up over programs, and counts a check whose premise failed as no exercise', () => {
    const vacuous: Invariant = { ...witness('vacuous', ['store'], []), watch: () => ({ after: () => VACUOUS }) };
    const lockstep = new Lockstep({ ...soundPair(), invariants: [witness('one', ['store'], []), vacuous] });
    for (let time = 0; time < 3; time++) lockstep.run(LIVING, false);
    const { programs, steps, checks, exercised } = lockstep.tally;
    expect([programs, steps]).toEqual([3, 3 * LIVING.steps.length]);
    expect([...checks]).toEqual([12, 12]);
    expect([...exercised]).toEqual([12, 0]);
  });
});

/** A subject of which only the trace is known, and that somebody changed on the way. */
const runRecorded = (program: Program, trace: Trace, invariants = INVARIANTS): Divergence | undefined => {
  const subject = new RecordedMachine();
  subject.load(trace);
  return new Lockstep({ model: new ReferenceMachine(), subject, invariants }).run(program, false);
};

type Change = (observation: Observation) => Observation | undefined;

const withOutcome =
  (change: (outcome: Outcome) => Outcome | undefined): Change =>
  (observation) => {
    const outcome = change(observation.outcome);
    return outcome === undefined ? undefined : { ...observation, outcome };
  };

/** Of bare outcomes nothing else is compared, and a list that is empty has no member to lose. */
const withEffects =
  (change: (observation: Observation) => Partial<Observation> | undefined): Change =>
  (observation) => {
    const effects = bareOutcome(observation.outcome.kind) ? undefined : change(observation);
    return effects === undefined ? undefined : { ...observation, ...effects };
  };

const OTHER_OUTCOMES: readonly Outcome[] = [
  { kind: 'created' },
  { kind: 'no-memory' },
  { kind: 'initialized', reserved: 1 },
  { kind: 'ok' },
  { kind: 'mapped', paddr: paddr(0x5000) },
  { kind: 'fault', code: 0 },
  { kind: 'mmio', paddr: paddr(0x5000) },
  { kind: 'physical', paddr: paddr(0x5000) },
  { kind: 'stuck' },
  killedFor('for no reason'),
  { kind: 'dead' },
  { kind: 'destroyed' },
  { kind: 'host-bug', reason: 'a stray access' },
  { kind: 'halted' },
  { kind: 'absent' },
];

const CHANGES: Readonly<Record<string, Change>> = {
  ...Object.fromEntries(
    OTHER_OUTCOMES.map((other) => [
      `outcome becomes ${other.kind}`,
      withOutcome(({ kind }) => (kind === other.kind ? undefined : other)),
    ]),
  ),
  'another address': withOutcome((outcome) =>
    'paddr' in outcome ? { ...outcome, paddr: paddr(outcome.paddr + 4) } : undefined,
  ),
  'another fault code': withOutcome((outcome) =>
    outcome.kind === 'fault' ? { ...outcome, code: outcome.code ^ 1 } : undefined,
  ),
  'another reserved size': withOutcome((outcome) =>
    outcome.kind === 'initialized' ? { ...outcome, reserved: 0 } : undefined,
  ),
  'another reason': withOutcome((outcome) => (outcome.kind === 'killed' ? killedFor('for no reason') : undefined)),
  'a reference change missing': withEffects(({ references }) =>
    references.length === 0 ? undefined : { references: references.slice(1) },
  ),
  'a reference change too many': withEffects(({ references }) => ({
    references: [...references, { page: pfn(15), count: 1 }],
  })),
  'another count': withEffects(({ references }) =>
    references.length === 0
      ? undefined
      : { references: references.map((each) => ({ ...each, count: each.count + 1 })) },
  ),
  'another page': withEffects(({ references }) =>
    references.length === 0 ? undefined : { references: references.map((each) => ({ ...each, page: pfn(15) })) },
  ),
  'a store missing': withEffects(({ stores }) => (stores.length === 0 ? undefined : { stores: stores.slice(1) })),
  'a store too many': withEffects(({ stores }) => ({
    stores: [...stores, { paddr: paddr(0xff00), value: guestEntry(0x20) }],
  })),
  'a store of another value': withEffects(({ stores }) =>
    stores.length === 0 ? undefined : { stores: stores.map((each) => ({ ...each, value: guestEntry(0x40) })) },
  ),
  'a store elsewhere': withEffects(({ stores }) =>
    stores.length === 0 ? undefined : { stores: stores.map((each) => ({ ...each, paddr: paddr(0xff00) })) },
  ),
  'a table too many': withEffects(({ tables }) => ({ tables: tables + 1 })),
  'a table too few': withEffects(({ tables }) => (tables === 0 ? undefined : { tables: tables - 1 })),
  'a text reference too many': withEffects(({ switcher }) => ({
    switcher: { ...switcher, text: switcher.text + 1 },
  })),
  'a text reference too few': withEffects(({ switcher }) =>
    switcher.text === 0 ? undefined : { switcher: { ...switcher, text: switcher.text - 1 } },
  ),
  'a registers reference too many': withEffects(({ switcher }) => ({
    switcher: { ...switcher, registers: switcher.registers + 1 },
  })),
  'another CPU’s state page': withEffects(({ switcher }) => {
    const state = switcher.state.toReversed();
    return state.every((count, index) => count === switcher.state[index])
      ? undefined
      : { switcher: { ...switcher, state } };
  }),
  'no count for the last CPU’s state page': withEffects(({ switcher }) => ({
    switcher: { ...switcher, state: switcher.state.slice(0, -1) },
  })),
  'a state reference too many': withEffects(({ switcher }) => ({
    switcher: { ...switcher, state: switcher.state.map((count) => count + 1) },
  })),
};

interface Tampered {
  readonly place: Place;
  readonly trace: Trace;
}

/** The trace with one moment changed, for each moment that the change applies to. */
const tamper = (trace: Trace, change: Change): readonly Tampered[] => {
  const created = change(trace.created);
  const destroyed = change(trace.destroyed);
  const steps = trace.steps.flatMap((observation, index): Tampered[] => {
    const changed = change(observation);
    return changed === undefined
      ? []
      : [{ place: { kind: 'step', index }, trace: { ...trace, steps: trace.steps.with(index, changed) } }];
  });
  return [
    ...(created === undefined ? [] : [{ place: { kind: 'create' } as const, trace: { ...trace, created } }]),
    ...steps,
    ...(destroyed === undefined ? [] : [{ place: { kind: 'destroy' } as const, trace: { ...trace, destroyed } }]),
  ];
};

describe.each([
  ['lives', LIVING],
  ['dies', DYING],
  ['was never created', { machine: { ...MACHINE, failAllocation: 1 }, steps: TOUR.slice(0, 4) }],
])('a black box whose guest %s', (_, program) => {
  const trace = traceOf(new ReferenceMachine(), program);

  test('that answers as the model does, passes', () => {
    expect(runRecorded(program, trace)).toBeUndefined();
  });

  test.each(Object.entries(CHANGES))('is found wherever its answer has this changed: %s', (_, change) => {
    const missed = tamper(trace, change)
      .filter(({ place, trace: tampered }) => {
        const found = runRecorded(program, tampered);
        return found === undefined || JSON.stringify(found.place) !== JSON.stringify(place);
      })
      .map(({ place }) => (place.kind === 'step' ? `${place.index} ${program.steps[place.index].op}` : place.kind));
    expect(missed).toEqual([]);
  });
});

describe.each(['references', 'stores', 'tables', 'switcher'] as const)('a side that does not observe %s', (missing) => {
  const observed = {
    observes: OBSERVABLES.filter((each) => each !== missing && each !== 'shadow'),
    upperStores: false,
  };
  const blank = (observation: Observation): Observation => ({ ...observation, [missing]: ZERO_OBSERVATION[missing] });
  const blanked = ({ created, steps, destroyed }: Trace): Trace => ({
    created: blank(created),
    steps: steps.map(blank),
    destroyed: blank(destroyed),
  });
  const recorded = (trace: Trace): Machine => {
    const machine = new RecordedMachine();
    machine.load(trace);
    return machine;
  };
  const run = (program: Program, options: Omit<LockstepOptions, 'invariants'>): Divergence | undefined =>
    new Lockstep({ ...options, invariants: INVARIANTS }).run(program, false);

  test.each([LIVING, DYING])('is compared in the rest, wherever it stands', (program) => {
    const trace = traceOf(new ReferenceMachine(), program);
    const mute = blanked(trace);
    const model = new ReferenceMachine();
    expect(run(program, { model, subject: recorded(mute), subjectShows: observed })).toBeUndefined();
    expect(run(program, { model: recorded(mute), subject: model, modelShows: observed })).toBeUndefined();
    expect(run(program, { model, subject: recorded(mute) })).toBeDefined();
    const moved = withOutcome((outcome) => (outcome.kind === 'mapped' ? { ...outcome, paddr: paddr(4) } : undefined));
    for (const { place, trace: wrong } of tamper(mute, moved)) {
      const found = run(program, { model, subject: recorded(wrong), subjectShows: observed });
      expect(found).toMatchObject({ invariant: 'translation', place });
    }
  });

  test('leaves invariants unchecked that look at nothing else', () => {
    const tally = new Tally(INVARIANTS);
    const subject = recorded(blanked(traceOf(new ReferenceMachine(), LIVING)));
    const options = { model: new ReferenceMachine(), subject, subjectShows: observed, tally };
    expect(run(LIVING, options)).toBeUndefined();
    const blind = INVARIANTS.filter(({ looksAt }) => looksAt.every((each) => each === missing || each === 'shadow'));
    for (const invariant of blind) expect(tally.checks[INVARIANTS.indexOf(invariant)]).toBe(0);
    expect(tally.checks[INVARIANTS.findIndex(({ id }) => id === 'translation')]).toBeGreaterThan(0);
  });
});

test('what a foreign reference stored in a step that killed the guest is taken from the subject, and not held against it', () => {
  const program: Program = {
    machine: { ...MACHINE, paging: 'pae', guestPages: 43 },
    steps: [
      init(),
      store(0x1010, 0x2001),
      store(0x2ff8, 0x7027),
      store(0x7ff8, 0xc007),
      newPgtable(0x1000, 1),
      // The first page is pinned, for which its entry becomes dirty; there is no second one.
      setStack(0xbffffd32, 2),
    ],
  };
  const trace = parseTrace(formatTrace(traceOf(new ReferenceMachine(), program)), 'trace', program);
  const model = new RecordedMachine();
  model.load(trace);
  expect(trace.steps.at(-1)?.outcome.kind).toBe('killed');
  const options = { model, subject: new ShadowMachine(), invariants: INVARIANTS };
  expect(new Lockstep({ ...options, modelIsForeign: true }).run(program, false)).toBeUndefined();
  expect(new Lockstep(options).run(program, false)?.invariant).toBe('least-privilege');
});
