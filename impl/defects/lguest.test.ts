/**
 * `impl:lguest` against the real thing. The fixture `lguest-vectors.jsonl.gz` was recorded from lguest's `page_tables.c`, compiled
 * in user space with stubs for the rest of the kernel: each line is a program and the trace that the C gave for it.
 */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { programFromJson, traceFromJson } from '../../properties/formats/index.js';
import type { Outcome, Program, Step, Trace } from '../../model/vocabulary/index.js';
import { bareOutcome, killedFor } from '../../model/vocabulary/index.js';
import {
  access,
  flushTlb,
  init,
  machineOf,
  newPgtable,
  protect,
  setPte,
  setStack,
  store,
} from '../../test-support/steps.js';
import { traceOf } from '../../properties/trace-of.js';
import { comparedTrace } from '../../test-support/c-subjects.js';
import { ShadowMachine } from '../shadow-machine.js';
import type { Defect } from './defect.js';
import { lguestDefects } from './catalogue.js';

interface Vector {
  readonly program: Program;
  readonly trace: Trace;
}

const VECTORS: readonly Vector[] = gunzipSync(readFileSync(new URL('lguest-vectors.jsonl.gz', import.meta.url)))
  .toString()
  .trim()
  .split('\n')
  .map((line, index): Vector => {
    const { program: programJson, trace } = JSON.parse(line) as { program: unknown; trace: unknown };
    const program = programFromJson(programJson, `vector ${index}`);
    return { program, trace: traceFromJson(trace, `vector ${index}`, program) };
  });

const machineWith = (defects: readonly Defect[]): ShadowMachine => {
  const machine = new ShadowMachine();
  for (const defect of defects) defect.plant(machine);
  return machine;
};

const WANTED = VECTORS.map(({ trace }) => comparedTrace(trace));
const differing = (machine: ShadowMachine): readonly number[] =>
  VECTORS.flatMap(({ program }, index) => (comparedTrace(traceOf(machine, program)) === WANTED[index] ? [] : [index]));

test('all recorded traces are there', () => {
  expect(VECTORS).toHaveLength(400);
});

test('with all of lguest’s deviations the machine answers every recorded trace to the bit', () => {
  expect(differing(machineWith(lguestDefects()))).toEqual([]);
});

test('without them it does not', () => {
  expect(differing(new ShadowMachine()).length).toBeGreaterThan(100);
});

interface Unrecorded {
  readonly why: string;
  readonly program: Program;
  /** What the C's text has the last step answer; without the defect the machine answers otherwise. */
  readonly outcome: Outcome;
  readonly references: readonly (readonly [page: number, count: number])[];
}

const FLAT = machineOf({ guestPages: 16 });
const flat = (...steps: readonly Step[]): Program => ({ machine: FLAT, steps });

/** No recorded program comes by these; each stands here with a program of its own, reasoned out on the C. */
const UNRECORDED: Readonly<Record<string, Unrecorded>> = {
  'dirty-takes-for-writing': {
    why: 'no recorded guest reads a dirty, read-only page that its Launcher shares read-only',
    program: flat(
      init(0xc0000000),
      store(0x1000, 0x2067),
      store(0x2000, 0x5061),
      protect(5, 'read'),
      newPgtable(0x1000),
      access(0),
    ),
    outcome: killedFor('failed to get page 5'),
    references: [],
  },
  'flush-skips-straddling-table': {
    why: 'no recorded guest maps an address between the start of a top entry and a kernelAddress inside it, and flushes',
    program: flat(
      init(0xc0001000),
      store(0x1c00, 0x2067),
      store(0x2000, 0x5067),
      newPgtable(0x1000),
      access(0xc0000000),
      flushTlb('user'),
    ),
    outcome: { kind: 'ok' },
    references: [],
  },
  'pin-ignores-upper-entry': {
    why: 'no recorded stack has a writable leaf under a read-only upper entry that is in the shadow already',
    program: flat(
      init(0xc0000000),
      store(0x1000, 0x2065),
      store(0x2000, 0x5067),
      store(0x2004, 0x6067),
      newPgtable(0x1000),
      access(0),
      protect(5, 'none'),
      setStack(0x1000, 1),
    ),
    outcome: { kind: 'ok' },
    references: [],
  },
  'set-pte-in-linear-mode': {
    why: 'no recorded guest announces an entry in linear mode for an address that the shadow has a table for',
    program: flat(init(0), access(0x3000), setPte(0, 0x3000, 0x5067)),
    outcome: { kind: 'ok' },
    references: [
      [3, 0],
      [5, 1],
    ],
  },
};

describe('each deviation is needed', () => {
  const recorded = lguestDefects().filter(({ id }) => UNRECORDED[id] === undefined);

  test.each(recorded.map((defect) => [defect.id, defect] as const))('%s', (_id, left) => {
    expect(differing(machineWith(lguestDefects().filter((defect) => defect !== left)))).not.toEqual([]);
  });

  test.each(Object.entries(UNRECORDED))('%s, which no recorded trace shows', (id, { program, outcome, references }) => {
    const others = lguestDefects().filter((defect) => defect.id !== id);
    expect(others).toHaveLength(lguestDefects().length - 1);
    expect(differing(machineWith(others))).toEqual([]);
    const full = traceOf(machineWith(lguestDefects()), program);
    const last = full.steps.at(-1)!;
    expect(last.outcome).toEqual(outcome);
    if (!bareOutcome(outcome.kind)) expect(last.references.map(({ page, count }) => [page, count])).toEqual(references);
    expect(comparedTrace(traceOf(machineWith(others), program))).not.toBe(comparedTrace(full));
  });
});
