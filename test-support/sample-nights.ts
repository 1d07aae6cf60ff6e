/** Nights of a history, for tests of the trend. */

import type { Night, NightFinding } from '../scripts/report/trend/night.js';
import { NIGHT_FORMAT } from '../scripts/report/trend/night.js';

/** A clean night of November 2026. */
export const sampleNight = (day: number, changes: Partial<Night> = {}): Night => {
  const date = `2026-11-${String(day).padStart(2, '0')}`;
  return {
    format: NIGHT_FORMAT,
    directory: `${date}-night`,
    version: '0.1.0',
    seed: `night-${day}`,
    subject: 'impl',
    reference: 'model',
    paging: 'both',
    traffic: 'mixed',
    started: `${date}T01:00:00.000Z`,
    milliseconds: 3_600_000,
    programs: 160_000 + day,
    judged: 10_000,
    steps: 4_000_000,
    situations: { reached: 400 + day, once: 2, twice: 3, left: 12 },
    findings: [],
    fixed: [],
    broken: 0,
    canary: { defect: 'victim-ignores-draw', caught: true, programs: 4 },
    mutations: [],
    verdict: 'clean',
    ...changes,
  };
};

export const sampleNightFinding = (signature: string, changes: Partial<NightFinding> = {}): NightFinding => ({
  signature,
  status: 'new',
  count: 10,
  ...changes,
});

/**
 * Two weeks with all that a trend can show: a gap, nights that were cut short, a canary that was missed, findings of every state, another
 * version, and a score by mutation.
 */
export const sampleHistory = (): readonly Night[] => {
  const fixed = sampleNightFinding('switcher | new-pgtable | text references too few', { anchor: 'finding-1' });
  const open = sampleNightFinding('coherence | access | kind mapped instead of fault', { anchor: 'finding-1' });
  const flaky = sampleNightFinding('flush | end | one', { status: 'flaky', count: 1 });
  const fresh = sampleNightFinding('table-accounting | set-pte | too few', { count: 1, anchor: 'finding-2' });
  const score = { machine: 'impl', date: '2026-11-20', mutations: 1051, found: 936, equivalent: 60, guards: 54 };
  const findings = (...found: readonly NightFinding[]): Partial<Night> => ({ findings: found, verdict: 'divergence' });
  const next = { version: '0.2.0', mutations: [{ ...score, version: '0.2.0', missed: 1 }] };
  return [
    sampleNight(14),
    sampleNight(15, findings(fixed)),
    sampleNight(16, findings(fixed, open)),
    sampleNight(17, { ...findings(open), fixed: [fixed.signature] }),
    sampleNight(20, findings(open)),
    sampleNight(21, { ...findings(open), verdict: 'interrupted', programs: 900, milliseconds: 20_000 }),
    sampleNight(24, {
      ...next,
      ...findings(open, flaky),
      canary: { defect: 'stale-tlb', caught: false, programs: 2000 },
    }),
    sampleNight(25, { ...next, verdict: 'unfinished', programs: 0, judged: 0, steps: 0, milliseconds: 0 }),
    sampleNight(26, { ...next, ...findings(open, fresh) }),
    sampleNight(27, { ...next, verdict: 'inconclusive', doubt: 'never exercised: flush', findings: [open] }),
  ];
};
