import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../../test-support/test-directory.js';
import * as z from 'zod';
import type { CapturedCall } from '../../../test-support/captured-call.js';
import { capturedCall } from '../../../test-support/captured-call.js';
import { sampleCoverage, sampleMatrix } from '../../../test-support/sample-documents.js';
import type { ReportDocument } from '../../report/document/report-document.js';

const at = directoryForEachTest();

/** Runs in a moment, and finds the defect. */
const FEW = ['--programs', '40', '--seed', 'test', '--max-tries', '500'];

const fuzz = (subject: string, out: string): Promise<CapturedCall> =>
  capturedCall(['fuzz', '--subject', subject, ...FEW, '--corpus', at('corpus'), '--out', out]);

const report = (...words: readonly string[]): Promise<CapturedCall> => capturedCall(['report', ...words]);

const united = async (...words: readonly string[]): Promise<ReportDocument> => {
  const { code, out, err } = await report(...words, '--reporter', 'json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as ReportDocument;
};

const store = async (name: string, value: unknown): Promise<void> => {
  await mkdir(at('run'), { recursive: true });
  await writeFile(at('run', name), typeof value === 'string' ? value : JSON.stringify(value));
};

describe('the united document', () => {
  test('fits the published schema, whatever is there', async () => {
    const { out: schema } = await report('--schema');
    const published = z.fromJSONSchema(JSON.parse(schema) as Parameters<typeof z.fromJSONSchema>[0]);
    await fuzz('impl:victim-ignores-draw', at('run'));
    const fuzzed = await united(at('run'));
    const [{ situations, invariants, discovery }] = fuzzed.residualRisks;
    // The programs that reached each situation first are known, so the curve begins at nothing.
    expect(discovery[0]).toEqual({ programs: 0, situations: 0 });
    expect(discovery.at(-2)?.situations).toBe(situations.reached);
    expect(invariants.map(({ situations: { reached } }) => reached).reduce((sum, each) => sum + each)).toBe(
      situations.reached,
    );
    expect(situations.next?.programs).toBe(Math.ceil(40 / situations.once));
    await store('coverage.json', sampleCoverage());
    await store('matrix.json', sampleMatrix());
    const all = await united(at('run'));
    for (const document of [fuzzed, all]) expect(published.safeParse(document).error).toBeUndefined();
    expect(published.safeParse({ ...all, programs: -1 }).success).toBe(false);
    expect(published.safeParse({ ...all, more: 1 }).success).toBe(false);
  });

  test('sums several runs, and lists a finding once', async () => {
    await fuzz('impl:victim-ignores-draw', at('one'));
    await fuzz('impl:victim-ignores-draw', at('two'));
    const one = await united(at('one'));
    const both = await united(at('one'), at('two'), at('one'));
    expect(one.findings.length).toBeGreaterThan(0);
    expect(both.findings.map(({ signature }) => signature)).toEqual(one.findings.map(({ signature }) => signature));
    expect(both.findings[0].count).toBe(2 * one.findings[0].count);
    expect(both.programs).toBe(80);
    expect(both.invariants[0].state).toBe('broken');
    const { invariant } = both.findings[0];
    expect(both.invariants.find(({ id }) => id === invariant)).toMatchObject({ state: 'broken' });
  });

  test('a finding that is known is not among the new ones', async () => {
    await fuzz('impl:victim-ignores-draw', at('run'));
    const { findings } = await united(at('run'));
    const path = at('run', 'summary.json');
    const summary = JSON.parse(await readFile(path, 'utf8')) as object;
    const known = findings.map(({ signature }) => ({ signature, reason: 'r', owner: 'o', expires: 'e', count: 3 }));
    await writeFile(
      path,
      JSON.stringify({ ...summary, findings: [], known: known.map((each) => ({ ...each, expired: false })) }),
    );
    const { findings: now, known: tolerated } = await united(at('run'));
    expect({ now, count: tolerated.length }).toEqual({ now: [], count: findings.length });
  });
});

test('the last mutation scores are those of the machines that ran, and not called results of the runs', async () => {
  await store('coverage.json', sampleCoverage());
  const { mutations } = await united(at('run'));
  expect(mutations.map(({ machine }) => machine)).toEqual(['impl', 'model']);
  await report(at('run'), '--out', at('page.html'));
  const [impl] = mutations;
  const page = await readFile(at('page.html'), 'utf8');
  expect(page).toContain(`mutations of impl`);
  expect(page).toContain(`Measured on ${impl.date} with version ${impl.version}, not in these runs.`);
});

describe('the verdict', () => {
  test('a new finding is a divergence', async () => {
    await fuzz('impl:victim-ignores-draw', at('run'));
    const { verdict } = await united(at('run'));
    expect(verdict).toMatchObject({
      kind: 'divergence',
      reason: expect.stringMatching(/^\d kinds? of finding in 40 programs/) as string,
    });
  });

  test('everything exercised and nothing found is clean', async () => {
    await store('coverage.json', sampleCoverage());
    expect((await united(at('run'))).verdict).toEqual({
      kind: 'clean',
      reason: 'impl agrees with model in 1.2 million programs; every invariant was exercised',
    });
  });

  test('an invariant that was never exercised is inconclusive', async () => {
    const coverage = sampleCoverage();
    const [first, ...others] = coverage.invariants;
    await store('coverage.json', { ...coverage, invariants: [{ ...first, exercised: 0 }, ...others] });
    expect((await united(at('run'))).verdict).toEqual({
      kind: 'inconclusive',
      reason: `invariant ${first.id} was never exercised`,
    });
  });

  test.each([
    [{ kind: 'divergence' }, '0 kinds of finding in 40 programs'],
    [{ kind: 'inconclusive', reason: 'no canary was flown' }, 'no canary was flown'],
  ])('a run that ended as %j is not called clean', async (verdict, reason) => {
    await fuzz('impl', at('run'));
    const path = at('run', 'summary.json');
    const summary = JSON.parse(await readFile(path, 'utf8')) as { readonly invariants: readonly object[] };
    const invariants = summary.invariants.map((each) => ({ ...each, exercised: 1 }));
    await writeFile(path, JSON.stringify({ ...summary, invariants, verdict }));
    expect((await united(at('run'))).verdict.reason).toBe(reason);
  });

  test('what hostile guests cannot exercise does not count', async () => {
    const coverage = sampleCoverage();
    const notAsked = { exercised: 0, asked: 'not', because: ['hostile guests keep no contract'] };
    const invariants = coverage.invariants.map((each) => (each.id === 'coherence' ? { ...each, ...notAsked } : each));
    await store('coverage.json', { ...coverage, traffic: 'hostile', invariants });
    expect((await united(at('run'))).verdict.reason).toContain(
      ', but 1 of 18 invariants was not asked: hostile guests keep no contract',
    );
  });

  test('a planted bug that goes unnoticed is inconclusive', async () => {
    const matrix = sampleMatrix();
    const [first, ...others] = matrix.rows;
    await store('coverage.json', sampleCoverage());
    await store('matrix.json', { ...matrix, rows: [{ ...first, seedsCaught: 0, caughtBy: {} }, ...others] });
    expect((await united(at('run'))).verdict.reason).toBe(`1 planted bug went unnoticed (${first.defect})`);
  });

  test('a matrix alone is inconclusive', async () => {
    await store('matrix.json', sampleMatrix());
    expect((await united(at('run'))).verdict.reason).toBe('no program was run');
  });
});

describe('what cannot be read is reported', () => {
  const coverage = sampleCoverage();
  test.each([
    ['coverage.json', '{', 'coverage.json: line 1, column 2'],
    ['coverage.json', '', 'coverage.json: the file is empty'],
    [
      'coverage.json',
      { ...coverage, format: 'shadowdiff-coverage/9' },
      'coverage.json: format: "shadowdiff-coverage/9"',
    ],
    ['coverage.json', { ...coverage, programs: -1 }, 'coverage.json: programs: -1 is out of range'],
    [
      'coverage.json',
      {
        ...coverage,
        invariants: [
          { ...coverage.invariants[0], grids: [{ name: 'a', axes: [], situations: [{ values: 'pae', count: 0 }] }] },
        ],
      },
      'coverage.json: invariants[0].grids[0].situations[0].values: "pae" is not a list',
    ],
    ['matrix.json', { ...sampleMatrix(), rows: {} }, 'matrix.json: rows: an object is not a list'],
    ['summary.json', { format: 'shadowdiff-summary/4' }, 'summary.json: kind: missing'],
    ['summary.json', { format: 'shadowdiff-summary/1' }, 'summary.json: format: "shadowdiff-summary/1" is not known'],
  ])('%s', async (name, content, message) => {
    await store(name, content);
    const { code, out, err } = await report(at('run'));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ {4}at /m);
  });

  test('a broken finding', async () => {
    await mkdir(at('run', 'findings'), { recursive: true });
    await writeFile(at('run', 'findings', 'a.json'), '{"format":"shadowdiff-counterexample/1"}');
    expect((await report(at('run'))).err).toContain('a.json: status: missing');
  });

  test('directories that are none, or hold nothing of ours', async () => {
    expect((await report()).err).toContain('no directory is named');
    expect((await report(at('nothing'))).err).toContain('there is no such directory');
    expect((await report(at())).err).toContain('none of summary.json');
    await writeFile(at('file'), '');
    expect((await report(at('file'))).err).toContain('this is a file');
  });

  test('coverage of other situations', async () => {
    await store('coverage.json', coverage);
    const [first, ...others] = coverage.invariants;
    await mkdir(at('other'));
    const changed = { ...first, grids: first.grids.slice(1) };
    await writeFile(at('other', 'coverage.json'), JSON.stringify({ ...coverage, invariants: [changed, ...others] }));
    expect((await report(at('run'), at('other'))).err).toContain('its situations are not those in');
  });

  test('a place where nothing can be written', async () => {
    await store('coverage.json', coverage);
    const { code, err } = await report(at('run'), '--out', at('no', 'such', 'report.html'));
    expect(code).toBe(2);
    expect(err).toContain('cannot be written');
  });
});

describe('findings on the page', () => {
  beforeEach(() => fuzz('impl:victim-ignores-draw', at('run')));

  const page = async (...words: readonly string[]): Promise<string> => {
    expect((await report(at('run'), '--out', at('report.html'), ...words)).code).toBe(0);
    return await readFile(at('report.html'), 'utf8');
  };

  const rewrite = async (subject: string): Promise<void> => {
    for (const name of await readdir(at('run', 'findings'))) {
      const path = at('run', 'findings', name);
      const entry = JSON.parse(await readFile(path, 'utf8')) as object;
      await writeFile(path, JSON.stringify({ ...entry, subject }));
    }
  };

  test('are shown step by step, and the same each time', async () => {
    const text = await page();
    expect(text).toContain('Why it is wrong:');
    expect(text).toContain('id="finding-1/step-0"');
    expect(await page()).toBe(text);
  });

  test('of a subject that cannot be started have no steps, and say so', async () => {
    await rewrite('exec:/no/such/command');
    const text = await page('--allow-exec');
    expect(text).toContain('It cannot be run here: ');
    expect(text).toContain('cannot start');
    expect(text).toContain('new-pgtable');
    expect(text).not.toContain('id="finding-1/step-0"');
  });

  test('of a subject that was mended say so', async () => {
    await rewrite('impl');
    expect(await page()).toContain('Run again, impl agrees with model');
  });

  test('that were not stored say so', async () => {
    await rm(at('run', 'findings'), { recursive: true });
    expect(await page()).toContain('Its program is not stored with these results');
  });
});

describe('what is too much for a page', () => {
  interface Entry {
    readonly invariant: string;
    readonly stage: string;
    readonly program: { readonly steps: readonly object[] };
    readonly place: { readonly kind: string; readonly index: number };
  }

  /** Stores a finding of the run again, changed. */
  const storeAs = async (name: string, change: (entry: Entry) => object): Promise<void> => {
    const directory = at('run', 'findings');
    const [first] = (await readdir(directory)).toSorted();
    const entry = JSON.parse(await readFile(join(directory, first), 'utf8')) as Entry;
    await writeFile(join(directory, name), JSON.stringify({ ...entry, ...change(entry) }));
  };

  /** Under a name of its own, with harmless steps before and after those of the run. */
  const storeLong = (name: string, steps: number): Promise<void> =>
    storeAs(name, ({ invariant, stage, program, place }) => {
      const idle = Array.from({ length: steps }, () => ({ op: 'guest-pa', vaddr: '0x1000' }));
      return {
        difference: name,
        signature: `${invariant} | ${stage} | ${name}`,
        place: { ...place, index: place.index + steps },
        program: { ...program, steps: [...idle, ...program.steps, ...idle] },
      };
    });

  const page = async (changes: Parameters<typeof capturedCall>[1] = {}): Promise<string> => {
    expect((await capturedCall(['report', at('run'), '--out', at('report.html')], changes)).code).toBe(0);
    return await readFile(at('report.html'), 'utf8');
  };

  beforeEach(async () => {
    await fuzz('impl:victim-ignores-draw', at('run'));
    await rm(at('run', 'summary.json'));
  });

  test('a long program is shown around its divergence, with the command that shows all of it', async () => {
    await storeLong('0.json', 5000);
    const text = await page();
    expect(text).toMatch(/… 4,\d{3} steps left out …/);
    expect(text).toContain(`shadowdiff explain ${at('run', 'findings', '0.json')}</code>`);
    expect(text).toMatch(/id="finding-\d\/step-50\d\d"/);
    expect(text.length).toBeLessThan(4_000_000);
    const { out: junit } = await report(at('run'), '--reporter', 'junit');
    expect(junit).toMatch(/… 4,\d{3} steps left out …/);
    expect(junit).toContain(`every step: shadowdiff explain ${at('run', 'findings', '0.json')}`);
    expect(junit.length).toBeLessThan(40_000);
  });

  test('the first 50 findings are shown step by step, and the others listed', async () => {
    for (let number = 0; number < 60; number++) {
      const name = `${number}`.padStart(2, '0');
      await storeAs(`${name}.json`, ({ invariant, stage }) => ({
        difference: name,
        signature: `${invariant} | ${stage} | ${name}`,
      }));
    }
    const text = await page();
    const { findings } = await united(at('run'));
    expect(text.match(/<details class="finding"/g)).toHaveLength(50);
    expect(text).toContain(`${findings.length - 50} findings not shown step by step`);
    for (const { id, signature, replay } of findings) {
      expect(text).toContain(`id="${id}"`);
      expect(text).toContain(signature);
      expect(text).toContain(replay);
    }
    expect(text.length).toBeLessThan(8_000_000);
  });

  test('a finding of much text is listed instead, and one of too much counted', async () => {
    await storeAs('0.json', () => ({ note: 'x'.repeat(13_000_000) }));
    await storeAs('1.json', () => ({ note: 'x'.repeat(13_000_000), subject: 'y'.repeat(13_000) }));
    expect((await page()).length).toBeLessThan(32 * 2 ** 20);
  });

  test('a section of more than a MiB is left out, with the command that prints its data', async () => {
    const coverage = sampleCoverage();
    const line = { file: 'impl/demand.ts', line: 1, text: 'x'.repeat(1000) };
    await store('coverage.json', {
      ...coverage,
      code: { ...coverage.code!, unreached: Array.from({ length: 1200 }, () => line) },
    });
    const text = await page();
    expect(text).toContain('Left out, because it would add 2 MiB to this page.');
    expect(text).toContain('shadowdiff report DIRECTORY --reporter json');
    expect(text.length).toBeLessThan(2_000_000);
  });
});

describe('the command that replays a finding', () => {
  test.each(['html', 'markdown', 'junit', 'json', 'terminal'])(
    'is that of npx in %s, if npx runs',
    async (reporter) => {
      await fuzz('impl:victim-ignores-draw', at('run'));
      const words = ['report', at('run'), '--reporter', reporter, '--out', at('out')];
      await capturedCall(words, { env: { npm_command: 'exec' } });
      const commands = (await readFile(at('out'), 'utf8')).match(/(?:npx )?shadowdiff replay/g) ?? [];
      expect(commands.length).toBeGreaterThan(0);
      expect(commands.filter((each) => each !== 'npx shadowdiff replay')).toEqual([]);
    },
  );
});

test('the command that replays a finding of a machine of one’s own names it, if a corpus keeps the finding too', async () => {
  await fuzz('impl:victim-ignores-draw', at('run'));
  const summary = JSON.parse(await readFile(at('run', 'summary.json'), 'utf8')) as {
    readonly findings: readonly { readonly replay: object }[];
  };
  const findings = summary.findings.map((each) => ({ ...each, replay: { ...each.replay, subject: 'metal:v86' } }));
  await store('summary.json', { ...summary, findings });
  const { out } = await report(at('run'), '--reporter', 'terminal');
  expect(out).toMatch(/shadowdiff replay \S*findings\S*\.json --subject metal:v86$/m);
});

describe('the counts of a run', () => {
  const totalsOf = async (changes: object): Promise<string> => {
    await fuzz('impl:victim-ignores-draw', at('run'));
    // Its counts are those of the summary.
    await rm(at('run', 'invariants.json'));
    const summary = JSON.parse(await readFile(at('run', 'summary.json'), 'utf8')) as { readonly time: object };
    await store('summary.json', { ...summary, time: { ...summary.time, milliseconds: 1000 }, ...changes });
    return (await report(at('run'), '--reporter', 'terminal')).out;
  };

  test('of one are in the singular', async () => {
    const out = await totalsOf({ programs: 1, judged: 1, steps: 1 });
    expect(out).toMatch(/^programs {2}1 with 1 step$/m);
    expect(out).toMatch(/^time .*1\.0 s, 1 step\/s, 1 program\/s$/m);
  });

  test('of none leave no blanks', async () => {
    const none = { total: 0, mapped: 0, fault: 0, mmio: 0, killed: 0, broken: 0 };
    expect(await totalsOf({ accesses: none })).toMatch(/^accesses {2}none$/m);
    const out = await totalsOf({ programs: 0, steps: 0, accesses: none });
    expect(out).not.toMatch(/^accesses|^early|-(?= of programs)/m);
  });
});

describe('other forms', () => {
  beforeEach(async () => {
    await fuzz('impl:victim-ignores-draw', at('run'));
    await store('coverage.json', sampleCoverage());
  });

  test('Markdown, for the page of a workflow too', async () => {
    await writeFile(at('summary.md'), 'before\n');
    const env = { GITHUB_STEP_SUMMARY: at('summary.md') };
    const { out } = await capturedCall(['report', at('run'), '--reporter', 'markdown'], { env });
    expect(out).toMatch(/^### ❌ Divergence: /);
    expect(out).toContain('shadowdiff replay');
    expect(out).toContain('| pgdir-cache | ❌ broken |');
    expect(out).toContain('- progress: an outcome: pae / coherent / fault; an outcome: pae / hostile / fault');
    expect(await readFile(at('summary.md'), 'utf8')).toBe(`before\n${out}`);
  });

  test('JUnit: a suite for each invariant', async () => {
    const { out } = await report(at('run'), '--reporter', 'junit');
    const [, failing] = /<testsuite name="pgdir-cache" tests="(\d+)" failures="\1"/.exec(out) ?? [];
    expect(Number(failing)).toBeGreaterThan(0);
    expect(out).toMatch(
      /<failure message="step \d+: [^"]*expected [^"]*" type="pgdir-cache"><!\[CDATA\[[^]*new-pgtable/,
    );
    expect(out).toMatch(/<testsuite name="translation" tests="1" failures="0"/);
  });

  test('JUnit: what was never exercised is skipped', async () => {
    const coverage = sampleCoverage();
    await store('coverage.json', { ...coverage, invariants: [] });
    await rm(at('run', 'summary.json'));
    const { out } = await report(at('run'), '--reporter', 'junit');
    expect(out).toMatch(/<testsuite name="translation" tests="1" failures="0" errors="0" skipped="1">/);
  });

  test('text of strangers breaks neither', async () => {
    const evil = ']]></failure></testsuite>\u001b[2J </script><img src=x> | `a`';
    for (const name of await readdir(at('run', 'findings'))) {
      const path = at('run', 'findings', name);
      const entry = JSON.parse(await readFile(path, 'utf8')) as { invariant: string; stage: string };
      const signature = `${entry.invariant} | ${entry.stage} | ${evil}`;
      await writeFile(path, JSON.stringify({ ...entry, difference: evil, actual: evil, signature }));
    }
    const { out: junit } = await report(at('run'), '--reporter', 'junit');
    expect(junit).not.toContain('\u001b');
    expect(junit.match(/<\/testsuites>/g)).toHaveLength(1);
    expect(junit.split('</testsuite>').length).toBe(junit.split('<testsuite ').length);
    const { out: markdown } = await report(at('run'), '--reporter', 'markdown');
    expect(markdown).not.toMatch(/<(?!\/?code>)/);
    expect(markdown).not.toMatch(/\| `a`/);
  });
});
