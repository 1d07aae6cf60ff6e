/** Without which steps an invariant is never exercised: a run names these, and no others, as the reason that it was not asked. */

import { expect, test } from 'vitest';
import type { Op } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { runBatch } from '../campaign/batch.js';
import { scopeOf } from '../subjects/scope.js';
import { IMPL, MODEL } from '../subjects/subject-names.js';
import { askingOf } from './asking.js';
import { INVARIANTS } from './invariants.js';

const CAMPAIGN = {
  campaign: 'needs',
  date: '2026-01-01T00:00:00.000Z',
  version: '0.1.0',
  model: MODEL,
  subject: IMPL,
  invariants: INVARIANTS,
  paging: 'both',
  traffic: 'mixed',
  mostSteps: 160,
} as const;

const NEEDED: readonly Op[] = ['store', 'new-pgtable', 'flush-tlb', 'set-stack', 'set-pte', 'set-pgd'];
const without = (...missing: readonly Op[]): readonly Op[] => OPS.filter((op) => !missing.includes(op));

test.each([
  { steps: without('set-pmd', 'guest-pa', 'migrate', 'fail-alloc', 'protect') },
  ...NEEDED.map((op) => ({ steps: without(op) })),
  { steps: without('init', 'new-pgtable') },
  { steps: without('new-pgtable', 'flush-tlb') },
  { steps: ['access'] },
  { steps: ['access', 'init', 'new-pgtable'] },
] satisfies readonly { steps: readonly Op[] }[])('programs of $steps', async ({ steps }) => {
  const range = { first: 0, stride: 1, count: 400 };
  const { counts } = await runBatch({ ...CAMPAIGN, steps }, { range, skip: [], enough: {} }, () => undefined);
  const idle = INVARIANTS.filter((_, index) => counts.exercised[index] === 0);
  const scope = { ...(await scopeOf(IMPL, MODEL, 'lguest')), steps };
  const notAsked = INVARIANTS.filter((invariant) => askingOf(invariant, scope, 'mixed').asked === 'not');
  expect(idle.map(({ id }) => id)).toEqual(notAsked.map(({ id }) => id));
});
