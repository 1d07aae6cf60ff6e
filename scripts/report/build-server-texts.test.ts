/** What build servers, code-scanning pages and badges read. */

import { expect, test } from 'vitest';
import type { ReportDocument } from './document/report-document.js';
import { annotationLines } from './annotations-text.js';
import { badge } from './badge-text.js';
import { sarifLog } from './sarif-text.js';

type Finding = ReportDocument['findings'][number];

const finding = (status: Finding['status'], changes: Partial<Finding> = {}): Finding => ({
  id: 'finding-1',
  signature: 'flush | flush-tlb | references: too many',
  invariant: 'flush',
  status,
  steps: 4,
  impact: 'host',
  count: 12,
  file: 'corpus/a b%.json',
  replay: "shadowdiff replay 'corpus/a b%.json'",
  ...changes,
});

const report = (changes: Partial<ReportDocument> = {}): ReportDocument => ({
  format: 'shadowdiff-report/5',
  version: '1.2.3',
  verdict: { kind: 'divergence', reason: '1 kind of finding' },
  programs: 1_234_567,
  judged: 1_234_567,
  steps: 50_000_000,
  milliseconds: 1000,
  runs: [],
  invariants: [],
  matrix: [],
  edges: [],
  residualRisks: [],
  findings: [],
  known: [],
  canaries: [],
  retries: 0,
  troubles: [],
  doubts: [],
  timelines: [],
  mutations: [],
  ...changes,
});

test('SARIF has a result for each finding, by the rule of its invariant, at its file', () => {
  const known = {
    signature: finding('new').signature,
    reason: 'old',
    owner: 'me',
    expires: '2030-01-01',
    expired: false,
    count: 1,
  };
  const crash = finding('new', {
    invariant: 'subject-crash',
    signature: 'subject-crash | access | x',
    file: '/tmp/\ud800.json',
  });
  const findings = [finding('new'), finding('tolerated'), crash];
  const [run] = sarifLog(report({ findings, known: [known], doubts: ['no canary'] })).runs;
  expect(run.tool.driver.rules?.map(({ id }) => id)).toEqual(['flush', 'subject-crash']);
  expect(run.results).toMatchObject([
    {
      ruleId: 'flush',
      ruleIndex: 0,
      level: 'error',
      locations: [{ physicalLocation: { artifactLocation: { uri: 'corpus/a%20b%25.json' } } }],
      occurrenceCount: 12,
    },
    { level: 'note', suppressions: [{ kind: 'external', justification: 'old' }] },
    {
      ruleId: 'subject-crash',
      ruleIndex: 1,
      locations: [{ physicalLocation: { artifactLocation: { uri: 'file:///tmp/%EF%BF%BD.json' } } }],
    },
  ]);
  expect(run.results?.[0]).not.toHaveProperty('suppressions');
  expect(run.invocations).toMatchObject([
    { executionSuccessful: true, toolExecutionNotifications: [{ message: { text: 'no canary' } }] },
  ]);
});

test('SARIF: a finding that is named after no invariant has a rule of its own', () => {
  const findings = ['subject-timeout', 'screen-disagrees'].map((invariant) => finding('new', { invariant }));
  const [run] = sarifLog(report({ findings })).runs;
  expect(run.tool.driver.rules?.map(({ shortDescription }) => shortDescription?.text)).toEqual([
    expect.stringMatching(/^A subject answers/),
    expect.stringMatching(/^A difference that screening sees/),
  ]);
});

test.each(['inconclusive', 'interrupted', 'unsaved'] as const)('SARIF: a run that was %s did not succeed', (kind) => {
  const [run] = sarifLog(report({ verdict: { kind, reason: 'r' } })).runs;
  expect(run.invocations?.[0].executionSuccessful).toBe(false);
});

test('a line for a workflow cannot be ended, or be taken for another command, by what it shows', () => {
  const evil = finding('new', { signature: 'a,b:c%\r\n::error::x', file: 'a,b:c.json', replay: 'r\n::set-env::' });
  const [verdict, line, ...others] = annotationLines(report({ findings: [evil] }));
  expect(verdict).toBe('::error title=shadowdiff::Divergence: 1 kind of finding.');
  expect(line).toMatch(/^::error file=a%2Cb%3Ac\.json,title=a%2Cb%3Ac%25\S*::/);
  expect(line.slice(8)).not.toMatch(/[\r\n]/);
  expect(others).toEqual([]);
});

test('no more than GitHub shows, errors first', () => {
  const findings = [...Array(30).keys()].map((n) => finding(n % 2 === 0 ? 'flaky' : 'new'));
  const lines = annotationLines(report({ findings }));
  const levels = lines.map((line) => line.split(' ')[0]);
  expect(levels).toEqual([...Array<string>(10).fill('::error'), ...Array<string>(9).fill('::warning')]);
});

test.each([
  [report({ verdict: { kind: 'clean', reason: '' } }), 'clean, 1.2M programs', 'brightgreen'],
  [report({ findings: [finding('new')] }), '1 finding in 1.2M programs', 'red'],
  [report({ verdict: { kind: 'inconclusive', reason: '' }, programs: 3 }), 'inconclusive, 3 programs', 'yellow'],
])('a badge', (document, message, color) => {
  expect(badge(document)).toEqual({ schemaVersion: 1, label: 'shadowdiff', message, color });
});
