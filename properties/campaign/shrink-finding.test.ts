/** From the programs of a campaign to findings that are small and always show. */

import { beforeAll, describe, expect, test } from 'vitest';
import { SCREEN_DISAGREES, signatureOf } from '../divergence.js';
import type { Finding } from '../finding.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { IMPL, MODEL, subjectNamed } from '../subjects/subject-names.js';
import type { BatchOptions, BatchResult } from './batch.js';
import { runBatch } from './batch.js';
import type { RerunWatcher, ShrinkWatcher } from './shrink-finding.js';
import { shrinkFinding, timesShown } from './shrink-finding.js';

const subject = (name: string) => subjectNamed(name, 'test', { caseTimeout: 1000, allowed: [] });

const OPTIONS: BatchOptions = {
  campaign: 'fuzz',
  date: '2026-01-01T00:00:00.000Z',
  version: '0.1.0',
  model: MODEL,
  subject: subject('impl:demand-takes-page-twice,fault-code-from-shadow,set-pte-keeps-guessed-page'),
  invariants: INVARIANTS,
  paging: '2-level',
  traffic: 'mixed',
  mostSteps: 60,
};

/** Enough for several kinds of finding, some of them in more than one program. */
const PROGRAMS = 16;
const MOST_TRIES = 20;
const PATIENT: ShrinkWatcher = { pause: () => undefined, interrupted: () => false };
const AT_ONCE: RerunWatcher = { pause: () => undefined, isLate: () => false };

const run = async (count: number, options: Partial<BatchOptions> = {}): Promise<BatchResult> =>
  await runBatch(
    { ...OPTIONS, ...options },
    { range: { first: 0, stride: 1, count }, skip: [], enough: {} },
    () => undefined,
  );

const shrunk = async (finding: Finding, watcher = PATIENT, mostTries = MOST_TRIES): Promise<Finding> => {
  const outcome = await shrinkFinding({ ...OPTIONS, mostTries }, finding, watcher);
  if (outcome.kind === 'not-reproduced') throw new Error('not reproduced');
  return outcome.finding;
};

/** The first finding of each signature. */
const firsts = ({ findings }: BatchResult): readonly Finding[] => {
  const bySignature = new Map<string, Finding>();
  for (const each of findings.toReversed()) bySignature.set(signatureOf(each.divergence), each);
  return [...bySignature.values()];
};

test('what only screening sees is shrunk and shows again, as any other finding does', async () => {
  const options: BatchOptions = {
    ...OPTIONS,
    campaign: 'harm',
    subject: subject('impl:set-pte-upgrades-in-place'),
    paging: 'both',
    mostSteps: 160,
    judge: 1 / 16,
  };
  const { findings } = await run(40, options);
  const found = findings.find(({ divergence }) => divergence.invariant === SCREEN_DISAGREES)!;
  const outcome = await shrinkFinding({ ...options, mostTries: 300 }, found, PATIENT);
  if (outcome.kind === 'not-reproduced') throw new Error('not reproduced');
  expect(signatureOf(outcome.finding.divergence)).toBe(signatureOf(found.divergence));
  expect(outcome.finding.case.program.steps.length).toBeLessThan(found.case.program.steps.length / 2);
  expect(await timesShown(options, outcome.finding, AT_ONCE)).toEqual({ times: 10, runs: 10 });
});

describe('the programs of a campaign', () => {
  let usual: BatchResult;
  beforeAll(async () => {
    usual = await run(PROGRAMS);
  });

  test('show nothing wrong with the sound machine', async () => {
    const { findings, counts } = await run(100, { subject: IMPL, paging: 'both' });
    expect(findings).toEqual([]);
    expect(counts.programs).toBe(100);
    expect(counts.steps).toBeGreaterThan(1000);
  });

  test('show the same again, finding for finding and count for count', async () => {
    expect(await run(PROGRAMS)).toEqual(usual);
    expect(usual.findings.length).toBeGreaterThan(1);
  });

  test('are others in another campaign', async () => {
    const one = await run(PROGRAMS, { subject: IMPL });
    const other = await run(PROGRAMS, { subject: IMPL, campaign: 'another' });
    expect(other.counts.steps).not.toBe(one.counts.steps);
  });

  test('show findings behind a finding, within one program and in later ones', () => {
    const programs = usual.findings.map(({ provenance }) => provenance.program);
    expect(new Set(programs).size).toBeGreaterThan(1);
    expect(programs.length).toBeGreaterThan(new Set(programs).size);
  });

  test('count once for each kind of finding, however often they show it', async () => {
    const { signatures } = await run(1);
    expect(Object.values(signatures).every((count) => count === 1)).toBe(true);
    expect(Math.max(...Object.values(usual.signatures))).toBeGreaterThan(1);
  });

  test('keep to the paging and the traffic asked for', async () => {
    const { findings } = await run(PROGRAMS, { paging: 'pae', traffic: 'coherent' });
    expect(findings.length).toBeGreaterThan(0);
    for (const { case: found } of findings) expect(found.program.machine.paging).toBe('pae');
  });

  test('run twice now and then, which finds a machine that draws from a hidden state', async () => {
    const invariants = INVARIANTS.filter(({ id }) => id === 'determinism');
    const { findings } = await run(1000, { subject: subject('impl:draw-from-hidden-state'), invariants });
    expect(findings[0].divergence.invariant).toBe('determinism');
  });
});

describe('a finding', () => {
  let usual: readonly Finding[];
  beforeAll(async () => {
    usual = firsts(await run(PROGRAMS));
  });

  test('is shrunk to a program that always shows it', async () => {
    expect(usual.length).toBeGreaterThan(1);
    for (const finding of usual) {
      const small = await shrunk(finding);
      expect(signatureOf(small.divergence)).toBe(signatureOf(finding.divergence));
      expect(small.case.program.steps.length).toBeLessThanOrEqual(finding.provenance.originalSteps);
      expect(small).toMatchObject({ shrunk: 'to-limit', provenance: finding.provenance });
      expect(await timesShown(OPTIONS, small, AT_ONCE)).toEqual({ times: 10, runs: 10 });
    }
  });

  test('is not reproduced if its program does not show it', async () => {
    const other: Finding = { ...usual[0], divergence: { ...usual[0].divergence, difference: 'another' } };
    const options = { ...OPTIONS, mostTries: MOST_TRIES };
    expect(await shrinkFinding(options, other, PATIENT)).toEqual({ kind: 'not-reproduced' });
    expect(await timesShown(OPTIONS, other, AT_ONCE)).toEqual({ times: 0, runs: 10 });
    const slow = { ...AT_ONCE, isLate: () => true };
    expect(await timesShown(OPTIONS, other, slow)).toEqual({ times: 0, runs: 3 });
  });

  test('is the smallest so far when shrinking is interrupted', async () => {
    const hurried = await shrunk(usual[0], { ...PATIENT, interrupted: () => true });
    expect(hurried.shrunk).toBe('partly');
    const patient = await shrunk(usual[0]);
    expect(patient.case.program.steps.length).toBeLessThan(hurried.case.program.steps.length);
  });

  test('lets others run before every candidate', async () => {
    let pauses = 0;
    await shrunk(usual[0], { ...PATIENT, pause: () => void pauses++ });
    expect(pauses).toBeGreaterThan(10);
    expect(pauses).toBeLessThanOrEqual(MOST_TRIES + 1);
  });
});
