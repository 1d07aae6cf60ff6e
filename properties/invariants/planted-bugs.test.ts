/** The harness is tested by bugs: each invariant by itself must catch one, and must let the sound machine pass. */

import { describe, expect, test } from 'vitest';
import { defectNamed } from '../../impl/defects/catalogue.js';
import type { Case } from '../generators/index.js';
import { programArbitrary } from '../generators/index.js';
import type { Divergence } from '../divergence.js';
import { Pair } from '../pair.js';
import { programSeed, randomFor } from '../seeds.js';
import { IMPL, MODEL, implWith } from '../subjects/subject-names.js';
import type { InProcessSubject } from '../subjects/subject.js';
import type { Invariant } from './invariant.js';
import { INVARIANTS } from './invariants.js';

const CAMPAIGN = 'planted-bugs';
/** The defect must be caught within this many steps. */
const MOST_STEPS = 60_000;

/** For each invariant a defect that it catches: one that it alone catches, or names first, where there is one. */
const CAUGHT_BY: Readonly<Record<string, string>> = {
  'host-intact': 'set-pte-keeps-bad-leaf',
  progress: 'demand-checks-leaf-rights-alone',
  confinement: 'leaf-one-past-ram',
  'least-privilege': 'set-pte-writable-before-dirty',
  switcher: 'state-page-writable',
  'stack-pinned': 'blank-slot-without-stack',
  'kernel-broadcast': 'broadcast-reaches-current-slot-only',
  'pgdir-cache': 'victim-ignores-draw',
  flush: 'flush-skips-straddling-table',
  'table-accounting': 'freed-table-stays-linked',
  teardown: 'last-entry-not-released',
  'death-is-final': 'dead-guest-still-stores',
  'accessed-dirty': 'write-back-of-more-than-dirty',
  coherence: 'fault-code-from-shadow',
  'reference-count': 'set-pte-keeps-guessed-page',
  'kill-decision': 'device-border-off-by-one',
  translation: 'fault-code-from-shadow',
  determinism: 'draw-from-hidden-state',
};

const programs = programArbitrary();

const caseOf = (index: number): Case => programs.generate(randomFor(programSeed(CAMPAIGN, index)), undefined).value;

const subjectWith = (id: string): InProcessSubject => {
  const defect = defectNamed(id);
  if (defect === undefined) throw new Error(`there is no defect ${id}`);
  return implWith(`impl:${id}`, [defect]);
};

interface Hunt {
  readonly divergence: Divergence | undefined;
  /** Programs that were run, the one that diverged included. */
  readonly programs: number;
}

/** Runs default traffic until an invariant complains, or one of that name, or enough was seen. */
const hunt = async (
  subject: InProcessSubject,
  invariants: readonly Invariant[],
  goesOn: (programs: number, steps: number) => boolean,
  { wanted, model = MODEL }: { readonly wanted?: string; readonly model?: InProcessSubject } = {},
): Promise<Hunt> => {
  const pair = new Pair({ model, subject, invariants });
  let index = 0;
  while (goesOn(index, pair.tally.steps)) {
    const { traffic, program } = caseOf(index++);
    const divergence = await pair.run(program, { contractKept: traffic === 'coherent', twice: true });
    if (divergence !== undefined && (wanted ?? divergence.invariant) === divergence.invariant) {
      return { divergence, programs: index };
    }
  }
  return { divergence: undefined, programs: index };
};

const untilEnough = (_: number, steps: number): boolean => steps < MOST_STEPS;

test('every invariant has its bug', () => {
  expect(Object.keys(CAUGHT_BY).sort()).toEqual(INVARIANTS.map(({ id }) => id).sort());
});

describe.each(INVARIANTS.map((invariant) => [invariant.id, invariant] as const))('%s alone', (id, invariant) => {
  test(`catches ${CAUGHT_BY[id]}, and lets the sound machine pass the same programs`, async () => {
    const caught = await hunt(subjectWith(CAUGHT_BY[id]), [invariant], untilEnough);
    expect(caught.divergence).toMatchObject({ invariant: id, alsoBroken: [] });
    const sound = await hunt(IMPL, [invariant], (count) => count < caught.programs);
    expect(sound).toEqual({ divergence: undefined, programs: caught.programs });
  });
});

/** A machine that answers differently the second time differs from the model too, and that is seen before it runs again. */
const named = INVARIANTS.map(({ id }) => id).filter((id) => id !== 'determinism');

test.each(named)('with all invariants, %s still names a finding of its bug', async (id) => {
  const { divergence } = await hunt(subjectWith(CAUGHT_BY[id]), INVARIANTS, untilEnough, { wanted: id });
  expect(divergence?.invariant).toBe(id);
});

/** A machine that ignores set-pte and does not expose its shadow tables. */
const withoutSetPte = (side: InProcessSubject): InProcessSubject => ({
  ...side,
  create: () => {
    const machine = side.create();
    return {
      walksAlways: machine.walksAlways === true,
      create: (config) => machine.create(config),
      apply: (step) => machine.apply(step.op === 'set-pte' ? { op: 'fail-alloc', count: 0 } : step),
      destroy: () => machine.destroy(),
    };
  },
});

test('a mapping that both sides serve stale differs from the model’s fresh walk', async () => {
  const sides = { model: withoutSetPte(MODEL) };
  const { divergence } = await hunt(withoutSetPte(IMPL), INVARIANTS, untilEnough, sides);
  expect(divergence).toMatchObject({ invariant: 'coherence', alsoBroken: [] });
});

test('a model that does not walk on every access leaves coherence unchecked', async () => {
  const shared = subjectWith(CAUGHT_BY['coherence']);
  const { divergence } = await hunt(shared, INVARIANTS, untilEnough, { model: shared });
  expect(divergence).toBeUndefined();
});
