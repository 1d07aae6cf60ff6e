/** What a program counts and shows does not depend on its neighbours. */

import { describe, expect, test } from 'vitest';
import { INVARIANTS } from '../invariants/invariants.js';
import { signatureOf } from '../divergence.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { Capabilities } from '../subjects/capabilities.js';
import { versionOne } from '../subjects/capabilities.js';
import { MODEL, subjectNamed } from '../subjects/subject-names.js';
import type { Answer, ExternalSubject } from '../subjects/subject.js';
import { traceOf } from '../trace-of.js';
import { Tally, addCounts, countsOf } from '../tally.js';
import type { BatchOptions, BatchResult, BatchTask } from './batch.js';
import { KEPT_FINDINGS, runBatch } from './batch.js';

const OPTIONS: BatchOptions = {
  campaign: 'batch',
  date: '2026-01-01T00:00:00.000Z',
  version: '0.1.0',
  model: MODEL,
  subject: subjectNamed('impl:lguest', 'test', { caseTimeout: 1000, allowed: [] }),
  invariants: INVARIANTS,
  paging: 'both',
  traffic: 'mixed',
  mostSteps: 60,
};

const run = async (first: number, stride: number, count: number, task: Partial<BatchTask> = {}): Promise<BatchResult> =>
  await runBatch(OPTIONS, { range: { first, stride, count }, skip: [], enough: {}, ...task }, () => undefined);

const summed = (batches: readonly BatchResult[]) => {
  const tally = new Tally(INVARIANTS);
  for (const { counts } of batches) addCounts(tally, counts);
  return countsOf(tally);
};

const programsBySignature = (batches: readonly BatchResult[]): Readonly<Record<string, readonly number[]>> => {
  const programs: Record<string, number[]> = {};
  for (const { divergence, provenance } of batches.flatMap(({ findings }) => findings)) {
    (programs[signatureOf(divergence)] ??= []).push(provenance.program);
  }
  for (const each of Object.values(programs)) each.sort((one, other) => one - other).splice(KEPT_FINDINGS);
  return programs;
};

describe('a batch', () => {
  test('of a machine with many defects, none of which outlives a program, is the sum of its programs, in any company', async () => {
    const whole = [await run(0, 1, 36)];
    const parts = [await run(0, 3, 12), await run(2, 3, 12), await run(1, 3, 12)];
    expect(Object.keys(programsBySignature(whole)).length).toBeGreaterThan(5);
    expect(programsBySignature(parts)).toEqual(programsBySignature(whole));
    expect(summed(parts)).toEqual(summed(whole));
  });

  test('counts in how many programs a situation was met, however often each met it', async () => {
    const { counts } = await run(0, 1, 1);
    expect(Math.max(...counts.situations.flat(2))).toBeGreaterThan(1);
    const met = counts.situations.map((grids) => grids.map((cells) => cells.map((count) => Math.sign(count)).join('')));
    expect(counts.incidence).toEqual(met);
  });

  test('begins each program but those to be skipped, which count all the same', async () => {
    const begun: number[] = [];
    const task = { range: { first: 1, stride: 2, count: 4 }, skip: [5], enough: {} };
    const { programs, counts } = await runBatch(OPTIONS, task, (program) => void begun.push(program));
    expect(begun).toEqual([1, 3, 7]);
    expect([programs, counts.programs]).toEqual([4, 3]);
  });

  test('counts what is known well enough, and leaves its programs out', async () => {
    const { signatures, findings } = await run(0, 1, 12);
    const [signature] = Object.entries(signatures).find(([, count]) => count > 1)!;
    const of = ({ findings: all }: BatchResult) =>
      all.filter(({ divergence }) => signatureOf(divergence) === signature);
    const first = findings.find(({ divergence }) => signatureOf(divergence) === signature)!;
    const fewer = await run(0, 1, 12, { enough: { [signature]: first.provenance.program } });
    expect(of(fewer)).toEqual([first]);
    expect(fewer.signatures).toEqual(signatures);
  });

  test('ends with the program that shows the last new kind that is wanted', async () => {
    const { findings } = await run(0, 1, 24);
    const firsts = [...new Set(findings.map(({ divergence }) => signatureOf(divergence)))].map((signature) =>
      Math.min(
        ...findings.filter((each) => signatureOf(each.divergence) === signature).map((each) => each.provenance.program),
      ),
    );
    const last = firsts.toSorted((one, other) => one - other)[2];
    const limited = await run(0, 1, 24, { limit: { kinds: 3, ignored: [] } });
    expect(limited.programs).toBe(last + 1);
    expect(Object.keys(limited.signatures)).toHaveLength(3);
    const ignored = Object.keys(limited.signatures);
    const another = await run(0, 1, 24, { limit: { kinds: 1, ignored } });
    expect(Object.keys(another.signatures)).toHaveLength(4);
    expect(another.programs).toBeGreaterThan(last);
  });
});

describe('a batch of a subject outside the process', () => {
  /** Answers like a machine of this process, some time later, and fails on some programs. */
  class Outside implements ExternalSubject {
    readonly kind = 'external';
    readonly name = 'exec:outside';
    readonly #inFlight: number;
    readonly #machine = OPTIONS.subject.kind === 'in-process' ? OPTIONS.subject.create() : undefined;
    /** Programs that wait for their answers, and the most that ever did. */
    waiting = 0;
    most = 0;

    constructor(inFlight: number) {
      this.#inFlight = inFlight;
    }

    start(): Promise<Capabilities> {
      return Promise.resolve({ ...versionOne(this.name), inFlight: this.#inFlight });
    }

    async answer(program: Program): Promise<Answer> {
      this.most = Math.max(this.most, ++this.waiting);
      for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
      this.waiting--;
      if (program.steps.length % 7 === 0) return { kind: 'failed', failure: 'subject-crash', detail: 'gone' };
      return { kind: 'trace', trace: traceOf(this.#machine!, program) };
    }

    close(): Promise<undefined> {
      return Promise.resolve(undefined);
    }
  }

  const runOutside = async (subject: Outside, task: Partial<BatchTask> = {}): Promise<BatchResult> =>
    await runBatch(
      { ...OPTIONS, subject },
      { range: { first: 0, stride: 1, count: 40 }, skip: [3], enough: {}, ...task },
      () => undefined,
    );

  test('asks for programs ahead, and counts and finds the same however many', async () => {
    const [one, many, careful] = [new Outside(1), new Outside(16), new Outside(16)];
    const expected = await runOutside(one);
    expect(Object.keys(expected.signatures)).toContain('subject-crash | create | the subject did not answer');
    expect(await runOutside(many)).toEqual(expected);
    expect(await runOutside(careful, { careful: true })).toEqual(expected);
    expect([one.most, many.most, careful.most]).toEqual([4, 39, 1]);
  });

  test('ends with the last kind that is wanted, and leaves what it asked for ahead', async () => {
    const limit = { kinds: 2, ignored: [] };
    const [one, many] = [new Outside(1), new Outside(16)];
    const expected = await runOutside(one, { limit });
    expect(expected.programs).toBeLessThan(40);
    expect(await runOutside(many, { limit })).toEqual(expected);
  });
});
