/** Whole calls in the profile `architecture`: what they run, record, keep and refuse. */

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rarity } from '../../properties/campaign/residual-risk.js';
import { parseProgram } from '../../properties/formats/index.js';
import { programArbitrary } from '../../properties/generators/index.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import { capturedCall } from '../../test-support/captured-call.js';
import { campaignDifference, readRunRecord } from './run-directory.js';

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'architecture-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const PROFILE = ['--profile', 'architecture', '--reference', 'walk'] as const;

const run = (command: string, ...words: readonly string[]) =>
  capturedCall([command, '--programs', '60', '--seed', 'cpu', '--jobs', '1', '--corpus', at('corpus'), ...words]);

const json = (...path: readonly string[]) => JSON.parse(readFileSync(at(...path), 'utf8')) as Record<string, unknown>;

describe('a run', () => {
  test('of impl is clean, and records the profile and what was asked', async () => {
    const { code, out } = await run('fuzz', ...PROFILE, '--out', at('run'));
    expect(code).toBe(0);
    expect(out.replaceAll(/\n +/g, ' ')).toContain(
      'clean: impl agrees with walk in 60 programs, but 12 of 18 invariants were not asked, 1 only in part: ' +
        'the profile architecture shows outcomes and stores alone; ' +
        'in the profile architecture no step ends killed; the subject shows no stores of upper entries',
    );
    expect(json('run', 'run.json')).toMatchObject({
      campaign: { profile: 'architecture', traffic: 'coherent', scope: { guestPages: 128 } },
    });
    const { invariants } = json('run', 'summary.json') as { invariants: { id: string; asked: string }[] };
    const asked = invariants.filter(({ asked: extent }) => extent !== 'not').map(({ id }) => id);
    expect(asked).toEqual(['host-intact', 'progress', 'accessed-dirty', 'coherence', 'translation', 'determinism']);
  });

  test('has as many situations left as coverage finds in reach', async () => {
    await run('fuzz', ...PROFILE, '--judge', 'all', '--out', at('run'));
    await capturedCall([
      'coverage',
      ...PROFILE,
      '--programs',
      '60',
      '--seed',
      'cpu',
      '--no-code',
      '--out',
      at('covered'),
    ]);
    const { invariants } = json('run', 'summary.json') as { invariants: { situations: Rarity }[] };
    const { invariants: covered } = json('covered', 'coverage.json') as { invariants: { reachable: number }[] };
    const all = invariants.map(({ situations: { reached, left } }) => reached + left);
    expect(all).toEqual(covered.map(({ reachable }) => reachable));
  });

  test('says which features the CPUs of its programs had', async () => {
    const { out } = await run('fuzz', ...PROFILE, '--subject', 'walk', '--out', at('run'));
    const { features } = json('run', 'summary.json') as { features: readonly string[] };
    expect(features).toContain('large-pages');
    expect(out).toMatch(/^features {2}.*large-pages/m);
    const { out: report } = await capturedCall(['report', at('run'), '--reporter', 'json']);
    expect(JSON.parse(report)).toMatchObject({ runs: [{ features }] });
  });

  test('resumes in its profile alone, and merges with its own kind', async () => {
    await run('nightly', ...PROFILE, '--min-programs', '1', '--out', at('run'));
    const again = (profile: string) =>
      capturedCall(['nightly', '--resume', at('run'), '--profile', profile, '--corpus', at('corpus')]);
    expect(await again('lguest')).toMatchObject({
      code: 2,
      err: 'shadowdiff: --profile: a resumed run keeps its own; leave it out\n',
    });
    expect((await again('architecture')).code).toBe(0);
    const { campaign } = await readRunRecord(at('run'));
    const { profile: _, ...everything } = campaign;
    expect(campaignDifference(campaign, everything)).toBe('profile is "architecture" here and undefined there');
  });

  test('of racy guests finds the slots that a switch does not flush, and its finding replays', async () => {
    const { code, out } = await run('fuzz', ...PROFILE, '--traffic', 'racy', '--max-findings', '1', '--out', at('run'));
    expect([code, out]).toEqual([1, expect.stringContaining('coherence | access | ')]);
    const [file] = readdirSync(at('corpus'));
    expect(json('corpus', file)).toMatchObject({ profile: 'architecture', traffic: 'racy' });
    expect((await capturedCall(['replay', at('corpus', file)])).code).toBe(1);
    const { out: explained } = await capturedCall(['explain', at('corpus', file)]);
    expect(explained).toContain('may answer by any translation that was valid since the last invalidation');
  });

  test('has its profile in the summary and in every report', async () => {
    await run('fuzz', ...PROFILE, '--out', at('run'));
    await run('fuzz', '--out', at('other'));
    const report = async (reporter: string, ...runs: readonly string[]) =>
      (
        await capturedCall([
          'report',
          ...runs.map((each) => at(each)),
          '--reporter',
          reporter,
          ...(reporter === 'html' ? ['--out', at('report.html')] : []),
        ])
      ).out;
    expect(json('run', 'summary.json')).toMatchObject({ profile: 'architecture' });
    expect(JSON.parse(await report('json', 'run', 'other'))).toMatchObject({ runs: [{ profile: 'architecture' }, {}] });
    expect(await report('markdown', 'run')).toContain(', profile architecture.');
    expect(await report('markdown', 'other')).not.toContain('profile');
    const page = async (...runs: readonly string[]) => {
      await report('html', ...runs);
      return readFileSync(at('report.html'), 'utf8');
    };
    expect(await page('run', 'other')).toMatch(/<td>architecture<\/td>[^]*<td>lguest<\/td>/);
    expect(await page('other')).not.toContain('<th scope="col">profile</th>');
  });

  test('without the profile is what it was', async () => {
    await run('fuzz', '--out', at('run'));
    expect(json('run', 'run.json').campaign).not.toHaveProperty('profile');
    expect(json('run', 'run.json').campaign).not.toHaveProperty('scope');
  });
});

describe('what cannot be run', () => {
  test.each([
    [['--reference', 'walk'], 'walk takes programs of the profile architecture alone; give --profile architecture'],
    [['--subject', 'walk'], 'walk takes programs of the profile architecture alone; give --profile architecture'],
  ])('%j is refused', async (words, why) => {
    const { code, out, err } = await run('fuzz', ...words);
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: `shadowdiff: --profile: ${why}\n` });
  });

  test('racy guests are refused outside of the profile', async () => {
    const { code, err } = await run('fuzz', '--traffic', 'racy');
    const why = 'racy guests are of the profile architecture; give --profile architecture';
    expect([code, err]).toEqual([2, `shadowdiff: --traffic: ${why}\n`]);
  });

  test.each(['hostile', 'mixed'])('%s guests are refused', async (traffic) => {
    const { code, err } = await run('fuzz', ...PROFILE, '--traffic', traffic);
    const why = `the profile architecture has no ${traffic} guests; leave it out`;
    expect([code, err]).toEqual([2, `shadowdiff: --traffic: ${why}\n`]);
  });

  test('an unknown profile is refused', async () => {
    const { code, err } = await run('fuzz', '--profile', 'risc-v');
    expect([code, err]).toEqual([2, expect.stringContaining('Allowed choices are lguest, architecture')]);
  });
});

describe('a finding', () => {
  const found = async (): Promise<string> => {
    const { code } = await run('fuzz', ...PROFILE, '--subject', 'impl:dirty-lost-on-second-fault');
    expect(code).toBe(1);
    const [name] = readdirSync(at('corpus'));
    return at('corpus', name);
  };

  test('keeps its profile: replay, explain, shrink and regress need not be told', async () => {
    const file = await found();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      format: 'shadowdiff-counterexample/2',
      reference: 'walk',
      profile: 'architecture',
    });
    expect((await capturedCall(['replay', file])).code).toBe(1);
    expect((await capturedCall(['regress', '--corpus', at('corpus')])).out).toContain('1 entry: 1 as recorded');
    const { out } = await capturedCall(['shrink', file]);
    expect(JSON.parse(out)).toMatchObject({ profile: 'architecture' });
    const explained = await capturedCall(['explain', file]);
    expect(explained.code).toBe(1);
    expect(explained.out).toContain(
      'In the profile architecture the outcome and stores of a step are all that is seen.',
    );
    expect(explained.out).toContain('the guest loads CR3 with root');
    expect(explained.out).toContain('yes, or the program leaves its profile');
    expect(explained.out).not.toMatch(/slot|by the hypervisor|unknown|shadow tables/);
  });

  test('is of the program that seeds prints', async () => {
    const file = await found();
    const { provenance } = JSON.parse(readFileSync(file, 'utf8')) as {
      provenance: { program: number; originalSteps: number };
    };
    const which = ['--campaign', 'cpu', '--program', String(provenance.program)];
    const { out } = await capturedCall(['seeds', ...which, '--print', '--profile', 'architecture']);
    const { machine, steps } = JSON.parse(out) as { machine: { guestPages: number }; steps: object[] };
    expect([steps.length, machine.guestPages <= 128]).toEqual([provenance.originalSteps, true]);
  });

  test('of a racy guest: seeds prints its program if it is given the traffic', async () => {
    const words = ['seeds', '--campaign', 'cpu', '--program', '3', '--print', '--traffic', 'racy'];
    const { out } = await capturedCall([...words, '--profile', 'architecture']);
    const options = { profile: 'architecture', guestPages: 128, traffic: 'racy' } as const;
    const random = randomFor(programSeed('cpu', 3));
    expect(parseProgram(out, 'x')).toEqual(programArbitrary(options).generate(random, undefined).value.program);
    const { code, err } = await capturedCall(words);
    expect([code, err]).toEqual([2, expect.stringContaining('racy guests are of the profile architecture')]);
  });

  test('of CPUs with features: seeds prints its program if it is given them', async () => {
    const words = ['seeds', '--campaign', 'cpu', '--program', '3', '--print', '--profile', 'architecture'];
    const { out: plain } = await capturedCall(words);
    const { out } = await capturedCall([...words, '--features', 'no-execute', 'large-pages']);
    const options = { profile: 'architecture', guestPages: 128, features: ['large-pages', 'no-execute'] } as const;
    const random = randomFor(programSeed('cpu', 3));
    expect(parseProgram(out, 'x')).toEqual(programArbitrary(options).generate(random, undefined).value.program);
    expect(plain).not.toBe(out);
  });

  test('is reported with the guest’s tables, and without a shadow', async () => {
    await run('fuzz', ...PROFILE, '--subject', 'impl:dirty-lost-on-second-fault', '--out', at('run'));
    const frames =
      readFileSync(at('run', 'report.html'), 'utf8').match(/<section\s+class="frame".*?<\/section>/gs) ?? [];
    expect(frames.length).toBeGreaterThan(3);
    expect(frames.join()).toContain('The guest’s own tables');
    expect(frames.join()).not.toMatch(/slot unknown|References held|Shadow tables|shadow/);
  });

  test('is not replayed in another profile, nor on a machine that does not take it', async () => {
    const file = await found();
    const other = await capturedCall(['replay', file, '--profile', 'lguest']);
    expect([other.code, other.err]).toEqual([
      3,
      expect.stringContaining('not run: walk takes programs of the profile'),
    ]);
    const { program: bare } = JSON.parse(readFileSync(file, 'utf8')) as { program: { steps: object[] } };
    bare.steps.push({ op: 'guest-pa', vaddr: '0x0' });
    writeFileSync(at('bare.json'), JSON.stringify(bare));
    const outside = await capturedCall(['explain', at('bare.json'), ...PROFILE]);
    expect([outside.code, outside.err]).toEqual([2, expect.stringContaining('walk does not support guest-pa')]);
  });
});
