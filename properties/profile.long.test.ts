import { expect, test } from 'vitest';
import { PAGINGS } from '../model/vocabulary/index.js';
import { runUntilDivergence } from './campaign/programs.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import { IMPL, MODEL, WALK } from './subjects/subject-names.js';

const PROGRAMS = 10_000;

test.each(PAGINGS.flatMap((paging) => [IMPL, MODEL].map((subject) => [paging, subject.name, subject] as const)))(
  'thousands of programs of the profile architecture, %s: %s agrees with walk',
  async (paging, _name, subject) => {
    const pair = new Pair({ subject, model: WALK, invariants: INVARIANTS, profile: 'architecture' });
    const limits = { traffic: 'coherent', profile: 'architecture', guestPages: 128, mostSteps: 160 } as const;
    const campaign = { ...limits, paging, campaign: 'thousands' };
    const found = await runUntilDivergence(campaign, pair, (ran) => ran < PROGRAMS);
    expect(found).toEqual({ programs: PROGRAMS, divergence: undefined });
  },
);
