/** The program pool beside the counterexamples: listed, pruned, and never mistaken for counterexamples. */

import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatProgram, parseProgram, programHash } from '../../../properties/formats/index.js';
import type { Program } from '../../../model/vocabulary/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../../properties/generators/index.js';
import { programsOf } from '../../../properties/campaign/programs.js';
import { capturedCall } from '../../../test-support/captured-call.js';

const OURS = fileURLToPath(new URL('../../../corpus', import.meta.url));

const programs = programsOf({ campaign: 'corpus programs', ...DEFAULT_PROGRAM_OPTIONS });
const [LONG, OTHER] = [0, 1, 2, 3]
  .map((index) => programs(index).value.program)
  .toSorted((one, other) => other.steps.length - one.steps.length) as [Program, Program];
/** Reaches what `LONG` does: the last step, done again, meets nothing new. */
const LONGER: Program = { machine: LONG.machine, steps: [...LONG.steps, LONG.steps.at(-1)!] };

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'corpus-programs-'));
  const [name] = (await readdir(OURS)).filter((each) => each.endsWith('.json')).toSorted();
  await cp(join(OURS, name), at('corpus', name));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const store = async (...some: readonly Program[]): Promise<void> => {
  for (const program of some) {
    const path = at('corpus', 'programs', `${programHash(program)}.json`);
    await cp(at('corpus', (await readdir(at('corpus')))[0]), path, { recursive: true });
    await writeFile(path, `${formatProgram(program)}\n`);
  }
};

const call = (...words: readonly string[]) => capturedCall(['corpus', ...words, '--corpus', at('corpus')]);
const kept = async (): Promise<readonly string[]> => (await readdir(at('corpus', 'programs'))).toSorted();
const namesOf = (...some: readonly Program[]): readonly string[] =>
  some.map((program) => `${programHash(program)}.json`).toSorted();

describe('corpus programs', () => {
  test('of a corpus without any says so', async () => {
    expect(await call('programs')).toMatchObject({ code: 0, out: '0 programs, 0 situations reached\n' });
  });

  test('lists each, with what it alone reaches', async () => {
    await store(LONG, OTHER);
    const { code, out } = await call('programs', '--json');
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { situations: number; alone: number; steps: number });
    expect([code, lines.length]).toEqual([0, 2]);
    for (const { situations, alone } of lines) expect(alone).toBeLessThanOrEqual(situations);
    expect(lines.map(({ alone }) => alone > 0)).toContain(true);
    expect((await call('programs')).out).toContain('2 programs, ');
  });

  test('--prune removes what adds nothing, and only that; --dry-run tells', async () => {
    await store(LONG, LONGER);
    expect((await call('programs', '--prune', '--dry-run')).out).toContain('would remove');
    expect(await kept()).toEqual(namesOf(LONG, LONGER));
    expect((await call('programs', '--prune')).out).toContain(
      `removed ${at('corpus', 'programs', namesOf(LONGER)[0])}`,
    );
    expect(await kept()).toEqual(namesOf(LONG));
    await call('programs', '--prune', '--most-programs', '0');
    expect(await kept()).toEqual([]);
  });

  test('refuses a file that is none, by its name and field', async () => {
    await store(LONG);
    const path = at('corpus', 'programs', namesOf(LONG)[0]);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"guestPages":', '"guestPage":'));
    expect(await call('programs')).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${path}: machine`) as string,
    });
  });

  test('are no counterexamples', async () => {
    await store(LONG, OTHER);
    for (const words of [['list'], ['stats'], ['prune', '--dry-run']]) {
      const { code, out, err } = await call(...words);
      expect([code, err]).toEqual([0, '']);
      expect(out).not.toContain(join('corpus', 'programs'));
    }
    expect((await call('stats', '--json')).out).toContain('"entries": 1');
    const { out } = await capturedCall(['regress', '--corpus', at('corpus')]);
    expect(out).not.toContain(join('corpus', 'programs'));
  });
});

test('fuzz --guided runs programs that are made from the pool, the same each time', async () => {
  await store(LONG, OTHER);
  const fuzz = async (share: string): Promise<string> => {
    const words = ['--programs', '40', '--seed', 'guided', '--corpus', at('corpus'), '--out', at('out')];
    const { out } = await capturedCall(['fuzz', '--guided', share, ...words]);
    expect(out).toContain(share === '0' ? 'repeat with --seed guided)' : `--guided ${share} and the same pool`);
    return (
      JSON.parse(await readFile(at('out', 'summary.json'), 'utf8')) as { readonly steps: number }
    ).steps.toString();
  };
  const [none, half, again] = [await fuzz('0'), await fuzz('0.5'), await fuzz('0.5')];
  expect(half).not.toBe(none);
  expect(again).toBe(half);
});

test('a stored program is a program like any other', () => {
  expect(parseProgram(`${formatProgram(LONG)}\n`, 'test')).toEqual(LONG);
});
