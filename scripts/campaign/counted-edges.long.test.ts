/** Campaigns of a subject that counts edges of its own code: however they are divided, they come to the same. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { COUNTING, countingCall as call } from '../../test-support/counting-subject.js';
import type { Summary } from '../report/document/summary-document.js';

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'counted-edges-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const CAMPAIGN = ['--subject', COUNTING.name, '--seed', 'edges', '--jobs', '1'];

const nightly = async (out: string, ...words: readonly string[]): Promise<CapturedCall> =>
  await call('nightly', ...CAMPAIGN, '--programs', '50', '--corpus', at('corpus'), '--out', at(out), ...words);

const read = (out: string): Summary => JSON.parse(readFileSync(at(out, 'summary.json'), 'utf8')) as Summary;
const counted = ({ edges, invariants }: Summary) => [edges, invariants.map((each) => [each.id, each.edges])];

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
