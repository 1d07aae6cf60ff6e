import { expect, test } from 'vitest';
import { sampleNightFinding, sampleHistory, sampleNight } from '../../../test-support/sample-nights.js';
import type { Night } from './night.js';
import type { FindingTrend } from './trend.js';
import { trendOf } from './trend.js';

const found = (nights: readonly Night[]) =>
  nights.map((night) => ({ night, report: `${night.directory}/report.html` }));
const findingsOf = (...nights: readonly Night[]): readonly FindingTrend[] =>
  trendOf(found(nights), TODAY).tested[0].findings;
const TODAY = new Date('2026-11-30T12:00:00Z');
const ONE = sampleNightFinding('flush | end | one');

test('each finding has its state, its first and its last night', () => {
  const { tested, week, lastDay } = trendOf(found(sampleHistory().toReversed()), TODAY);
  const [{ findings, gaps }] = tested;
  expect(findings.map(({ state, first, last }) => [state, first.seed, last.seed])).toEqual([
    ['new', 'night-26', 'night-26'],
    ['open', 'night-16', 'night-27'],
    ['flaky', 'night-24', 'night-24'],
    ['fixed', 'night-15', 'night-16'],
  ]);
  expect(findings[0].link).toBe('2026-11-26-night/report.html#finding-2');
  expect(gaps).toEqual([
    { from: '2026-11-18', to: '2026-11-19', days: 2 },
    { from: '2026-11-22', to: '2026-11-23', days: 2 },
  ]);
  expect(lastDay).toBe('2026-11-27');
  expect(week.nights.map(({ seed }) => seed)).toEqual([21, 24, 25, 26, 27].map((day) => `night-${day}`));
  expect(week.newFindings).toHaveLength(2);
  expect(week.gaps).toHaveLength(1);
});

test('a finding is gone once so many programs ran without it that chance hardly explains it, and no sooner', () => {
  const shown = (count: number): Night => sampleNight(1, { findings: [{ ...ONE, count }], programs: 1000 });
  const after = (day: number, programs: number): Night => sampleNight(day, { programs });
  // 1 in 19 programs, and 1 in 21.
  expect(findingsOf(shown(1), after(2, 9000), after(3, 9000))[0]).toMatchObject({ state: 'new', settled: undefined });
  const [gone] = findingsOf(shown(1), after(2, 9000), after(3, 11_000), after(4, 9));
  expect(gone).toMatchObject({ state: 'fixed', settled: { seed: 'night-3' } });
  expect(findingsOf(shown(5), after(2, 800))[0].state).toBe('new');
  expect(findingsOf(shown(5), after(2, 830))[0].state).toBe('fixed');
});

test('what only the corpus shows is open, and fixed when it no longer does', () => {
  const recorded = sampleNight(1, { findings: [{ ...ONE, status: 'recorded', count: 0 }] });
  expect(findingsOf(recorded, sampleNight(2))[0]).toMatchObject({ state: 'open', wasKnown: true });
  expect(findingsOf(recorded, sampleNight(2, { fixed: [ONE.signature] }))[0].state).toBe('fixed');
  const namesake = sampleNight(1, { findings: [{ ...ONE, namesake: 'flush', count: 0 }] });
  expect(findingsOf(namesake, sampleNight(2, { fixed: [ONE.signature] }))[0].state).toBe('new');
});

test('other machines and other programs are apart', () => {
  const others = [sampleNight(3, { subject: 'metal:v86' }), sampleNight(4, { traffic: 'hostile', paging: 'pae' })];
  const { tested, week } = trendOf(found([sampleNight(2), ...others]), TODAY);
  expect(tested.map(({ name }) => name)).toEqual([
    'impl against model',
    'metal:v86 against model',
    'impl against model, PAE, hostile guests',
  ]);
  expect(week.gaps).toEqual([]);
});

test('a night that is dated after today moves no week', () => {
  const nights = [...sampleHistory(), sampleNight(29, { findings: [ONE] })];
  const { lastDay, inFuture, week, tested } = trendOf(found(nights), new Date('2026-11-28T00:00:00Z'));
  expect([lastDay, inFuture.map(({ seed }) => seed)]).toEqual(['2026-11-27', ['night-29']]);
  const before = trendOf(found(sampleHistory()), TODAY);
  expect([week.nights, week.gaps, tested[0].gaps]).toEqual([
    before.week.nights,
    before.week.gaps,
    before.tested[0].gaps,
  ]);
  const alone = trendOf(found([sampleNight(29)]), new Date('2026-11-28T00:00:00Z'));
  expect([alone.lastDay, alone.week.nights]).toEqual(['2026-11-28', []]);
});
