/** The example subject over the pipe: it agrees with the model, and a bug planted in a copy of it is found. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Paging } from '../../model/vocabulary/index.js';
import { programArbitrary } from '../../properties/generators/index.js';
import type { Divergence } from '../../properties/divergence.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { Pair } from '../../properties/pair.js';
import { programSeed, randomFor } from '../../properties/seeds.js';
import { CommandSubject } from '../../properties/subjects/command-subject.js';
import { MODEL } from '../../properties/subjects/subject-names.js';

const WALKER = fileURLToPath(new URL('walker.py', import.meta.url));
const README = fileURLToPath(new URL('README.md', import.meta.url));
const CASE_TIMEOUT = 20_000;

const hasPython = spawnSync('python3', ['--version']).status === 0;

let pair: Pair;
let directory: string;

beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'walker-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => pair.close());

/** The model against a program in Python or another language. */
const against = (command: string): Pair => {
  const subject = new CommandSubject(command, '--subject', { caseTimeout: CASE_TIMEOUT, startTimeout: CASE_TIMEOUT });
  return (pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS }));
};

/** Runs programs of a campaign until one shows a divergence. */
const firstFinding = async (side: Pair, programs: number, paging: Paging): Promise<Divergence | undefined> => {
  const arbitrary = programArbitrary({ paging });
  for (let index = 0; index < programs; index++) {
    const { traffic, program } = arbitrary.generate(randomFor(programSeed('walker', index)), undefined).value;
    const found = await side.run(program, { contractKept: traffic === 'coherent', twice: index % 64 === 0 });
    if (found !== undefined) return found;
  }
  return undefined;
};

/** A copy of the example with one line changed. */
const changed = (line: string, instead: string): string => {
  const text = readFileSync(WALKER, 'utf8');
  const parts = text.split(`${line}\n`);
  expect(parts, `the line "${line}" of walker.py`).toHaveLength(2);
  const path = join(directory, 'changed.py');
  writeFileSync(path, parts.join(`${instead}\n`));
  return path;
};

describe.skipIf(!hasPython)(`walker.py${hasPython ? '' : ' (skipped: python3 is not installed)'}`, () => {
  test('agrees with the model', async () => {
    expect(await firstFinding(against(`python3 "${WALKER}"`), 300, '2-level')).toBeUndefined();
    expect(pair.tally.outcomesOf('access', 'mapped')).toBeGreaterThan(1000);
    expect(pair.tally.allOutcomes('killed')).toBeGreaterThan(10);
  });

  test('says that it does 2-level paging only', async () => {
    const settings = { caseTimeout: CASE_TIMEOUT, startTimeout: CASE_TIMEOUT };
    const subject = new CommandSubject(`python3 "${WALKER}"`, '--subject', settings);
    expect(await subject.start()).toMatchObject({ version: 2, name: 'walker', paging: ['2-level'] });
    await subject.close();
  });

  test.each([
    { bug: 'never sets D', line: '            leaf |= D', instead: '            pass', invariant: 'accessed-dirty' },
    {
      bug: 'forgets what it has read',
      line: '        self.release_leaf(self.current, vaddr // PAGE)',
      instead: '        pass',
      invariant: 'reference-count',
    },
    {
      bug: 'fails itself where it should end the guest',
      line: '            raise Kill("bad page directory entry")',
      instead: '            raise ValueError(top)',
      invariant: 'subject-crash',
    },
  ])('one that $bug is found out', async ({ line, instead, invariant }) => {
    const found = await firstFinding(against(`python3 "${changed(line, instead)}"`), 300, '2-level');
    expect(found?.invariant).toBe(invariant);
  });

  test('the loop of README.md is a subject', async () => {
    const [, loop] = /```python\n(.*?)```/s.exec(readFileSync(README, 'utf8'))!;
    const path = join(directory, 'loop.py');
    writeFileSync(path, loop);
    const found = await firstFinding(against(`python3 "${path}"`), 1, '2-level');
    expect(found).toBeDefined();
    expect(found?.invariant).not.toMatch(/^subject-/);
  });
});
