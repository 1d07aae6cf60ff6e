/** A subject that does not always show the same is a finding of its own, not a failure of the run. */

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import type { MachineConfig, Observation, Step } from '../../model/vocabulary/index.js';
import { subjectNamed } from '../../properties/subjects/subject-names.js';
import type { InProcessSubject } from '../../properties/subjects/subject.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { runInProcess } from '../../test-support/in-process-run.js';

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

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'shadowdiff-flaky-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const FEW = ['--subject', 'flaky', '--programs', '20', '--seed', 'chance', '--max-steps', '48', '--max-tries', '40'];
const corpus = (): string => join(directory, 'corpus');
const call = (words: readonly string[], turns: string): Promise<CapturedCall> =>
  runInProcess(words, { subjectNamed: flakyNamed(turns) });

/** Of each of these some finding shows in some of its runs alone. */
const TURNS = ['10', '1110', '0110100'];

describe.each(TURNS)('a subject that lies in turns of %s', (turns) => {
  test.each(['fuzz', 'nightly'])('is reported as flaky by %s, and not kept', async (command) => {
    const words = [command, ...FEW, '--jobs', '1', '--corpus', corpus()];
    if (command === 'nightly') words.push('--out', join(directory, 'run'));
    const { code, out, err } = await call(words, turns);
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^flaky {5}.* shows in [012] of 3 runs\)$/m);
    expect(out).toMatch(/^divergence: \d kinds? of finding in 20 programs$/m);
    const kept = existsSync(corpus()) ? await readdir(corpus()) : [];
    expect(kept).toHaveLength(out.match(/^new /gm)?.length ?? 0);
  });

  test('is not shrunk', async () => {
    const program = join(directory, 'program.json');
    await writeFile(program, (await call(['seeds', '--campaign', 'test', '--program', '1', '--print'], turns)).out);
    const { code, out, err } = await call(
      ['shrink', program, '--subject', 'flaky', '--write', '--corpus', corpus()],
      turns,
    );
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(
      /program\.json: flaky: flaky shows ".*" in [012] of 3 runs of one program; nothing was written$/m,
    );
    expect(existsSync(corpus())).toBe(false);
  });
});
