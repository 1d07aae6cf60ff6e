/** Campaigns of a subject that counts edges of its own code: what they report, however they are divided. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { versionOne } from '../../properties/subjects/capabilities.js';
import { IMPL, subjectNamed } from '../../properties/subjects/subject-names.js';
import type { ExternalSubject } from '../../properties/subjects/subject.js';
import { traceOf } from '../../properties/trace-of.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { runInProcess } from '../../test-support/in-process-run.js';
import type { Summary } from '../report/document/summary-document.js';

/** An edge for each kind of step, and one that no program reaches. */
const EDGES = OPS.length + 1;
const edgesOf = ({ steps }: Program): readonly number[] => [...new Set(steps.map(({ op }) => OPS.indexOf(op)))];

const COUNTING: ExternalSubject = {
  kind: 'external',
  name: 'exec:counting',
  start: () => Promise.resolve({ ...versionOne('counting'), version: 2, inFlight: 4, edges: EDGES }),
  answer: (program) =>
    Promise.resolve({ kind: 'trace', trace: { ...traceOf(IMPL.create(), program), edges: edgesOf(program) } }),
  close: () => Promise.resolve(),
};

const CAMPAIGN = ['--subject', COUNTING.name, '--seed', 'edges', '--jobs', '1'];

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'counted-edges-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const call = async (...words: readonly string[]): Promise<CapturedCall> =>
  await runInProcess(words, {
    subjectNamed: (name, where, settings) => (name === COUNTING.name ? COUNTING : subjectNamed(name, where, settings)),
  });

const nightly = async (out: string, ...words: readonly string[]): Promise<CapturedCall> =>
  await call('nightly', ...CAMPAIGN, '--programs', '50', '--corpus', at('corpus'), '--out', at(out), ...words);

const read = (out: string): Summary => JSON.parse(readFileSync(at(out, 'summary.json'), 'utf8')) as Summary;
const counted = ({ edges, invariants }: Summary) => [edges, invariants.map((each) => [each.id, each.edges])];

test('a run reports the edges reached, when the last one came, and how many of them go with each invariant', async () => {
  const { out } = await nightly('run');
  const { edges, invariants } = read('run');
  expect(edges).toMatchObject({ total: EDGES, reached: OPS.length });
  expect(edges!.last).toBeGreaterThan(0);
  expect(out).toContain(`${OPS.length} of ${EDGES} in the code of ${COUNTING.name}, the last new one by program`);
  expect(out).toMatch(/^invariant +checks exercised found edges$/m);
  const of = (id: string) => invariants.find((each) => each.id === id)!.edges;
  expect(of('confinement')).toBe(0);
  expect(of('translation')).toBe(OPS.length);
  const markdown = await call('report', at('run'), '--reporter', 'markdown');
  expect(markdown.out).toContain(`edges: ${OPS.length} of ${EDGES} in the code`);
  const json = await call('report', at('run'), '--reporter', 'json');
  expect(JSON.parse(json.out)).toMatchObject({ edges: [{ subject: COUNTING.name, ...edges }] });
  expect(readFileSync(at('run', 'report.html'), 'utf8')).toContain('edges of the subject');
});

test('fuzz reports them too', async () => {
  const { out } = await call('fuzz', ...CAMPAIGN, '--programs', '60', '--corpus', at('corpus'));
  expect(out).toMatch(/^edges +\d+ of 14 in the code of exec:counting, the last new one by program \d+$/m);
});

test('merged shards, and a run that was cut off and resumed, report the same', async () => {
  await nightly('whole');
  for (const shard of [0, 1]) await nightly(`shard-${shard}`, '--shard', `${shard}/2`);
  await call('merge', at('shard-1'), at('shard-0'), '--out', at('merged'));
  expect(counted(read('merged'))).toEqual(counted(read('whole')));
  const events = readFileSync(at('whole', 'events.jsonl'), 'utf8').split('\n');
  const batches = events.flatMap((line, index) => (line.includes('"kind":"batch"') ? [index] : []));
  writeFileSync(at('whole', 'events.jsonl'), `${events.slice(0, batches[1]).join('\n')}\n`);
  const before = counted(read('whole'));
  await call('nightly', '--resume', at('whole'), '--subject', COUNTING.name, '--corpus', at('corpus'), '--jobs', '1');
  expect(counted(read('whole'))).toEqual(before);
});
