/** Ledgers add up whatever the order, and however often something is said. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { sampleFinding } from '../../test-support/sample-finding.js';
import { guestPa, machineOf } from '../../test-support/steps.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { Tally, countsOf } from '../tally.js';
import type { Finding, ShrinkExtent } from '../finding.js';
import { KEPT_FINDINGS } from './batch.js';
import type { Event } from './events.js';
import { eventFromJson, formatEvent } from './events.js';
import { Ledger, representative } from './ledger.js';

const programOf = (steps: number): Program => ({
  machine: machineOf(),
  steps: Array.from({ length: steps }, () => guestPa(0)),
});

const finding = (difference: string, program: number, steps: number, shrunk?: ShrinkExtent, times?: number): Finding =>
  sampleFinding({
    program: programOf(steps),
    divergence: { difference },
    provenance: { program, originalSteps: steps },
    ...(shrunk === undefined ? {} : { shrunk }),
    ...(times === undefined ? {} : { shown: { times, runs: 3 } }),
  });

const counts = (steps: number) => {
  const tally = new Tally(INVARIANTS);
  tally.programs = 1;
  tally.steps = steps;
  tally.checks[3] = steps;
  tally.situations[3][0].incidence.set([Math.min(steps, 3), 1]);
  tally.endsOf('access')[2] = steps;
  return countsOf(tally);
};

/** Of a batch everything but its number follows from the campaign. */
const batch = (shard: number, number: number): Event => {
  const difference = 'abc'[number % 3];
  const signature = `translation | end | ${difference}`;
  const reached = [{ program: number * 4 + shard, cells: [number % 3, 100 + shard] }];
  return {
    kind: 'batch',
    shard,
    batch: number,
    programs: 4,
    elapsed: number,
    counts: counts(number),
    signatures: { [signature]: number + 1 },
    reached,
  };
};

const anyEvent = fc.oneof(
  fc.tuple(fc.nat(3), fc.nat(12)).map(([shard, number]) => batch(shard, number)),
  fc
    .record({
      difference: fc.constantFrom('a', 'b', 'c'),
      program: fc.nat(9),
      steps: fc.nat(5),
      shrunk: fc.constantFrom<ShrinkExtent | undefined>(undefined, 'partly', 'wholly'),
      shown: fc.option(fc.nat(3), { nil: undefined }),
    })
    .map(({ difference, program, steps, shrunk, shown }): Event => ({
      kind: 'finding',
      finding: finding(difference, program, steps, shrunk, shown),
    })),
  fc
    .record({ program: fc.nat(9), cells: fc.uniqueArray(fc.nat(5), { minLength: 1 }) })
    .map((reach): Event => ({ kind: 'reach', ...reach })),
  fc.nat(3).map((shard): Event => ({ kind: 'end', at: '', shard })),
  fc.nat(20).map((programs): Event => ({ kind: 'canary', defect: 'x', caught: programs < 19, programs })),
  fc
    .constantFrom('as-recorded' as const, 'stale' as const)
    .map((verdict): Event => ({ kind: 'corpus', file: 'a.json', recordedFor: 'subject', verdict, reason: '' })),
);
const anyEvents = fc.array(anyEvent, { maxLength: 30 });

const ledgerOf = (events: readonly Event[]): Ledger => {
  const ledger = new Ledger();
  for (const event of events) ledger.add(event);
  return ledger;
};

const textOf = (ledger: Ledger): string => ledger.events().map(formatEvent).join('\n');

const merged = (...ledgers: readonly Ledger[]): Ledger => ledgerOf(ledgers.flatMap((ledger) => ledger.events()));

describe('a ledger', () => {
  test('does not depend on the order of its events, nor on how often each is said', () => {
    const shuffled = anyEvents.chain((events) =>
      fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length })),
    );
    fc.assert(fc.property(shuffled, ([events, again]) => textOf(ledgerOf(again)) === textOf(ledgerOf(events))));
  });

  test('merges in any order and any grouping, with itself too', () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, anyEvents, (a, b, c) => {
        const [one, other, third] = [ledgerOf(a), ledgerOf(b), ledgerOf(c)];
        const all = textOf(merged(one, other, third));
        expect(textOf(merged(third, one, other))).toBe(all);
        expect(textOf(merged(merged(one, other), third))).toBe(all);
        expect(textOf(merged(one, merged(other, third)))).toBe(all);
        expect(textOf(merged(one, other, one, third, other))).toBe(all);
      }),
    );
  });

  test('of shards apart says what one of all would', () => {
    const events = [0, 1, 2].flatMap((shard) => [0, 1, 2, 3, 4, 5].map((number) => batch(shard, number)));
    const apart = [0, 1, 2].map((shard) =>
      ledgerOf(events.filter((event) => 'shard' in event && event.shard === shard)),
    );
    expect(textOf(merged(...apart))).toBe(textOf(ledgerOf(events)));
    expect(merged(...apart).firstReached.list()).toEqual(ledgerOf(events).firstReached.list());
    expect(ledgerOf(events).firstReached.list()[0]).toEqual({ program: 0, cells: [0, 100] });
    expect(merged(...apart).tally().steps).toBe(3 * 15);
    expect(merged(...apart).programs).toBe(3 * 6 * 4);
  });

  test('of one shard given twice, not equally far, counts the one that went further', () => {
    const near = ledgerOf([batch(0, 0), batch(0, 1)]);
    const far = ledgerOf([batch(0, 0), batch(0, 1), batch(0, 2)]);
    expect(textOf(merged(near, far))).toBe(textOf(far));
  });

  test('is the same when its events were read from a file', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const read = events.map((event) => eventFromJson(JSON.parse(formatEvent(event)), 'test'));
        expect(read).toEqual(events);
      }),
    );
  });
});

describe('the findings of one signature', () => {
  const kept = (...findings: readonly Finding[]) => {
    const events = findings.map((each): Event => ({ kind: 'finding', finding: each }));
    return ledgerOf(events).findings.list()[0];
  };
  const numberOf = ({ provenance }: Finding): number => provenance.program;

  test('are those of the programs with the smallest numbers, and the first of them represents it', () => {
    const late = finding('a', 100, 1, 'wholly', 3);
    const [one, two, three] = [7, 5, 6].map((program, index) => finding('a', program, 9 - index, 'wholly', 3));
    const findings = kept(late, one, two, three);
    expect(findings.map(numberOf)).toEqual([5, 6, 7]);
    expect(findings).toHaveLength(KEPT_FINDINGS);
    expect(representative(findings)).toBe(two);
  });

  test('are represented by a later one rather than one that does not always show', () => {
    const steady = finding('a', 2, 9, 'wholly', 3);
    expect(representative(kept(finding('a', 1, 2, 'wholly', 2), steady))).toBe(steady);
    const flaky = finding('a', 1, 9, 'wholly', 2);
    expect(representative(kept(finding('a', 2, 2, 'wholly', 1), flaky))).toBe(flaky);
  });

  test('are represented by the smallest number, whenever their shards began', () => {
    const [second, first] = ['2026-01-01', '2026-01-02'].map((date, index): Finding => {
      const each = finding('a', 2 - index, 3, 'wholly', 3);
      return { ...each, provenance: { ...each.provenance, date } };
    });
    expect(representative(kept(first, second))).toBe(first);
    expect(representative(kept(second, first))).toBe(first);
  });

  test('of ten thousand batches need no more room than those of a few', () => {
    const ledger = new Ledger();
    for (let number = 0; number < 10_000; number++) {
      ledger.add({ kind: 'finding', finding: finding('abc'[number % 3], number * 4, (number * 7) % 20) });
      ledger.add(batch(0, number));
    }
    expect(ledger.findings.size).toBe(3);
    expect(textOf(ledger).length).toBeLessThan(20_000);
  });
});

test('adding many retries takes no long time', () => {
  const ledger = new Ledger();
  for (let attempt = 0; attempt < 4000; attempt++)
    ledger.add({ kind: 'retry', shard: 0, task: 'programs', attempt, how: 'died' });
  expect(ledger.retries.size).toBe(4000);
}, 1000);
