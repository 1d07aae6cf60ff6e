/** What chance may do to a run: a subject that does not always show the same, and workers that something outside kills. */

import { existsSync } from 'node:fs';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import type { MachineConfig, Observation, Step } from '../../model/vocabulary/index.js';
import { subjectNamed } from '../../properties/subjects/subject-names.js';
import type { InProcessSubject } from '../../properties/subjects/subject.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import type { Spy } from '../../test-support/in-process-run.js';
import { runInProcess, spiedPool } from '../../test-support/in-process-run.js';
import type { Task } from './tasks.js';

/** Counts a table too many in its first step, on every program whose turn it is. */
class Flaky extends ShadowMachine {
  private readonly isTurn: () => boolean;
  private lies = false;

  constructor(isTurn: () => boolean) {
    super();
    this.isTurn = isTurn;
  }

  override create(config: MachineConfig): Observation {
    this.lies = this.isTurn();
    return super.create(config);
  }

  override apply(step: Step): Observation {
    const observation = super.apply(step);
    if (!this.lies) return observation;
    this.lies = false;
    return { ...observation, tables: 7 };
  }
}

/** `turns`: which programs in a row it lies about, again and again. */
const flakyNamed = (turns: string): typeof subjectNamed => {
  let turn = 0;
  const isTurn = (): boolean => turns[turn++ % turns.length] === '1';
  const flaky: InProcessSubject = { kind: 'in-process', name: 'flaky', create: () => new Flaky(isTurn) };
  return (name, ...others) => (name === 'flaky' ? flaky : subjectNamed(name, ...others));
};

const at = directoryForEachTest();

const FEW = ['--subject', 'flaky', '--programs', '20', '--seed', 'chance', '--max-steps', '48', '--max-tries', '40'];
const corpus = (): string => at('corpus');
const call = (words: readonly string[], turns: string): Promise<CapturedCall> =>
  runInProcess(words, { subjectNamed: flakyNamed(turns) });

/** Of each of these some finding shows in some of its runs alone. */
const TURNS = ['10', '1110', '0110100'];

describe.each(TURNS)('a subject that lies in turns of %s', (turns) => {
  test.each(['fuzz', 'nightly'])('is reported as flaky by %s, and not kept', async (command) => {
    const words = [command, ...FEW, '--jobs', '1', '--corpus', corpus()];
    if (command === 'nightly') words.push('--out', at('run'));
    const { code, out, err } = await call(words, turns);
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^flaky {5}.* shows in \d of 10 runs\)$/m);
    expect(out).toMatch(/^divergence: \d kinds? of finding .*in 20 programs/m);
    const kept = existsSync(corpus()) ? await readdir(corpus()) : [];
    expect(kept).toHaveLength(out.match(/^new /gm)?.length ?? 0);
  });

  test('is not shrunk', async () => {
    const program = at('program.json');
    await writeFile(program, (await call(['seeds', '--campaign', 'test', '--program', '1', '--print'], turns)).out);
    const { code, out, err } = await call(
      ['shrink', program, '--subject', 'flaky', '--write', '--corpus', corpus()],
      turns,
    );
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(
      /program\.json: flaky: flaky shows ".*" in \d of 10 runs of one program; nothing was written$/m,
    );
    expect(existsSync(corpus())).toBe(false);
  });
});

describe('a worker that something outside kills', () => {
  const DEFECT = ['--subject', 'impl:reference-held-twice'];
  const BRIEF = ['--seed', 'three', '--max-steps', '48', '--max-tries', '4', '--min-programs', '1', '--jobs', '1'];
  const MANY = ['--seed', 'three', '--programs', '700', '--jobs', '1'];
  const out = (): string => at('run');
  const LATER = { today: () => new Date(86_400_000) };

  /** Runs `nightly`, and kills the worker of each task that `isHit`, but for every `survivor`th time. */
  const nightly = (words: readonly string[], isHit: (task: Task) => boolean, survivor = Infinity, changes = {}) => {
    let hits = 0;
    const spy: Spy = (task) => (isHit(task) && ++hits % survivor !== 0 ? 'killed' : undefined);
    return runInProcess(['nightly', '--corpus', corpus(), ...words], { workers: () => spiedPool(spy), ...changes });
  };
  const isCanary = (task: Task): boolean => task.kind === 'batch' && task.settings.campaign.endsWith('/canary');
  const isKind =
    (kind: Task['kind']) =>
    (task: Task): boolean =>
      task.kind === kind && !isCanary(task);
  const timeless = async (): Promise<string> =>
    (await readFile(join(out(), 'summary.json'), 'utf8'))
      .replace(/^ "time": \{[^}]*\},\n/m, '')
      .replace(/"retries": \d+/, '');

  /** The summary is that of a run without accidents. */
  const expectNoTrace = async (words: readonly string[], isHit: (task: Task) => boolean, changes = {}) => {
    const before = existsSync(corpus()) ? await readdir(corpus()) : [];
    const restore = async (): Promise<void> => {
      await rm(out(), { recursive: true });
      for (const name of existsSync(corpus()) ? await readdir(corpus()) : [])
        if (!before.includes(name)) await rm(join(corpus(), name));
    };
    const smooth = await nightly([...words, '--out', out()], () => false, 1, changes);
    const expected = await timeless();
    await restore();
    const rough = await nightly([...words, '--out', out()], isHit, 3, changes);
    expect(rough.code).toBe(smooth.code);
    expect(await timeless()).toBe(expected);
    expect(rough.out).toMatch(/^workers {3}failed or were killed \d+ times?; their tasks were tried again$/m);
    await restore();
    const hopeless = await nightly([...words, '--out', out()], isHit, Infinity, changes);
    expect(hopeless.out).toMatch(/not done: .* \(5 workers were killed; .*\)/);
    // Only a finding is worse than not to know.
    expect(hopeless.code).toBe(/^new /m.test(hopeless.out) ? 1 : 3);
    const resumed = await nightly(['--resume', out()], () => false, 1, changes);
    expect(resumed.code).toBe(smooth.code);
    expect(await timeless()).toBe(expected);
  };

  test.each(['batch', 'shrink', 'rerun'] as const)(
    'changes nothing about a %s, or leaves it for later',
    async (kind) => {
      await expectNoTrace([...DEFECT, ...BRIEF, '--programs', '12'], isKind(kind));
    },
  );

  test('changes nothing about an entry of the corpus, or leaves it for later', async () => {
    await nightly([...DEFECT, ...BRIEF, '--programs', '12', '--out', at('first')], () => false);
    await expectNoTrace(MANY, isKind('corpus'), LATER);
  });

  test('changes nothing about the canary, or leaves it for later', async () => {
    await expectNoTrace(MANY, isCanary);
  });

  test('that fails at every run alone is no proof that a finding is flaky', async () => {
    const spy: Spy = ({ kind }) => {
      if (kind === 'rerun') throw new Error('gone');
    };
    const words = ['nightly', ...DEFECT, ...BRIEF, '--programs', '12', '--corpus', corpus(), '--out', out()];
    const failed = await runInProcess(words, { workers: () => spiedPool(spy) });
    expect([failed.code, failed.out]).toEqual([
      1,
      expect.stringMatching(/also: not done: rerun of .*3 workers failed/),
    ]);
    expect(failed.out).not.toMatch(/^flaky/m);
    expect(existsSync(corpus())).toBe(false);
    const resumed = await runInProcess(['nightly', '--resume', out(), '--corpus', corpus()]);
    expect([resumed.code, resumed.out]).toEqual([1, expect.not.stringContaining('not done')]);
    expect(await readdir(corpus())).not.toEqual([]);
  });
});
