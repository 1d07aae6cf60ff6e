/** A run with many findings of the longest programs, published in a process with little memory. */

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { MOST_STEPS } from '../../properties/campaign/campaign-bounds.js';

const FINDINGS = 40;
/** Bytes. */
const MEBI = 2 ** 20;
const LARGEST_PAGE = 32 * MEBI;
/** The programs themselves take about half of it. */
const HEAP_MEBIBYTES = 1024;

const entry = join(inject('clone'), 'dist', 'scripts', 'shadowdiff.js');
let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'shadowdiff-long-programs-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const shadowdiff = (...words: readonly string[]): { readonly code: number | null; readonly err: string } => {
  const { status, stderr } = spawnSync(process.execPath, [`--max-old-space-size=${HEAP_MEBIBYTES}`, entry, ...words], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { code: status, err: stderr };
};

interface FindingEvent {
  readonly finding: {
    readonly counterexample: {
      readonly invariant: string;
      readonly stage: string;
      readonly place: { readonly kind: string; readonly index: number };
      readonly program: { readonly steps: readonly object[] };
    };
  };
}

/** The finding under a signature of its own, amid harmless steps that make its program as long as can be. */
const lengthened = ({ finding }: FindingEvent, number: number): string => {
  const { invariant, stage, place, program } = finding.counterexample;
  const idle = (count: number): readonly object[] =>
    Array.from({ length: count }, () => ({ op: 'guest-pa', vaddr: `0x${(number * 4096).toString(16)}` }));
  const before = Math.floor(MOST_STEPS / 2);
  const after = MOST_STEPS - before - program.steps.length;
  const counterexample = {
    ...finding.counterexample,
    difference: `difference ${number}`,
    signature: `${invariant} | ${stage} | difference ${number}`,
    place: { ...place, index: place.index + before },
    program: {
      ...program,
      steps: [...idle(before), ...program.steps, ...idle(after)],
    },
  };
  return `${JSON.stringify({ kind: 'finding', finding: { ...finding, counterexample } })}\n`;
};

test('40 findings of 100,000 steps make a page of at most 32 MiB that says what it leaves out', () => {
  const few = ['--programs', '4', '--seed', 'long', '--jobs', '1', '--max-tries', '1', '--min-programs', '1'];
  const run = shadowdiff('nightly', '--subject', 'impl:reference-held-twice', ...few, '--out', 'run');
  expect(run).toEqual({ code: 1, err: '' });
  const log = at('run', 'events.jsonl');
  const events = readFileSync(log, 'utf8').split('\n');
  const found = JSON.parse(events.find((line) => line.includes('"kind":"finding"'))!) as FindingEvent;
  for (let number = 0; number < FINDINGS; number++) appendFileSync(log, lengthened(found, number));

  expect(shadowdiff('merge', 'run', '--out', 'all')).toEqual({ code: 1, err: '' });
  const page = readFileSync(at('all', 'report.html'), 'utf8');
  expect(page.length).toBeLessThan(LARGEST_PAGE);
  expect(page.match(/<details class="finding"/g)!.length).toBeGreaterThanOrEqual(FINDINGS);
  expect(page.match(/… [\d,]+ steps left out …/g)!.length).toBeGreaterThanOrEqual(2 * FINDINGS);
  expect(page.match(/shadowdiff explain all\/findings\//g)).toHaveLength(FINDINGS);
  expect(page.match(/diverges here/g)!.length).toBeGreaterThanOrEqual(FINDINGS);
  expect(statSync(at('all', 'junit.xml')).size).toBeLessThan(MEBI);

  expect(shadowdiff('report', 'all', '--reporter', 'json', '--out', 'all.json')).toEqual({ code: 0, err: '' });
  expect(statSync(at('all.json')).size).toBeGreaterThan(FINDINGS * MEBI);
});
