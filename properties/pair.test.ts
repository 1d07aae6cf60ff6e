import { expect, test } from 'vitest';
import { ReferenceMachine } from '../model/machine.js';
import type { Observation, Program, Trace } from '../model/vocabulary/index.js';
import { guestEntry, paddr, pfn } from '../model/vocabulary/index.js';
import { access, init, machineOf } from '../test-support/steps.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import { versionOne } from './subjects/capabilities.js';
import { MODEL } from './subjects/subject-names.js';
import type { ExternalSubject } from './subjects/subject.js';
import { traceOf } from './trace-of.js';

const PROGRAM: Program = { machine: machineOf(), steps: [init(), access(0)] };
const TRACE = traceOf(new ReferenceMachine(), PROGRAM);

const pairAnswering = (...traces: readonly Trace[]): Pair => {
  const answers = traces.values();
  const subject: ExternalSubject = {
    kind: 'external',
    name: 'fickle',
    start: () => Promise.resolve(versionOne('fickle')),
    answer: () => Promise.resolve({ kind: 'trace', trace: answers.next().value! }),
    close: () => Promise.resolve(undefined),
  };
  return new Pair({ model: MODEL, subject, invariants: INVARIANTS });
};

const CHANGES: Readonly<Record<string, Partial<Observation>>> = {
  outcome: { outcome: { kind: 'fault', code: 7 } },
  references: { references: [{ page: pfn(0), count: 9 }] },
  stores: { stores: [{ paddr: paddr(0), value: guestEntry(0x27) }] },
  tables: { tables: 99 },
  switcher: { switcher: { text: 9, state: [9], registers: 9 } },
};

test.each(Object.entries(CHANGES))(
  'a subject that shows another %s the second time is found',
  async (field, change) => {
    const [first, second] = TRACE.steps;
    const places = [
      [{ kind: 'create' }, { ...TRACE, created: { ...TRACE.created, ...change } }],
      [
        { kind: 'step', index: 1 },
        { ...TRACE, steps: [first, { ...second, ...change }] },
      ],
      [{ kind: 'destroy' }, { ...TRACE, destroyed: { ...TRACE.destroyed, ...change } }],
    ] as const;
    for (const [place, other] of places)
      expect(await pairAnswering(TRACE, other).repeat(PROGRAM)).toMatchObject({
        invariant: 'determinism',
        place,
        field,
      });
  },
);

test('one that shows the same is not', async () => {
  expect(await pairAnswering(TRACE, structuredClone(TRACE)).repeat(PROGRAM)).toBeUndefined();
});
