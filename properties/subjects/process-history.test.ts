import { expect, test } from 'vitest';
import type { Program, Step } from '../../model/vocabulary/index.js';
import { cpu } from '../../model/vocabulary/index.js';
import { MOST_BEFORE } from '../finding.js';
import { ProcessHistory } from './process-history.js';

const programOf = (steps: number): Program => ({
  machine: { paging: '2-level', guestPages: 8, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: Array.from({ length: steps }, (): Step => ({ op: 'migrate', cpu: cpu(0) })),
});
const [A, B, C, D] = [1, 2, 3, 4].map(programOf);

test('a program has behind it what its process ran before, and no other process', () => {
  const history = new ProcessHistory();
  for (const program of [A, B]) history.add(program);
  history.begin();
  for (const program of [C, D]) history.add(program);
  expect([A, B, C, D].map((program) => history.before(program))).toEqual([[], [A], [], [C]]);
  expect(history.all()).toEqual([C, D]);
  expect(history.before(programOf(5))).toEqual([]);
});

test('a program that is asked again counts at its last time, unless that is taken back', () => {
  const history = new ProcessHistory();
  for (const program of [A, B]) history.add(program);
  const moment = history.momentOf(B);
  history.begin();
  for (const program of [A, B, A, B]) history.add(program);
  expect(history.before(B)).toEqual([A, B, A]);
  history.restore(B, moment);
  expect(history.before(B)).toEqual([A]);
});

test('the programs of earlier processes are forgotten too, however often the command starts again', () => {
  const history = new ProcessHistory();
  for (const program of [A, B]) history.add(program);
  for (let starts = 0; starts < 3 * MOST_BEFORE; starts++) {
    history.begin();
    history.add(programOf(1));
  }
  expect(history.before(B)).toEqual([]);
});

test.each([
  ['programs', 3 * MOST_BEFORE + 7, 1],
  ['steps', 40, 100_000],
])('of too many %s the last ones are remembered', (_, count, steps) => {
  const history = new ProcessHistory();
  const programs = Array.from({ length: count }, () => ({
    ...programOf(0),
    steps: { length: steps } as unknown as Step[],
  }));
  for (const program of programs) history.add(program);
  const before = history.before(programs.at(-1)!);
  expect(before.length).toBeGreaterThan(count === 40 ? 3 : MOST_BEFORE - 1);
  expect(before.length).toBeLessThanOrEqual(count === 40 ? 10 : MOST_BEFORE);
  for (const [index, program] of before.entries()) expect(program).toBe(programs[count - 1 - before.length + index]);
  expect(history.all().at(-1)).toBe(programs.at(-1));
});
