import { expect, test } from 'vitest';
import type { Prospect, ReportDocument } from './document/report-document.js';
import { healthLines } from './report-news.js';

const estimate = (value: number, low = value, high = value) => ({ value, low, high });

const PROSPECT: Prospect = {
  reached: 1204,
  once: 47,
  twice: 26,
  left: 74,
  newPerProgram: estimate(0.0365, 0.02, 0.05),
  unseen: estimate(42.4, 20.5, 73.2),
  again: estimate(28.4, 16.1, 50.2),
  next: { programs: 426, milliseconds: 518 },
};

const lines = (judged: number, situations: Partial<Prospect>): readonly string[] => {
  const risk = {
    source: '',
    judged,
    neverSeen: 3 / judged,
    situations: { ...PROSPECT, ...situations },
    discovery: [],
    forecast: [],
    invariants: [],
  };
  const report = { invariants: [], edges: [], residualRisks: [risk], canaries: [], retries: 0 };
  return healthLines(report as unknown as ReportDocument).map(({ text }) => text);
};

test.each([
  [{}, 'about 42 (20 to 74) of the others are within reach, the next after about 426 programs'],
  [
    { once: 0, next: null, newPerProgram: estimate(0, 0, 0.002) },
    'each by more than one program; a judged program reaches a new one with a probability below 1 in 500',
  ],
])('what is left to find: %j', (situations, text) => {
  expect(lines(1289, situations)).toEqual([`1,204 of 1,278 situations were reached; ${text}`]);
});

test.each([
  [{}, '; about 42 (20 to 74) of the others are within reach, the next after about 426 programs'],
  [
    { once: 0, next: null, newPerProgram: estimate(0, 0, 0.002) },
    '; each by more than one program; a program reaches a new one with a probability below 1 in 500',
  ],
  [{ left: 0, next: null }, ''],
])('edges of the subject that are left to reach: %j', (prospect, further) => {
  const edges = { subject: 'exec:x', total: 1278, last: 99, ...PROSPECT, ...prospect };
  const report = { invariants: [], edges: [edges], residualRisks: [], canaries: [], retries: 0 };
  const text = `1,204 of 1,278 in the code of exec:x, the last new one by program 99${further}`;
  expect(healthLines(report as unknown as ReportDocument).map((line) => line.text)).toEqual([text]);
});

test('where nothing is left to find, a signature that never showed is bounded', () => {
  const text = 'all 1,204 situations were reached; a signature that never showed is in fewer than 1 in 430 programs';
  expect(lines(1289, { left: 0, next: null })).toEqual([`${text}, with 95 % confidence`]);
  expect(lines(0, {})).toEqual([]);
});
