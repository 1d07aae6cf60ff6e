/** What the morning is told: each kind of news on a run that has it, and the exit code. */

import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { subjectNamed } from '../../properties/subjects/subject-names.js';
import { KNOWN_FORMAT } from '../../properties/known-findings.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import type { Surroundings, WorkerPool } from '../terminal/surroundings.js';
import type { Task, TaskOf } from './tasks.js';
import type { Spy } from '../../test-support/in-process-run.js';
import { runInProcess, spiedPool } from '../../test-support/in-process-run.js';

const DEFECT = 'impl:reference-held-twice';
const FEW = ['--programs', '16', '--seed', 'three', '--max-steps', '48', '--max-tries', '4', '--min-programs', '1'];
/** Enough for every invariant. */
const MANY = ['--programs', '700', '--seed', 'three'];

const at = directoryForEachTest();

let runs = 0;
const nightly = async (
  words: readonly string[],
  changes: Parameters<typeof runInProcess>[1] = {},
): Promise<CapturedCall> => {
  const places = ['--jobs', '1', '--corpus', at('corpus'), '--out', at(`run-${runs++}`)];
  return await runInProcess(['nightly', ...places, ...words], changes);
};
const withDefect = (...words: readonly string[]): Promise<CapturedCall> =>
  nightly(['--subject', DEFECT, ...FEW, ...words]);
const spying = (spy: Spy): Partial<Surroundings> => ({ workers: () => spiedPool(spy) });

const corpus = async (): Promise<readonly string[]> => (await readdir(at('corpus'))).toSorted();

/** Changes an entry that a run has kept. */
const edit = async (change: (text: string) => string): Promise<void> => {
  for (const name of await corpus()) {
    await writeFile(at('corpus', name), change(await readFile(at('corpus', name), 'utf8')));
  }
};

describe('findings', () => {
  test('are new once, and known from then on', async () => {
    const first = await withDefect();
    expect(first.code).toBe(1);
    expect(first.out).toMatch(
      /^new {7}reference-count \| .* \(\d+ steps?, \d+ programs?\)\n {2}shadowdiff replay \S*corpus\S*$/m,
    );
    const kept = await corpus();
    const second = await nightly(['--subject', DEFECT, ...FEW], { today: () => new Date(86_400_000) });
    expect(second.code).toBe(1);
    expect(second.out).not.toMatch(/^new/m);
    expect(second.out).toMatch(/^known {5}reference-count/m);
    expect(await corpus()).toEqual(kept);
  });

  test('that are tolerated are counted, not kept, and no failure', async () => {
    const { out } = await withDefect();
    await rm(at('corpus'), { recursive: true });
    const signatures = [...out.matchAll(/^new {7}(.*) \(/gm)].map(([, signature]) => signature);
    const findings = signatures.map((signature) => ({ signature, reason: 'r', owner: 'o', expires: '2030-01-01' }));
    await writeFile(at('known.json'), JSON.stringify({ format: KNOWN_FORMAT, findings }));
    const again = await withDefect('--known', at('known.json'));
    // Few programs do not exercise all.
    expect(again.code).toBe(3);
    expect(again.out).toMatch(/^known {5}reference-count .* in the file of --known\)$/m);
    await expect(corpus()).rejects.toThrow('ENOENT');
  });
});

describe('the time for one program', () => {
  const timesIn = async (words: readonly string[]): Promise<readonly (number | string)[]> => {
    const times = new Set<number>();
    const watched: typeof subjectNamed = (name, where, settings) => {
      times.add(settings.caseTimeout);
      return subjectNamed(name, where, settings);
    };
    const { out } = await runInProcess(words, { subjectNamed: watched });
    const inCommands = out.match(/(?<= replay .* --case-timeout )\S+$/gm) ?? [];
    return [...times, ...new Set(inCommands)];
  };

  test('is that of the run for all that runs its findings again, commands to paste included', async () => {
    const run = ['--subject', DEFECT, ...FEW, '--jobs', '1', '--corpus', at('corpus'), '--out', at('timed')];
    expect(await timesIn(['nightly', ...run, '--case-timeout', '7s'])).toEqual([7000, '7000ms']);
    const page = ['report', at('timed'), '--out', at('page.html')];
    expect(await timesIn(page)).toEqual([7000]);
    expect(await timesIn(['report', at('timed'), '--reporter', 'terminal'])).toEqual(['7000ms']);
    expect(await timesIn([...page, '--case-timeout', '8s'])).toEqual([8000]);
  });
});

describe('the corpus', () => {
  beforeEach(() => withDefect());
  const later = { today: () => new Date(86_400_000) };

  test('tells what is fixed', async () => {
    await edit((text) => text.replace(`"subject": "${DEFECT}"`, '"subject": "model"'));
    const { code, out } = await nightly([...FEW, '--subject', 'model'], later);
    expect(out).toMatch(/^corpus {4}2 entries replayed, 2 fixed$/m);
    expect(out).toMatch(
      /^fixed {5}model no longer diverges; if it was fixed, set "status" to "fixed", or .* "corpus prune --stale" \(and 1 more\)\n {2}shadowdiff replay/m,
    );
    expect(code).toBe(0);
  });

  test('fails if a planted bug no longer shows', async () => {
    await edit((text) => text.replace(`"subject": "${DEFECT}"`, '"subject": "impl:victim-ignores-draw"'));
    const { code, out } = await nightly(FEW, later);
    expect(out).toMatch(/^corpus {4}impl:victim-ignores-draw no longer diverges/m);
    expect(code).toBe(1);
  });

  test('fails if another machine diverges on it', async () => {
    const { code, out } = await nightly([...FEW, '--subject', `${DEFECT},fault-code-from-shadow`], later);
    expect(out).toMatch(
      /^corpus {4}impl:\S* diverges from model: reference-count .*\n {2}shadowdiff replay .* --subject impl:/m,
    );
    expect(code).toBe(1);
  });

  test('is not trusted if an entry cannot be read', async () => {
    await edit((text) => text.slice(0, 20));
    const { code, out } = await nightly(FEW, later);
    expect([code, out]).toEqual([
      3,
      expect.stringMatching(/inconclusive: .*cannot be read: line 2, column 19: the text ends/),
    ]);
  });
});

describe('a run', () => {
  test('that exercised all and found nothing is clean', async () => {
    const { code, out } = await nightly(MANY);
    expect([code, out]).toEqual([0, expect.stringContaining('clean: impl agrees with model in 700 programs')]);
  });

  test('that did not catch its canary is not trusted', async () => {
    const pool = spiedPool(() => undefined);
    const run: WorkerPool['run'] = async (task, ...others) => {
      const isCanary =
        (task as Task).kind === 'batch' && (task as TaskOf<'batch'>).settings.campaign.endsWith('/canary');
      return isCanary ? { kind: 'done', result: { findings: [] } } : await pool.run(task, ...others);
    };
    const { code, out } = await nightly(MANY, { workers: () => ({ run, end: () => pool.end() }) });
    expect([code, out]).toEqual([
      3,
      expect.stringMatching(/inconclusive: the canary impl:\S+ was not caught in 8,192 programs/),
    ]);
  });

  test.each([
    [['--min-programs', '701'], '700 programs ran, and --min-programs asks for 701'],
    [['--traffic', 'coherent', '--max-steps', '48', '--programs', '20'], 'never exercised in 20 programs:'],
  ])('with %j is inconclusive', async (words, reason) => {
    const { code, out } = await nightly([...MANY, '--min-programs', '1', ...words]);
    expect([code, out]).toEqual([3, expect.stringContaining(`inconclusive: ${reason}`)]);
  });

  test('that is interrupted says how to go on, and then does', async () => {
    await withDefect();
    let interrupt = (): void => undefined;
    const onInterrupt = (listener: () => void) => {
      interrupt = listener;
      return () => undefined;
    };
    const { workers } = spying(() => interrupt());
    const { code, out } = await nightly(MANY, { workers: workers!, onInterrupt });
    const [, words] = /\nshadowdiff (nightly --resume \S+ --corpus \S+)\n$/.exec(out) ?? [];
    expect([code, out]).toEqual([130, expect.stringMatching(/^interrupted: 0 kinds of finding in 0 programs$/m)]);
    expect(out).not.toContain('canary');
    const resumed = await runInProcess(words.split(' '));
    expect([resumed.code, resumed.out]).toEqual([0, expect.stringMatching(/^canary {4}impl:\S+ caught/m)]);
  });

  test.each([40, 80])('is told within %i columns, but for what is to be copied', async (columns) => {
    const { out } = await nightly(['--subject', DEFECT, ...FEW], { columns });
    const copied = /^ {2}shadowdiff |^canary +impl:[^ ]+$|^results|^seed|shadowdiff-test-/;
    const long = out.split('\n').filter((line) => line.length > columns && !copied.test(line));
    expect(long).toEqual([]);
  });
});
