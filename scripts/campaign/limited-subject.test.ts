/** Whole calls against subjects that can do or show only a part. */

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { capturedCall } from '../../test-support/captured-call.js';
import type { CampaignRecord } from './run-directory.js';
import { campaignDifference, campaignIdentity, readRunRecord } from './run-directory.js';

const WALKER = fileURLToPath(new URL('../examples/walker.py', import.meta.url));
const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;
const SUBJECT = `exec:python3 ${WALKER}`;

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'limited-subject-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const NOT_ASKED = '6 of 18 invariants were not asked, 3 only in part: the subject shows no shadow tables';

const lastLine = (out: string): string =>
  out
    .replaceAll(/\n {2,}/g, ' ')
    .trim()
    .split('\n')
    .at(-1)!;

interface Entry {
  readonly program: { readonly machine: { readonly paging: string } };
}

/** The first entries of the corpus of either paging. */
const entriesOf = (paging: string, count: number): readonly string[] =>
  readdirSync(CORPUS)
    .filter((name) => name.endsWith('.json'))
    .filter((name) => (JSON.parse(readFileSync(join(CORPUS, name), 'utf8')) as Entry).program.machine.paging === paging)
    .slice(0, count);

const copied = (names: readonly string[]): void => {
  mkdirSync(at('corpus'), { recursive: true });
  for (const name of names) copyFileSync(join(CORPUS, name), at('corpus', name));
};

describe.skipIf(!hasPython)('walker.py, which does 2-level paging and shows no shadow tables', () => {
  const fuzz = (...words: readonly string[]) =>
    capturedCall(['fuzz', '--subject', SUBJECT, '--programs', '40', '--seed', 'limited', '--jobs', '1', ...words]);

  test('is clean, and everybody is told what was not asked', async () => {
    const { code, out } = await fuzz('--out', at('run'), '--corpus', at('corpus'));
    expect(code).toBe(0);
    expect(lastLine(out.replace(/^results.*\n/gm, ''))).toContain(NOT_ASKED);
    expect(out).toMatch(/^confinement +0 not asked +0$/m);
    expect(out).toMatch(/^in part +switcher, /m);
    const json = (name: string) => JSON.parse(readFileSync(at('run', name), 'utf8')) as Record<string, unknown>;
    expect(json('run.json')).toMatchObject({ campaign: { paging: 'both', scope: { paging: ['2-level'] } } });
    const { invariants, paging } = json('summary.json') as { invariants: { id: string }[]; paging: string };
    expect(paging).toBe('2-level');
    const because = ['the subject shows no shadow tables'];
    expect(invariants.find(({ id }) => id === 'confinement')).toMatchObject({ asked: 'not', because });
    expect(invariants.find(({ id }) => id === 'switcher')).toMatchObject({ asked: 'partly', because });
    expect(invariants.find(({ id }) => id === 'translation')).toMatchObject({ asked: 'fully', because: [] });
    expect(readFileSync(at('run', 'junit.xml'), 'utf8').match(/<skipped\/>/g)!.length).toBeGreaterThanOrEqual(6);
    expect(readFileSync(at('run', 'report.html'), 'utf8')).toContain(NOT_ASKED);
    const markdown = await capturedCall(['report', at('run'), '--reporter', 'markdown']);
    expect(markdown.out).toContain(NOT_ASKED);
    const report = await capturedCall(['report', at('run'), '--reporter', 'json']);
    const document = JSON.parse(report.out) as { verdict: object; invariants: readonly object[] };
    expect(document.verdict).toMatchObject({ kind: 'clean', reason: expect.stringContaining(NOT_ASKED) });
    expect(document.invariants).toContainEqual(expect.objectContaining({ id: 'flush', state: 'not-asked', because }));
  });

  test('runs the programs that --paging 2-level makes', async () => {
    const counts = async (...words: readonly string[]): Promise<unknown> => {
      await fuzz('--out', at('run'), '--corpus', at('corpus'), ...words);
      return (JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8')) as { accesses: unknown }).accesses;
    };
    expect(await counts()).toEqual(await counts('--paging', '2-level'));
  });

  test('has a campaign of its own: one in which it could do more is another', async () => {
    await fuzz('--out', at('run'), '--corpus', at('corpus'));
    const { campaign } = await readRunRecord(at('run'));
    const more: CampaignRecord = { ...campaign, scope: { ...campaign.scope!, paging: ['2-level', 'pae'] } };
    expect(campaignIdentity(more)).not.toBe(campaignIdentity(campaign));
    expect(campaignDifference(campaign, more)).toMatch(/^scope is /);
    expect(campaignDifference({ ...campaign, scope: undefined } as never, more)).toMatch(/^scope is undefined here/);
  });

  test('is not asked for PAE, and then nothing is written', async () => {
    const { code, out, err } = await fuzz('--paging', 'pae', '--out', at('run'), '--corpus', at('corpus'));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe('shadowdiff: --paging: a side does not support pae; give --paging 2-level\n');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('is not sent PAE entries of the corpus, which are counted and named', async () => {
    copied([...entriesOf('2-level', 2), ...entriesOf('pae', 3)]);
    const { code, out } = await capturedCall(['regress', '--corpus', at('corpus'), '--subject', SUBJECT]);
    expect(code).toBe(0);
    expect(out.match(/^unsupported: .*\.json: exec:python3 .* does not support pae paging$/gm)).toHaveLength(3);
    expect(lastLine(out)).toBe(`5 entries: 2 as recorded, 3 not supported, but ${NOT_ASKED}`);
  });

  test('proves nothing by entries that it cannot run', async () => {
    copied(entriesOf('pae', 2));
    const { code, out } = await capturedCall(['regress', '--corpus', at('corpus'), '--subject', SUBJECT]);
    expect([code, lastLine(out)]).toEqual([3, `2 entries: 2 not supported, but ${NOT_ASKED}`]);
  });

  test('replays what it can, and says so of the rest', async () => {
    const [pae] = entriesOf('pae', 1);
    const [twoLevel] = entriesOf('2-level', 1);
    const skipped = await capturedCall(['replay', join(CORPUS, pae), '--subject', SUBJECT]);
    expect([skipped.code, skipped.out]).toEqual([3, '']);
    expect(skipped.err).toContain(`${pae}: not run: ${SUBJECT} does not support pae paging`);
    const replayed = await capturedCall(['replay', join(CORPUS, twoLevel), '--subject', SUBJECT]);
    expect(replayed.out).toContain(`, but ${NOT_ASKED}`);
    const json = await capturedCall(['replay', join(CORPUS, twoLevel), '--subject', SUBJECT, '--json']);
    const { notAsked } = JSON.parse(lastLine(json.out)) as { notAsked: readonly { id: string }[] };
    expect(notAsked.map(({ id }) => id)).toEqual(expect.arrayContaining(['confinement', 'switcher']));
    const explained = await capturedCall(['explain', join(CORPUS, pae), '--subject', SUBJECT]);
    expect([explained.code, explained.err]).toEqual([2, expect.stringContaining('does not support pae paging')]);
  });

  test('is sent no PAE entries by a nightly run either', async () => {
    copied([...entriesOf('2-level', 1), ...entriesOf('pae', 2)]);
    const words = ['--programs', '20', '--min-programs', '1', '--jobs', '1', '--seed', 'limited'];
    const places = ['--corpus', at('corpus'), '--out', at('run')];
    const { out } = await capturedCall(['nightly', '--subject', SUBJECT, ...words, ...places]);
    expect(out).toMatch(/^corpus +3 entries replayed, 2 not supported$/m);
    expect(out).toMatch(/^skipped +exec:.* does not support pae paging \(and 1 more\)$/m);
    const { corpus } = JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8')) as { corpus: { unsupported: [] } };
    expect(corpus.unsupported).toHaveLength(2);
  });
});

describe.skipIf(!hasPython)('a subject that lacks steps', () => {
  test('is clean without the invariants that only these exercise', async () => {
    const [before, after] = readFileSync(WALKER, 'utf8').split('"paging": ["2-level"]}') as [string, string];
    writeFileSync(at('linear.py'), `${before}"paging": ["2-level"], "steps": ["access"]}${after}`);
    const words = ['--programs', '30', '--min-programs', '30', '--jobs', '1', '--seed', 'limited'];
    const places = ['--corpus', at('corpus'), '--out', at('run')];
    const { code, out } = await capturedCall([
      'nightly',
      '--subject',
      `exec:python3 ${at('linear.py')}`,
      ...words,
      ...places,
    ]);
    expect(code).toBe(0);
    expect(out.replaceAll(/\n {2,}/g, ' ')).toMatch(/; no program has store; no program has init; /);
    const { invariants } = JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8')) as {
      invariants: readonly { id: string; asked: string; exercised: number }[];
    };
    for (const { id, asked, exercised } of invariants) expect([id, asked === 'not']).toEqual([id, exercised === 0]);
  });
});

describe('a hello that makes no campaign', () => {
  const fuzz = (hello: string, ...words: readonly string[]) => {
    writeFileSync(
      at('subject.cjs'),
      `require('node:readline').createInterface({ input: process.stdin }).on('line', () => console.log(${JSON.stringify(hello)}));`,
    );
    const subject = `exec:${process.execPath} ${at('subject.cjs')}`;
    const places = ['--corpus', at('corpus'), '--out', at('run')];
    return capturedCall(['fuzz', '--subject', subject, '--programs', '10', ...places, ...words]);
  };

  test.each<readonly [hello: string, message: string, ...words: readonly string[]]>([
    ['{"format":"shadowdiff-hello/2","paging":[]}', '--subject: there is no paging mode that both sides support'],
    [
      '{"format":"shadowdiff-hello/2","steps":["store"]}',
      '--subject: a side does not support access, which every program needs',
    ],
    [
      '{"format":"shadowdiff-hello/2","steps":["access","init"]}',
      '--traffic: a side does not support store, new-pgtable, flush-tlb, set-pte, set-pgd, set-pmd, which every coherent guest needs',
      '--traffic',
      'coherent',
    ],
    [
      '{"format":"shadowdiff-hello/2","encoding":"yaml"}',
      '--subject: encoding: "yaml" is not known; use one of "json"',
    ],
    ['{"format":"shadowdiff-hello/2"', '--subject: line 1, column 31: the text ends where'],
  ])('%s', async (hello, message, ...words) => {
    const { code, out, err } = await fuzz(hello, ...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`shadowdiff: ${message}`);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect([existsSync(at('run')), existsSync(at('corpus'))]).toEqual([false, false]);
  });
});
