import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShadowMachine } from '../impl/shadow-machine.js';
import { ReferenceMachine } from '../model/machine.js';
import type {
  Machine,
  Observation,
  Paddr,
  Program,
  ReportedShadow,
  ShadowLeaf,
  ShadowTable,
  ShadowView,
  Slot,
  Trace,
} from '../model/vocabulary/index.js';
import {
  LEAF_TARGETS,
  OBSERVABLES,
  SLOTS,
  bareOutcome,
  paddr,
  pagingSizes,
  slot,
  vaddr,
} from '../model/vocabulary/index.js';
import { parseCounterexample } from './corpus/counterexample.js';
import type { Divergence } from './divergence.js';
import { formatTrace, parseTrace } from './formats/index.js';
import type { Case } from './generators/index.js';
import { programArbitrary } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Lockstep } from './lockstep.js';
import { RecordedShadow, ShadowReporter } from './reported-shadow.js';
import { programSeed, randomFor } from './seeds.js';
import { versionOne } from './subjects/capabilities.js';
import type { ExternalSubject } from './subjects/subject.js';
import { MODEL, ownMachine } from './subjects/subject-names.js';
import { explainFinding } from './explain/explain.js';
import { RecordedMachine, traceWithShadowOf } from './trace-of.js';

const generated = (index: number): Case =>
  programArbitrary().generate(randomFor(programSeed('reported-shadow', index)), undefined).value;

const leaf = (address: number, page: number, over: Partial<ShadowLeaf> = {}): ShadowLeaf => ({
  slot: slot(0),
  vaddr: vaddr(address),
  target: 'ram',
  page,
  writable: true,
  user: false,
  upperWritable: true,
  upperUser: true,
  ...over,
});

const reported = (over: Partial<ReportedShadow> = {}): ReportedShadow => ({
  current: slot(0),
  roots: [{ frame: 17, guestRoot: paddr(0x1000) }, { frame: 18, guestRoot: undefined }, undefined, undefined],
  tables: [{ slot: slot(0), depth: 1, vaddr: vaddr(0x400000), frame: 2 ** 32 - 2 }],
  pages: [17, 18, 2 ** 32 - 2],
  leaves: [leaf(0x401000, 6), leaf(0x400000, 5), leaf(0x400000, 7, { slot: slot(1) })],
  ...over,
});

describe('a recorded shadow', () => {
  const shadow = (...reports: readonly (ReportedShadow | undefined)[]): RecordedShadow => {
    const view = new RecordedShadow();
    for (const report of reports) view.take(report);
    return view;
  };
  const written = (view: ShadowView): readonly string[] => {
    const found: string[] = [];
    view.forEachWrittenLeaf((each) => found.push(`${each.slot} ${each.vaddr.toString(16)}`));
    return found;
  };

  test('shows roots, tables and leaves, whatever order they were reported in', () => {
    const view = shadow(reported());
    expect([0, 1, 2].map((index) => view.hasRoot(slot(index)))).toEqual([true, true, false]);
    expect([0, 1, 2].map((index) => view.guestRoot(slot(index)))).toEqual([0x1000, undefined, undefined]);
    expect(leavesOf(view, slot(0)).map(({ vaddr: at }) => at)).toEqual([0x400000, 0x401000]);
    expect(view.leafAt(slot(0), vaddr(0x400fff))).toMatchObject({ page: 5 });
    expect(view.leafAt(slot(1), vaddr(0x400fff))).toMatchObject({ page: 7 });
    for (const address of [0x3fffff, 0x402000]) expect(view.leafAt(slot(0), vaddr(address))).toBeUndefined();
    expect(view.leafCountIn(slot(0), 0x400001, 2 ** 32)).toBe(1);
    expect(view.leafCountIn(slot(0), 0x402000, 0x400000)).toBe(0);
    expect(tablesOf(view)).toEqual([
      { slot: 0, depth: 0, vaddr: 0, frame: 17, allocated: true },
      { slot: 0, depth: 1, vaddr: 0x400000, frame: 2 ** 32 - 2, allocated: true },
      { slot: 1, depth: 0, vaddr: 0, frame: 18, allocated: true },
    ]);
    expect(view.allocatedTables).toBe(3);
  });

  test('shows a table on a page that is not allocated', () => {
    expect(tablesOf(shadow(reported({ pages: [17, 18] }))).map(({ allocated }) => allocated)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('names the leaves that are new or differ from the report before as written', () => {
    const first = reported();
    expect(written(shadow(first))).toEqual(['0 400000', '0 401000', '1 400000']);
    expect(written(shadow(first, undefined))).toEqual([]);
    expect(written(shadow(first, reported()))).toEqual([]);
    const leaves = [leaf(0x400000, 5), leaf(0x401000, 6, { writable: false }), leaf(0x402000, 6)];
    expect(written(shadow(first, reported({ leaves })))).toEqual(['0 401000', '0 402000']);
    const below = first.leaves.map((each) => ({ ...each, upperWritable: false }));
    expect(written(shadow(first, reported({ leaves: below })))).toEqual([]);
    const one = leaf(0x400000, 5, { slot: slot(2) });
    expect(written(shadow(first, reported({ leaves: [...first.leaves, one] })))).toEqual(['2 400000']);
  });

  test.each<[string, Partial<ReportedShadow>, shadowGrows: boolean, tablesGrow: boolean]>([
    ['nothing', {}, false, false],
    ['the current slot', { current: slot(1) }, false, false],
    ['the order of leaves', { leaves: reported().leaves.toReversed() }, false, false],
    ['a right', { leaves: [leaf(0x401000, 6, { user: true }), ...reported().leaves.slice(1)] }, true, false],
    [
      'a right of the entry above',
      { leaves: reported().leaves.map((each) => ({ ...each, upperUser: false })) },
      true,
      false,
    ],
    ['a leaf gone', { leaves: reported().leaves.slice(1) }, true, false],
    ['a page', { pages: [17, 18, 2 ** 32 - 2, 20] }, false, true],
    ['a table', { tables: [] }, true, true],
    ['a guest root', { roots: [{ frame: 17, guestRoot: paddr(0) }, ...reported().roots.slice(1)] }, false, false],
    ['a root page', { roots: [{ frame: 19, guestRoot: paddr(0x1000) }, ...reported().roots.slice(1)] }, false, true],
  ])('has another version if there is another: %s', (_, change, shadowGrows, tablesGrow) => {
    const view = shadow(reported());
    const { shadowVersion, tableVersion } = view;
    view.take(reported(change));
    expect([view.shadowVersion > shadowVersion, view.tableVersion > tableVersion]).toEqual([shadowGrows, tablesGrow]);
    view.take(undefined);
    view.take(reported(change));
    expect([view.shadowVersion > shadowVersion + 1, view.tableVersion > tableVersion + 1]).toEqual([false, false]);
  });

  test('is empty once it is cleared', () => {
    const view = shadow(reported());
    view.clear();
    expect([tablesOf(view), leavesOf(view, slot(0)), view.allocatedTables]).toEqual([[], [], 0]);
  });
});

const leavesOf = (view: ShadowView, index: Slot): readonly ShadowLeaf[] => {
  const leaves: ShadowLeaf[] = [];
  view.forEachLeaf(index, (each) => leaves.push({ ...each }));
  return leaves;
};

const tablesOf = (view: ShadowView): readonly ShadowTable[] => {
  const tables: ShadowTable[] = [];
  view.forEachTable((table) => tables.push({ ...table }));
  return tables;
};

/** Everything that a view shows but its versions. */
const seen = (view: ShadowView): object => ({
  current: view.currentSlot,
  allocated: view.allocatedTables,
  tables: tablesOf(view),
  slots: Array.from({ length: SLOTS }, (_, index) => slotSeen(view, slot(index))),
});

const slotSeen = (view: ShadowView, index: Slot): object => {
  const leaves = leavesOf(view, index);
  const root: Paddr | undefined = view.guestRoot(index);
  const found = leaves.map(({ vaddr: at }) => ({ ...view.leafAt(index, vaddr(at + 0x123)) }));
  const counts = leaves.map(({ vaddr: at }) => view.leafCountIn(index, at, at + 0x10000));
  const from: number[] = [];
  view.forEachLeafFrom(index, vaddr(0xc0000001), ({ vaddr: at }) => from.push(at));
  return { leaves, root, found, counts, from, hasRoot: view.hasRoot(index) };
};

test('a machine’s shadow is the same after a report as before it', () => {
  for (let index = 0; index < 30; index++) {
    const { program } = generated(index);
    const machine = new ShadowMachine();
    const reporter = new ShadowReporter(machine.shadow);
    const view = new RecordedShadow();
    machine.create(program.machine);
    view.take(reporter.report());
    for (const step of program.steps) {
      machine.apply(step);
      view.take(reporter.report());
      expect(seen(view)).toEqual(seen(machine.shadow));
    }
  }
});

/** Plays back what a machine reports, and shows what a subject that observes its shadow does. */
const recorded = (machine: Machine, program: Program): RecordedMachine => {
  const subject = new RecordedMachine(OBSERVABLES);
  const answer = formatTrace(traceWithShadowOf(machine, program));
  subject.load(parseTrace(answer, 'answer', program, { observes: OBSERVABLES, edges: 0 }));
  return subject;
};

test('hits and misses are counted as in the process', () => {
  const inProcess = new Lockstep({
    model: new ReferenceMachine(),
    subject: new ShadowMachine(),
    invariants: INVARIANTS,
  });
  const subject = new RecordedMachine(OBSERVABLES);
  const behind = new Lockstep({ model: new ReferenceMachine(), subject, invariants: INVARIANTS });
  for (let index = 0; index < 150; index++) {
    const { traffic, program } = generated(index);
    subject.load(traceWithShadowOf(new ShadowMachine(), program));
    expect(inProcess.run(program, traffic === 'coherent')).toBeUndefined();
    expect(behind.run(program, traffic === 'coherent')).toBeUndefined();
  }
  const counted = ({ tally: { hits, misses, cacheHits, cacheMisses, steps } }: Lockstep): object => {
    return { hits, misses, cacheHits, cacheMisses, steps };
  };
  expect(counted(behind)).toEqual(counted(inProcess));
});

describe('a lie in the report', () => {
  const program: Program = {
    machine: { paging: '2-level', guestPages: 64, devicePages: 0, hostCpus: 2, draw: 0, failAllocation: 0 },
    steps: [
      { op: 'init', kernelAddress: vaddr(0xc0000000) },
      { op: 'access', vaddr: vaddr(0x3000), kind: 'write', mode: 'kernel' },
      { op: 'access', vaddr: vaddr(0x804000), kind: 'read', mode: 'kernel' },
    ],
  };
  const NEW_PAGE = 2 ** 32 - 2;
  const far = (frame: number): number => 2 ** 31 + frame;

  const withShadow = (change: (shadow: ReportedShadow) => Partial<ReportedShadow>): Trace => {
    const changed = (observation: Observation): Observation => {
      const { shadow } = observation;
      return shadow === undefined ? observation : { ...observation, shadow: { ...shadow, ...change(shadow) } };
    };
    const { created, steps, destroyed } = traceWithShadowOf(new ShadowMachine(), program);
    return { created: changed(created), steps: steps.map(changed), destroyed };
  };
  /** Host pages have large numbers. */
  const renumbered = ({ roots, tables, pages }: ReportedShadow) => ({
    roots: roots.map((root) => root && { ...root, frame: far(root.frame) }),
    tables: tables.map((table) => ({ ...table, frame: far(table.frame) })),
    pages: pages.map(far),
  });
  const changedLeaves =
    (target: string, change: Partial<ShadowLeaf>) =>
    ({ leaves }: ReportedShadow) => ({
      leaves: leaves.map((each) => (each.target === target ? { ...each, ...change } : each)),
    });
  const judged = (trace: Trace): Divergence | undefined => {
    const subject = new RecordedMachine(OBSERVABLES);
    subject.load(trace);
    return new Lockstep({ model: new ReferenceMachine(), subject, invariants: INVARIANTS }).run(program, false);
  };

  test('of no consequence is none: host pages have the numbers that the subject likes', () => {
    expect(judged(withShadow(() => ({})))).toBeUndefined();
    expect(judged(withShadow(renumbered))).toBeUndefined();
  });

  test.each<[string, string, (shadow: ReportedShadow) => Partial<ReportedShadow>]>([
    ['switcher', 'state open to the user', changedLeaves('switcher-state', { user: true })],
    ['switcher', 'state writable', changedLeaves('switcher-state', { writable: true })],
    [
      'switcher',
      "another CPU's state",
      ({ leaves }) => {
        const own = leaves.filter(({ target }) => target === 'switcher-state');
        return { leaves: [...leaves, ...own.map((each) => ({ ...each, vaddr: vaddr(each.vaddr + 0x2000), page: 1 }))] };
      },
    ],
    ['confinement', "a page beyond RAM outside the Switcher's window", changedLeaves('ram', { page: 64 })],
    ['confinement', "stray outside the Switcher's window", changedLeaves('ram', { target: 'stray', page: 7 })],
    ['least-privilege', 'another page', changedLeaves('ram', { page: 9 })],
    ['table-accounting', 'tables shown and counted differ', ({ pages }) => ({ pages: pages.slice(1) })],
    ['table-accounting', 'tables shown and counted differ', () => ({ pages: [] })],
    ['table-accounting', 'used after free', ({ pages }) => ({ pages: [...pages.slice(1), NEW_PAGE] })],
    ['table-accounting', 'a table is lost', ({ tables }) => ({ tables: tables.slice(1) })],
    [
      'table-accounting',
      'linked twice',
      (shadow) => {
        const { roots, tables, pages } = renumbered(shadow);
        return { roots, pages, tables: tables.map((table) => ({ ...table, frame: tables[0].frame })) };
      },
    ],
  ])('breaks %s: %s', (invariant, difference, change) => {
    expect(judged(withShadow(change))).toMatchObject({ invariant, difference });
  });
});

describe('any report whatever', () => {
  const ADDRESSES = [
    0, 0x1000, 0x400000, 0xbffff000, 0xc0000000, 0xc0002000, 0xffc00000, 0xffe00000, 0xffe01000, 0xfffff000,
  ];
  const FRAMES = [0, 17, 18, 19, 4163, 2 ** 14, 2 ** 32 - 2];
  const slots = fc.nat(SLOTS - 1).map(slot);
  const frames = fc.constantFrom(...FRAMES);
  const addresses = fc.constantFrom(...ADDRESSES).map(vaddr);
  const anyReport = (levels: number): fc.Arbitrary<ReportedShadow> =>
    fc.record({
      current: slots,
      roots: fc.array(
        fc.option(
          fc.record({
            frame: frames,
            guestRoot: fc.option(fc.constantFrom(0, 1, 0x1000, 0xfffffffc).map(paddr), { nil: undefined }),
          }),
          { nil: undefined },
        ),
        { minLength: SLOTS, maxLength: SLOTS },
      ),
      tables: fc.array(
        fc.record({ slot: slots, depth: fc.integer({ min: 1, max: levels }), vaddr: addresses, frame: frames }),
      ),
      pages: fc.array(frames),
      leaves: fc.uniqueArray(
        fc.record({
          slot: slots,
          vaddr: addresses,
          target: fc.constantFrom(...LEAF_TARGETS),
          page: fc.constantFrom(0, 1, 2, 5, 63, 2 ** 20, 2 ** 32 - 1),
          writable: fc.boolean(),
          user: fc.boolean(),
          upperWritable: fc.boolean(),
          upperUser: fc.boolean(),
        }),
        { selector: ({ slot: where, vaddr: at }) => `${where} ${at}` },
      ),
    });

  /** A sound trace with these reports. Each has as many pages as the trace counts, because another number would be all that is found. */
  const lying = (program: Program, reports: readonly (ReportedShadow | undefined)[]): Trace => {
    const told = (observation: Observation, index: number): Observation => {
      const report = reports[index % reports.length];
      if (report === undefined || bareOutcome(observation.outcome.kind)) return observation;
      const more = Array.from({ length: observation.tables }, (_, page) => 100 + page);
      const pages = [...report.pages, ...more].slice(0, observation.tables);
      return { ...observation, shadow: { ...report, pages } };
    };
    const { created, steps, destroyed } = traceWithShadowOf(new ShadowMachine(), program);
    return { created: told(created, 0), steps: steps.map((step, index) => told(step, index + 1)), destroyed };
  };
  const anyLie = fc
    .record({ seed: fc.nat(200), steps: fc.integer({ min: 1, max: 40 }) })
    .map(({ seed, steps }): Case => {
      const { traffic, program } = generated(seed);
      return { traffic, program: { machine: program.machine, steps: program.steps.slice(0, steps) } };
    })
    .chain((found) =>
      fc.record({
        found: fc.constant(found),
        reports: fc.array(
          fc.option(anyReport(pagingSizes(found.program.machine.paging).tableLevels), { nil: undefined }),
          { minLength: 1, maxLength: 12 },
        ),
      }),
    );

  test('makes no invariant throw, whatever comes after it', () => {
    fc.assert(
      fc.property(anyLie, ({ found: { traffic, program }, reports }) => {
        const subject = new RecordedMachine(OBSERVABLES);
        subject.load(lying(program, reports));
        const tolerates = (): boolean => true;
        new Lockstep({ model: new ReferenceMachine(), subject, invariants: INVARIANTS, tolerates }).run(
          program,
          traffic === 'coherent',
        );
      }),
      { numRuns: 400 },
    );
  });

  test('can be explained', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyLie,
        fc.constantFrom(...INVARIANTS.filter(({ looksAt }) => looksAt.includes('shadow'))),
        async ({ found, reports }, invariant) => {
          const subject: ExternalSubject = {
            kind: 'external',
            name: 'exec:liar',
            start: () => Promise.resolve({ ...versionOne('liar'), version: 2, observes: OBSERVABLES }),
            answer: (program) => Promise.resolve({ kind: 'trace', trace: lying(program, reports) }),
            close: () => Promise.resolve(undefined),
          };
          const explanation = await explainFinding(found, { model: MODEL, subject, invariants: [invariant] });
          if (explanation === undefined) return;
          expect(JSON.stringify(explanation.frames)).not.toMatch(/undefined|NaN/);
          expect(explanation.sentence).toMatch(/^[A-Z].*\.$/);
          expect(explanation.sentence).not.toMatch(/undefined|NaN/);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const CORPUS = new URL('../corpus/', import.meta.url);
const ENTRIES = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.json'))
  .toSorted();

/** What a report does not show, so that the finding is another one or none. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  'accessed-dirty--end--02b86378.json': 'guest RAM',
  'death-is-final--access--141d3fb0.json': 'the shadow of a dead guest',
};

describe.each(ENTRIES)('%s', (name) => {
  test('is found in the reported shadow as in the machine’s own', () => {
    const { case: kept, subject: standing } = parseCounterexample(readFileSync(new URL(name, CORPUS), 'utf8'), name);
    const { traffic, program } = kept;
    const machine = (): Machine => ownMachine(standing, 'test')!.create();
    const run = (subject: Machine): Divergence | undefined =>
      new Lockstep({ model: new ReferenceMachine(), subject, invariants: INVARIANTS }).run(
        program,
        traffic === 'coherent',
      );
    const found = run(machine());
    const behind = run(recorded(machine(), program));
    if (NOT_SHOWN[name] === undefined) expect(behind).toEqual(found);
    else expect(behind?.invariant).not.toBe(found?.invariant);
  });
});
