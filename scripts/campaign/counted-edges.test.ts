/** What a campaign of a subject that counts edges of its own code reports. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OPS } from '../../model/vocabulary/index.js';
import { programsOf } from '../../properties/campaign/programs.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../properties/generators/index.js';
import { COUNTING, EDGES, countingCall, edgesOf } from '../../test-support/counting-subject.js';
import type { Summary } from '../report/document/summary-document.js';

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'counted-edges-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const CAMPAIGN = ['--subject', COUNTING.name, '--programs', '60', '--seed', 'edges', '--jobs', '1'];

test('a run reports the edges reached, when the last one came, and how many of them go with each invariant', async () => {
  const { out } = await countingCall('fuzz', ...CAMPAIGN, '--out', at('run'));
  const { edges, invariants } = JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8')) as Summary;
  expect(edges!.total).toBe(EDGES);
  expect(edges!.reached).toBeGreaterThan(OPS.length);
  expect(edges!.last).toBeGreaterThan(0);
  expect(out).toContain(`${edges!.reached} of ${EDGES} in the code of ${COUNTING.name}, the last new one by program`);
  expect(out).toMatch(/^invariant +checks exercised found edges$/m);
  const of = (id: string) => invariants.find((each) => each.id === id)!.edges;
  expect(of('confinement')).toBe(0);
  expect(of('translation')).toBe(edges!.reached);
  const markdown = await countingCall('report', at('run'), '--reporter', 'markdown');
  expect(markdown.out).toContain(`edges: ${edges!.reached} of ${EDGES} in the code`);
  const json = await countingCall('report', at('run'), '--reporter', 'json');
  expect(JSON.parse(json.out)).toMatchObject({ edges: [{ subject: COUNTING.name, ...edges }] });
  const page = readFileSync(at('run', 'report.html'), 'utf8');
  expect(page).toContain('edges of the subject');
  expect(page.replaceAll(/\s+/g, ' ')).toContain(
    `${edges!.reached} of ${EDGES} edges in the code of ${COUNTING.name} were reached. A program reaches a new edge`,
  );
});

test('screened programs count, and so it is known how many edges only one or two programs reached', async () => {
  await countingCall('fuzz', ...CAMPAIGN, '--judge', '0.25', '--out', at('run'));
  const { edges } = JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8')) as Summary;
  const programs = programsOf({ campaign: 'edges', ...DEFAULT_PROGRAM_OPTIONS });
  const counts = new Map<number, number>();
  for (let program = 0; program < 60; program++)
    for (const edge of edgesOf(programs(program).value.program)) counts.set(edge, (counts.get(edge) ?? 0) + 1);
  const by = (times: number): number => [...counts.values()].filter((count) => count === times).length;
  expect(edges).toMatchObject({ reached: counts.size, once: by(1), twice: by(2) });
});
