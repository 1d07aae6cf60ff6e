import { beforeAll, describe, expect, test } from 'vitest';
import { runBatch } from '../campaign/batch.js';
import { shrinkFinding } from '../campaign/shrink-finding.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { versionOne } from '../subjects/capabilities.js';
import { IMPL, MODEL, subjectNamed } from '../subjects/subject-names.js';
import type { ExternalSubject } from '../subjects/subject.js';
import { failedAnswer } from '../subjects/subject.js';
import { traceOf } from '../trace-of.js';
import type { Paging, Program } from '../../model/vocabulary/index.js';
import type { Finding } from '../finding.js';
import { fileNameOf, formatCounterexample, parseCounterexample } from './counterexample.js';
import type { Checked } from './regress.js';
import { checkStored } from './regress.js';

const DEFECT = 'impl:demand-takes-page-twice';
const OTHER_DEFECT = 'impl:leaf-one-past-ram';
const SETTINGS = { caseTimeout: 1000, allowed: [] };

/** The first finding of a short run against the defect. */
let entry: Finding;
beforeAll(async () => {
  const options = {
    campaign: 'regress',
    date: '2024-02-29T12:00:00.000Z',
    version: '0.1.0',
    model: MODEL,
    subject: subjectNamed(DEFECT, 'test', SETTINGS),
    invariants: INVARIANTS,
    paging: '2-level',
    traffic: 'hostile',
    mostSteps: 60,
    mostTries: 300,
  } as const;
  const limit = { kinds: 1, ignored: [] };
  const task = { range: { first: 0, stride: 1, count: 50 }, skip: [], enough: {}, limit };
  const { findings } = await runBatch(options, task, () => undefined);
  const small = await shrinkFinding(options, findings[0], { pause: () => undefined, interrupted: () => false });
  entry = small.kind === 'shrunk' ? small.finding : findings[0];
});

const check = async (changed: Partial<Finding>, subject = undefined as string | undefined): Promise<Checked> => {
  const whole = { ...entry, ...changed };
  // Through the file, as a corpus holds it.
  const stored = { ...parseCounterexample(formatCounterexample(whole), 'test'), file: fileNameOf(whole) };
  const override = subject === undefined ? {} : { subject: subjectNamed(subject, 'test', SETTINGS) };
  return await checkStored(stored, { ...SETTINGS, ...override });
};

describe('an open entry', () => {
  test('whose defect still shows is as recorded', async () => {
    expect(await check({})).toEqual({
      file: fileNameOf(entry),
      verdict: 'as-recorded',
      reason: `${IMPL.name} agrees with ${MODEL.name}`,
    });
  });

  test('whose subject agrees now is stale', async () => {
    const checked = await check({ subject: OTHER_DEFECT });
    expect(checked).toMatchObject({ verdict: 'stale' });
    expect(checked.reason).toBe(
      `${OTHER_DEFECT} no longer diverges; if it was fixed, set "status" to "fixed", or remove such entries with "corpus prune --stale"`,
    );
  });

  test('whose subject diverges in another way is stale', async () => {
    const divergence = { ...entry.divergence, difference: 'something else' };
    expect(await check({ divergence })).toMatchObject({
      verdict: 'stale',
      reason: expect.stringMatching(/^diverges with ".+", not with ".+ something else" as recorded$/) as string,
    });
  });

  test('whose subject is no planted defect diverges', async () => {
    const { divergence } = entry;
    const swapped = { subject: 'model', reference: DEFECT };
    const first = await check(swapped);
    expect(first.verdict).toBe('stale');
    const now = /^diverges with "(?<invariant>.+) \| .+ \| (?<difference>.+)", not/.exec(first.reason)?.groups;
    const recorded = { ...divergence, invariant: now?.['invariant'] ?? '', difference: now?.['difference'] ?? '' };
    expect(await check({ ...swapped, divergence: recorded })).toMatchObject({
      verdict: 'diverges',
      reason: expect.stringMatching(/^model still diverges: /) as string,
    });
  });
});

describe('a fixed entry', () => {
  test('whose subject agrees is as recorded', async () => {
    expect(await check({ status: 'fixed', subject: 'impl' })).toMatchObject({ verdict: 'as-recorded' });
    expect(await check({ status: 'fixed', subject: OTHER_DEFECT })).toMatchObject({ verdict: 'as-recorded' });
  });

  test('whose subject diverges again diverges', async () => {
    expect(await check({ status: 'fixed' })).toMatchObject({
      verdict: 'diverges',
      reason: expect.stringMatching(/^impl:demand-takes-page-twice diverges from model: /) as string,
    });
  });
});

describe('another subject', () => {
  test('must agree, whatever was recorded', async () => {
    expect(await check({}, 'impl')).toMatchObject({ verdict: 'as-recorded', reason: 'impl agrees with model' });
    expect(await check({ status: 'fixed' }, OTHER_DEFECT)).toMatchObject({ verdict: 'as-recorded' });
  });

  test('that does not agree diverges, even if the entry is open', async () => {
    expect(await check({}, DEFECT)).toMatchObject({ verdict: 'diverges' });
  });
});

/** Answers as impl does, but only in 2-level paging, and fails at some of its programs, by number from 1; notes the paging of all. */
const failing = (asked: string[], failures: readonly number[], mayBeChance = false): ExternalSubject => ({
  kind: 'external',
  name: 'failing',
  start: () => Promise.resolve({ ...versionOne('failing'), paging: ['2-level'] }),
  answer: (program) => {
    asked.push(program.machine.paging);
    if (!failures.includes(asked.length))
      return Promise.resolve({ kind: 'trace', trace: traceOf(IMPL.create(), program) });
    return Promise.resolve({ ...failedAnswer('subject-crash', 'killed'), mayBeChance });
  },
  close: () => Promise.resolve(undefined),
});

describe('a subject that fails at an entry', () => {
  const plain = (): Finding['case'] => ({
    traffic: 'hostile',
    program: { machine: { ...entry.case.program.machine, paging: '2-level' }, steps: [] },
  });

  test.each([
    ['once', [1], false, 'diverges', 1],
    ['once, for which the machine may be to blame,', [1], true, 'as-recorded', 2],
    ['three times, for which the machine may be to blame,', [1, 2, 3], true, 'diverges', 3],
  ])('%s: %j %s → %s', async (_, failures, mayBeChance, verdict, runs) => {
    const asked: string[] = [];
    const subject = failing(asked, failures, mayBeChance);
    const checked = await checkStored({ ...entry, case: plain(), file: 'a.json' }, { ...SETTINGS, subject });
    expect([checked.verdict, asked.length]).toEqual([verdict, runs]);
  });
});

describe('programs before that of an entry', () => {
  const programs = (...pagings: readonly Paging[]): readonly Program[] =>
    pagings.map((paging) => ({ machine: { ...entry.case.program.machine, paging }, steps: [] }));
  const checkBehind = async (before: readonly Program[], asked: string[]): Promise<Checked> =>
    await checkStored({ ...entry, before, file: 'a.json' }, { ...SETTINGS, subject: failing(asked, [2]) });

  test('are not asked if the subject does not support one of them', async () => {
    const asked: string[] = [];
    expect(await checkBehind(programs('2-level', 'pae'), asked)).toMatchObject({
      verdict: 'unsupported',
      reason: 'failing does not support pae paging',
    });
    expect(asked).toEqual([]);
  });

  test('end with the one at which the subject fails, which is no agreement', async () => {
    const asked: string[] = [];
    expect(await checkBehind(programs('2-level', '2-level', '2-level', '2-level'), asked)).toMatchObject({
      verdict: 'diverges',
      reason: 'failing diverges from model: subject-crash | create | the subject failed at a program before it',
    });
    expect(asked).toHaveLength(2);
  });
});

describe('an entry that cannot be checked is unreadable', () => {
  test('as it was when it was read', async () => {
    const stored = { file: 'a.json', problem: 'a.json: torn; mend it' };
    expect(await checkStored(stored, SETTINGS)).toEqual({
      file: 'a.json',
      verdict: 'unreadable',
      reason: 'a.json: torn; mend it',
    });
  });

  test.each([
    [{ subject: 'impl:no-such-defect' }, 'there is no defect "no-such-defect"; "shadowdiff defects" lists them'],
    [{ subject: 'qemu' }, 'there is no subject "qemu"; use one of: '],
    [{ reference: 'oracle' }, 'there is no subject "oracle"; use one of: '],
  ])('for it names what does not exist: %o', async (changed, reason) => {
    const checked = await check(changed);
    expect(checked.verdict).toBe('unreadable');
    expect(checked.reason).toContain(reason);
    expect(checked.reason).toContain(checked.file);
  });

  test('for its guest is said to be coherent and is not', async () => {
    const { program } = entry.case;
    const rude = { ...program, steps: [...program.steps, ...rudeSteps()] };
    const checked = await check({ case: { traffic: 'coherent', program: rude } });
    expect(checked.verdict).toBe('unreadable');
    expect(checked.reason).toContain('traffic: the program breaks the contract of a coherent guest; write "hostile"');
  });
});

/** A guest that runs on a table, changes it, tells nobody, and touches what it changed. */
const rudeSteps = (): Finding['case']['program']['steps'] => {
  const text = JSON.parse(formatCounterexample(entry)) as { program: { steps: unknown[] } };
  const steps = [
    { op: 'init', kernelAddress: '0xc0000000' },
    { op: 'new-pgtable', root: '0x0', draw: 0 },
    { op: 'access', vaddr: '0x0', kind: 'read', mode: 'kernel' },
    { op: 'store', paddr: '0x0', value: '0x67' },
    { op: 'access', vaddr: '0x0', kind: 'read', mode: 'kernel' },
  ];
  text.program.steps.push(...steps);
  return parseCounterexample(JSON.stringify(text), 'test').case.program.steps.slice(-steps.length);
};
