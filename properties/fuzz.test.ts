import { beforeAll, describe, expect, test } from 'vitest';
import { signatureOf } from './divergence.js';
import type { KindOfFinding, FuzzOptions, FuzzResult, FuzzWatcher } from './fuzz.js';
import { fuzz } from './fuzz.js';
import { judgeOf } from './judging.js';
import { INVARIANTS } from './invariants/invariants.js';
import { IMPL, MODEL, subjectNamed } from './subjects/subject-names.js';

const DEFECTIVE = subjectNamed(
  'impl:demand-takes-page-twice,fault-code-from-shadow,set-pte-keeps-guessed-page',
  'test',
  {
    caseTimeout: 1000,
  },
);

const OPTIONS: FuzzOptions = {
  campaign: 'fuzz',
  reference: MODEL,
  subject: DEFECTIVE,
  invariants: INVARIANTS,
  paging: '2-level',
  traffic: 'mixed',
  mostSteps: 60,
  mostFindings: 100,
  mostTries: 20,
};

/** Enough for several kinds of finding, some of them in more than one program. */
const PROGRAMS = 16;

const run = async (
  programs: number,
  options: Partial<FuzzOptions> = {},
  watcher: Partial<FuzzWatcher> = {},
): Promise<FuzzResult> => await fuzz({ ...OPTIONS, ...options }, { goOn: (already) => already < programs, ...watcher });

const signatures = ({ findings }: FuzzResult): readonly string[] => findings.map(({ signature }) => signature);

describe('a fuzz run', () => {
  let usual: FuzzResult;
  const told: KindOfFinding[] = [];
  beforeAll(async () => {
    usual = await run(PROGRAMS, {}, { found: (finding) => void told.push(finding) });
  });

  test('finds nothing wrong with the sound machine', async () => {
    const { findings, known, tally } = await run(100, { subject: IMPL, paging: 'both' });
    expect(findings).toEqual([]);
    expect(known.size).toBe(0);
    expect(tally.programs).toBe(100);
    expect(tally.steps).toBeGreaterThan(1000);
  });

  test('is the same again, finding for finding and count for count', async () => {
    const again = await run(PROGRAMS);
    expect(again.findings).toEqual(usual.findings);
    expect(usual.findings.length).toBeGreaterThan(1);
    expect(JSON.stringify(again.tally, tallied)).toBe(JSON.stringify(usual.tally, tallied));
  });

  test('another campaign runs other programs', async () => {
    const one = await run(PROGRAMS, { subject: IMPL });
    const other = await run(PROGRAMS, { subject: IMPL, campaign: 'another' });
    expect(other.tally.steps).not.toBe(one.tally.steps);
  });

  test('goes on behind a finding, within its program and with further ones', () => {
    const { findings, tally } = usual;
    expect(new Set(findings.map(({ program }) => program)).size).toBeGreaterThan(1);
    expect(tally.programs).toBeGreaterThan(PROGRAMS);
  });

  test('groups what it finds by signature, each told once and small', () => {
    expect(told).toEqual(usual.findings);
    expect(new Set(signatures(usual)).size).toBe(usual.findings.length);
    expect(Math.max(...usual.findings.map(({ count }) => count))).toBeGreaterThan(1);
    for (const { signature, divergence, case: small, originalSteps, interrupted, reproduced } of usual.findings) {
      expect(signatureOf(divergence)).toBe(signature);
      expect(small.program.steps.length).toBeLessThanOrEqual(originalSteps);
      expect([interrupted, reproduced]).toEqual([false, true]);
    }
  });

  test('each finding shows again on machines of its own', async () => {
    for (const { case: small, divergence } of usual.findings) {
      const judging = judgeOf(OPTIONS, divergence.invariant);
      expect(await judging.judge(small)).toEqual(divergence);
      await judging.close();
    }
  });

  test.each([1, 2, 3])('ends after %i kinds of finding', async (mostFindings) => {
    const { findings } = await run(1000, { mostFindings });
    expect(findings).toHaveLength(mostFindings);
  });

  test('ends when told to, and is told the number already run', async () => {
    const asked: number[] = [];
    const goOn = (programs: number): Promise<boolean> => Promise.resolve(asked.push(programs) < 5);
    const { tally } = await run(0, { subject: IMPL }, { goOn });
    expect(asked).toEqual([0, 1, 2, 3, 4]);
    expect(tally.programs).toBe(4);
    expect((await run(0)).tally.programs).toBe(0);
  });

  test('counts what is known, and does not make it small', async () => {
    const [first] = usual.findings;
    const small: string[] = [];
    const watcher: Partial<FuzzWatcher> = { found: ({ signature }) => void small.push(signature) };
    const after = await run(PROGRAMS, { known: new Set([first.signature]) }, watcher);
    expect(small).toEqual(signatures(usual).slice(1));
    expect(signatures(after)).toEqual(small);
    expect([...after.known]).toEqual([[first.signature, first.count]]);
  });

  test('in a hurry it keeps the smallest so far, and says so', async () => {
    const { findings } = await run(1000, { mostFindings: 1 }, { hurried: () => true });
    expect(findings[0]).toMatchObject({ interrupted: true, reproduced: true });
    const { findings: patient } = await run(1000, { mostFindings: 1 });
    expect(patient[0].case.program.steps.length).toBeLessThan(findings[0].case.program.steps.length);
  });

  test('lets whoever watches look around before every candidate', async () => {
    let pauses = 0;
    const pause = (): undefined => void pauses++;
    await run(1000, { mostFindings: 1 }, { pause });
    expect(pauses).toBeGreaterThan(10);
    expect(pauses).toBeLessThanOrEqual(OPTIONS.mostTries + 1);
  });

  test('keeps to the paging and the traffic asked for', async () => {
    const { findings } = await run(PROGRAMS, { paging: 'pae', traffic: 'coherent' });
    expect(findings.length).toBeGreaterThan(0);
    for (const { case: small } of findings) expect(small.program.machine.paging).toBe('pae');
  });

  test('finds a machine that draws from a hidden state by running programs twice', async () => {
    const subject = subjectNamed('impl:draw-from-hidden-state', 'test', { caseTimeout: 1000 });
    const invariants = INVARIANTS.filter(({ id }) => id === 'determinism');
    const { findings } = await run(1000, { subject, invariants, mostFindings: 1, mostTries: 20 });
    expect(findings[0].divergence.invariant).toBe('determinism');
  });

  test('a program counts once for each kind of finding, however often it shows it', async () => {
    const { findings } = await run(1, { mostTries: 1 });
    for (const { count } of findings) expect(count).toBe(1);
  });
});

/** Everything in a tally but the invariants themselves. */
const tallied = (key: string, value: unknown): unknown => {
  if (key === 'invariants') return undefined;
  return value instanceof Float64Array ? [...value] : value;
};
