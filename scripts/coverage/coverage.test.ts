import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { IMPL, MODEL } from '../../properties/subjects/subject-names.js';
import { scopeOf } from '../../properties/subjects/scope.js';
import type { Sides } from '../terminal/sides.js';
import type { Invariant } from '../../properties/invariants/invariant.js';
import { VACUOUS, stateless } from '../../properties/invariants/invariant.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { capturedCall, capturing } from '../../test-support/captured-call.js';
import { Session } from '../terminal/session.js';
import { buildCoverage } from './build-coverage.js';
import type { CoverageDocument } from './coverage-document.js';
import { emptySituations, impossibleSituations } from './coverage-document.js';
import type { CoveragePlan } from './coverage-run.js';
import { runForCoverage } from './coverage-run.js';
import { NO_THRESHOLDS, shortfalls } from './thresholds.js';

const hasPython = spawnSync('python3', ['--version']).status === 0;

const at = directoryForEachTest();

const QUICK = ['--no-code', '--seed', 'coverage'];
const coverage = (...words: readonly string[]) => capturedCall(['coverage', ...QUICK, '--out', at('out'), ...words]);

const written = async (): Promise<CoverageDocument> =>
  JSON.parse(await readFile(at('out', 'coverage.json'), 'utf8')) as CoverageDocument;

const OPTIONS = { seeds: 20, mostSteps: 200_000, stepsBeyond: 1, mostTries: 1 };
const COUNTS = { medianPrograms: 1, worstPrograms: 1, medianSteps: 1, worstSteps: 1 };
const ROW = { ...COUNTS, seeds: 20, seedsCaught: 20 };
const SHARE = { covered: 1, total: 1 };
const CODE = { lines: SHARE, branches: SHARE, functions: SHARE };

/** The document of a run of this many programs. */
const measured = async (
  programs: number,
  changes: Partial<CoveragePlan['programs']> = {},
  invariants: readonly Invariant[] = INVARIANTS,
): Promise<CoverageDocument> => {
  const session = new Session(capturing().surroundings);
  const sides: Sides = { subject: IMPL, model: MODEL, profile: 'lguest' };
  const plan: CoveragePlan = {
    campaign: 'coverage',
    sides,
    scope: await scopeOf(IMPL, MODEL, 'lguest'),
    programs: { paging: 'both', traffic: 'mixed', mostSteps: 160, ...changes },
    invariants,
    limits: { time: Infinity, programs },
  };
  const code = { perInvariant: new Map(), total: { impl: CODE, model: CODE }, unreached: [], explained: [], stale: [] };
  return buildCoverage(plan, await runForCoverage(plan, session), { matrix: undefined, code });
};

describe('the command', () => {
  test('prints every invariant, and writes the same', async () => {
    const { code, out } = await coverage('--programs', '200');
    expect(code).toBe(0);
    const document = await written();
    expect(document).toMatchObject({ format: 'shadowdiff-coverage/2', seed: 'coverage', programs: 200 });
    expect(document.invariants.map(({ id }) => id)).toEqual(INVARIANTS.map(({ id }) => id));
    for (const { id, reached, reachable } of document.invariants) {
      expect(out).toMatch(new RegExp(`^${id} .* ${reached}/${reachable} `, 'm'));
      expect(reached).toBeGreaterThan(0);
    }
    expect(out).toContain('exercised: the share of checks whose premise held\n');
    expect(out).not.toContain('alone, shared:');
  });

  test('gives the same document again, except for times', async () => {
    await coverage('--programs', '100');
    const { time: _, ...first } = await written();
    await coverage('--programs', '100');
    const { time: __, ...second } = await written();
    const withoutTimes = JSON.stringify(second).replaceAll(/"millisecondsSince":\d+/g, '');
    expect(withoutTimes).toBe(JSON.stringify(first).replaceAll(/"millisecondsSince":\d+/g, ''));
  });

  test('measures only the named invariants', async () => {
    const { code } = await coverage('--programs', '50', '--invariant', 'flush', 'switcher');
    expect(code).toBe(0);
    expect((await written()).invariants.map(({ id }) => id)).toEqual(['switcher', 'flush']);
  });

  test('names the bugs that an invariant catches, given the matrix', async () => {
    const rows = [
      { ...ROW, defect: 'one', caughtBy: { flush: 20 } },
      { ...ROW, defect: 'two', caughtBy: { flush: 3, switcher: 20 } },
    ];
    const matrix = at('matrix.json');
    await writeFile(matrix, JSON.stringify({ format: 'shadowdiff-matrix/1', options: OPTIONS, rows }));
    await coverage('--programs', '20', '--matrix', matrix, '--invariant', 'flush', 'switcher');
    const [switcher, flush] = (await written()).invariants;
    expect(flush.defects).toEqual({ alone: ['one'], withOthers: ['two'] });
    expect(switcher.defects).toEqual({ alone: [], withOthers: ['two'] });
  });

  test('goes on after a divergence, and ends with the command that makes a finding of it', async () => {
    const subject = 'impl:set-pgd-loses-switcher';
    const { code, err } = await coverage('--programs', '60', '--subject', subject, '--paging', '2-level');
    expect(code).toBe(1);
    expect(await written()).toMatchObject({ subject, programs: 60 });
    expect((await written()).diverged).toBeGreaterThan(1);
    const command = `fuzz --seed coverage --subject ${subject} --paging 2-level --judge all --programs (\\d+)`;
    const [, programs] = new RegExp(command).exec(err) ?? [];
    expect(err).toContain(`${subject} diverged from model in program ${Number(programs) - 1}, and in`);
    const { out } = await capturedCall(['report', at('out')]);
    expect(out).toContain('in the run of coverage the sides diverged');
  });

  test.skipIf(!hasPython)(
    'says what a machine of another process cannot be asked, and counts nothing against it',
    async () => {
      const subject = `exec:python3 ${fileURLToPath(new URL('../examples/walker.py', import.meta.url))}`;
      const { code, out } = await coverage('--programs', '60', '--subject', subject);
      expect(code).toBe(0);
      expect(out).toMatch(/^flush .* not asked +0\/0 /m);
      expect(out).toContain('because   the subject shows no shadow tables');
      expect(out).not.toMatch(/^not asked/m);
      expect(out).not.toContain('declared unreachable');
      const { invariants, paging } = await written();
      expect(paging).toBe('2-level');
      expect(emptySituations(invariants).filter(({ values }) => values.includes('PAE'))).toEqual([]);
      const { out: report } = await capturedCall(['report', at('out')]);
      expect(report).toContain('not asked');
      expect(report).toContain('the subject shows no shadow tables');
    },
  );

  test.skipIf(!hasPython)('names a program even if a machine fails before the first', async () => {
    const walker = fileURLToPath(new URL('../examples/walker.py', import.meta.url));
    const { code, err } = await coverage('--programs', '0', '--subject', `exec:sh -c 'python3 "${walker}"; exit 9'`);
    expect(code).toBe(1);
    expect(err).toMatch(/end-of-input .* exited with code 9; .* in program 0\n.* --programs 1\n/);
  });

  test('of the profile architecture, what a CPU cannot show is not asked', async () => {
    const words = ['--profile', 'architecture', '--subject', 'walk', '--reference', 'walk'];
    const { code } = await coverage('--programs', '300', ...words);
    expect(code).toBe(0);
    const { invariants, ...document } = await written();
    expect(document).toMatchObject({
      subject: 'walk',
      reference: 'walk',
      profile: 'architecture',
      traffic: 'coherent',
    });
    expect(invariants.filter(({ asked }) => asked === 'not').length).toBeGreaterThan(3);
    const reachedAnyway = invariants.flatMap(({ grids }) => grids.flatMap(({ situations }) => situations));
    expect(reachedAnyway.filter(({ count, unreachable }) => count > 0 && unreachable !== undefined)).toEqual([]);
    const unreached = emptySituations(invariants);
    expect(unreached.map(({ grid }) => grid)).not.toContain('the stack pinned');
    expect(unreached.map(({ values }) => values.join(' '))).not.toContainEqual(
      expect.stringMatching(/^(?:init .* tables|set-pmd 2-level .*)$/),
    );
    const empty = unreached.flatMap(({ values }) => values);
    for (const value of ['hostile', 'device', 'killed', 'filled', 'over', 'no-memory'])
      expect(empty).not.toContain(value);
  });

  test('fails below the thresholds, and names them', async () => {
    const { code, err } = await coverage('--programs', '20', '--check');
    expect(code).toBe(1);
    expect(err).toMatch(/^shadowdiff: kill-decision, killed at init: bad kernel address × 2-level: never reached$/m);
    expect(err).toContain('shadowdiff: impl: lines were not measured; omit --no-code');
  });

  test.each([
    [['--invariant', 'nothing'], '"nothing" is not known'],
    [['--matrix', '/no/such/file'], '/no/such/file'],
    [['--check', '--config', '/no/such/file'], '/no/such/file'],
    [['--out', '/dev/null/x'], '/dev/null'],
    [['--time', '1', '--programs', '1'], 'Write a number and a unit'],
  ])('%j is refused', async (words, message) => {
    const { code, err } = await capturedCall(['coverage', ...words]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('a malformed file of thresholds is refused, naming the field', async () => {
    const config = at('thresholds.json');
    await writeFile(
      config,
      '{"format":"shadowdiff-thresholds/1","impl":{"lines":101,"branches":1},"explained":{"functions":{},"lines":{}}}',
    );
    const { code, err } = await coverage('--check', '--config', config);
    expect(code).toBe(2);
    expect(err).toContain('impl.lines');
  });
});

/** After this many programs, nearly everything reachable was reached. */
const MANY = 4000;

describe('the thresholds', () => {
  test('are missed by a generator that leaves a kind of guest out', async () => {
    const missed = shortfalls(await measured(MANY, { traffic: 'coherent' }), NO_THRESHOLDS);
    expect(missed).toContain(
      'kill-decision, killed at set-pte: attempt to set pte into Switcher pages × PAE: never reached',
    );
    expect(shortfalls(await measured(MANY), NO_THRESHOLDS).length).toBeLessThan(missed.length / 4);
  });

  test('are missed by an invariant that is switched off', async () => {
    const idle = INVARIANTS.map((invariant) =>
      invariant.id === 'flush' ? { ...invariant, watch: stateless(() => VACUOUS) } : invariant,
    );
    expect(shortfalls(await measured(50, {}, idle), NO_THRESHOLDS)).toContain('flush: never exercised');
    expect(shortfalls(await measured(50), NO_THRESHOLDS)).not.toContain('flush: never exercised');
  });

  test('are missed by code that never ran', async () => {
    const document = await measured(1);
    const low = { ...CODE, lines: { covered: 97, total: 100 }, branches: { covered: 95, total: 100 } };
    const missed = shortfalls(
      { ...document, invariants: [], code: { impl: low, model: CODE, unreached: [], explained: [], stale: [] } },
      { impl: { lines: 98, branches: 95 } },
    );
    expect(missed).toEqual(['impl: 97.00 % of lines, below the threshold of 98 %']);
  });

  test('a situation that is declared unreachable, and was reached, is named', async () => {
    const lying = INVARIANTS.map((invariant) =>
      invariant.id === 'host-intact'
        ? {
            ...invariant,
            situations: (invariant.situations ?? []).map((grid) => ({ ...grid, unreachable: () => 'never' })),
          }
        : invariant,
    );
    const document = await measured(20, {}, lying);
    expect(impossibleSituations(document).length).toBeGreaterThan(20);
    expect(emptySituations(document.invariants).some(({ invariant }) => invariant === 'host-intact')).toBe(false);
  });
});
