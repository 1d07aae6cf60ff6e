import { expect, test, vi } from 'vitest';
import { capturing } from '../../test-support/captured-call.js';
import { Tally, kindIndex } from '../../properties/tally.js';
import type { Progress } from './progress-display.js';
import { ProgressDisplay, progressLine } from './progress-display.js';
import { Session } from './session.js';

const tally = new Tally([]);
const ends = tally.endsOf('access');
ends[kindIndex('mapped')] = 3;
ends[kindIndex('fault')] = 1;

const PROGRESS: Progress = {
  programs: 12_345,
  steps: 1_000_000,
  findings: 2,
  elapsed: 10_000,
  left: { kind: 'time', milliseconds: 50_000 },
  shrinking: undefined,
  tally,
};

test.each([
  [Infinity, '12.3k programs, 2 found, 50 s left, 100.0k steps/s, mapped 75%, fault 25%, mmio 0%, killed 0%'],
  [79, '12.3k programs, 2 found, 50 s left, 100.0k steps/s, mapped 75%, fault 25%'],
  [39, '12.3k programs, 2 found, 50 s left'],
  [20, '12.3k programs'],
  [5, ''],
])('what fits into %d columns', (columns, line) => {
  expect(progressLine(PROGRESS, columns)).toBe(line);
});

test('it never grows beyond the terminal', () => {
  for (let columns = 0; columns < 120; columns++) {
    expect(progressLine({ ...PROGRESS, shrinking: { steps: 37, left: 9_000 } }, columns).length).toBeLessThanOrEqual(
      columns,
    );
  }
});

test('when something new was reached, and when it will be', () => {
  const situations = { since: 125_000, next: 2_400_000 };
  const line = progressLine({ ...PROGRESS, situations, edges: { next: 61_000 }, tally: undefined }, Infinity);
  expect(line).toMatch(
    / steps\/s, last new situation 2 m 05 s ago, next in about 40 m 00 s, next edge in about 1 m 01 s$/,
  );
});

test('before the first program nothing is divided by zero', () => {
  const left = { kind: 'programs', count: 500 } as const;
  const line = progressLine({ ...PROGRESS, programs: 0, steps: 0, elapsed: 0, left, tally: undefined }, Infinity);
  expect(line).toBe('0 programs, 2 found, 500 to go, 0 steps/s');
});

test('one program is not "1 programs"', () => {
  expect(progressLine({ ...PROGRESS, programs: 1 }, 20)).toBe('1 program, 2 found');
});

test.each([
  ['a terminal', { isTTY: true, rows: 24, columns: 80 }, 200],
  ['a terminal that does not know its size', { isTTY: true, rows: 0, columns: 0 }, 30_000],
  ['no terminal', { isTTY: false }, 30_000],
])('%s shows progress', (_, size, milliseconds) => {
  vi.useFakeTimers();
  try {
    const { surroundings, stderr } = capturing();
    Object.assign(surroundings.stderr, size);
    const display = new ProgressDisplay(new Session(surroundings), (columns) => `at most ${columns}`);
    vi.advanceTimersByTime(milliseconds - 1);
    expect(stderr.text).toBe('');
    vi.advanceTimersByTime(1);
    expect(stderr.text).toContain(milliseconds === 200 ? 'at most 79' : 'at most Infinity\n');
    display.end();
    const silent = new ProgressDisplay(new Session(surroundings), () => 'silent', 'never');
    vi.advanceTimersByTime(60_000);
    expect(stderr.text.includes('silent')).toBe(milliseconds === 200);
    silent.end();
  } finally {
    vi.useRealTimers();
  }
});
