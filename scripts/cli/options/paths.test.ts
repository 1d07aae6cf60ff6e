import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { parseArgsStringToArgv } from 'string-argv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { capturedCall, capturing } from '../../../test-support/captured-call.js';
import { Session } from '../../terminal/session.js';
import { COMMANDS } from '../commands/registry.js';

/** Every command and what is below it, with how it is called. */
const everyCommand = async (): Promise<readonly (readonly [words: readonly string[], command: Command])[]> => {
  const program = new Command();
  for (const { load } of COMMANDS) (await load()).register(program, new Session(capturing().surroundings));
  const below = (command: Command, words: readonly string[]): (readonly [readonly string[], Command])[] =>
    command.commands.flatMap((each) => {
      const path = [...words, each.name()];
      return [[path, each] as const, ...below(each, path)];
    });
  return below(program, []);
};

describe('an empty path is refused', () => {
  test('of every option', async () => {
    const called: string[] = [];
    for (const [words, { options }] of await everyCommand()) {
      for (const { long, flags } of options.filter((each) => /<(?:file|directory)>/.test(each.flags))) {
        const { code, err } = await capturedCall([...words, long!, '']);
        expect({ words, flags, code }).toEqual({ words, flags, code: 2 });
        expect(err).toContain(`error: option '${flags}' argument '' is invalid. Give a path.`);
        called.push(`${words.join(' ')} ${long}`);
      }
    }
    for (const one of ['nightly --out', 'nightly --resume', 'fuzz --out', 'merge --corpus', 'known add --known'])
      expect(called).toContain(one);
  });

  test('of every argument', async () => {
    const called: string[] = [];
    for (const [words, { registeredArguments, options }] of await everyCommand()) {
      if (!/^(?:file|directory)$/.test(registeredArguments[0]?.name() ?? '')) continue;
      const given = ['', ...options.filter(({ mandatory }) => mandatory).flatMap(({ long }) => [long!, 'x'])];
      const { code, err } = await capturedCall([...words, ...given]);
      expect({ words, code }).toEqual({ words, code: 2 });
      expect(err).toContain('Give a path.');
      called.push(words.join(' '));
    }
    for (const one of ['replay', 'merge', 'regress', 'corpus add']) expect(called).toContain(one);
  });
});

describe('in another directory', () => {
  const start = process.cwd();
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shadowdiff-paths-'));
    process.chdir(directory);
  });
  afterEach(async () => {
    process.chdir(start);
    await rm(directory, { recursive: true, force: true });
  });

  test('a path that begins with a dash is printed such that the command can be called', async () => {
    const few = '--programs 12 --seed test --max-tries 50 --max-findings 1'.split(' ');
    const fuzzed = await capturedCall(['fuzz', '--subject', 'impl:victim-ignores-draw', ...few, '--corpus=-c']);
    expect(fuzzed.code).toBe(1);
    const line = fuzzed.out.split('\n').find((each) => each.includes('shadowdiff replay'))!;
    const words = parseArgsStringToArgv(line.slice(line.indexOf('replay')));
    expect((await capturedCall(words)).code).toBe(1);
  });

  test.each(['regress', 'corpus', 'corpus stats', 'defects findings'])(
    '%s reads the corpus of the package, and names it',
    async (words) => {
      const { code, out, err } = await capturedCall(words.split(' '));
      expect({ code, err }).toEqual({
        code: 0,
        err: `shadowdiff: ./corpus does not exist; reading the corpus of the package, ${join(start, 'corpus')}\n`,
      });
      expect(out).not.toBe('');
      expect((await capturedCall([...words.split(' '), '--corpus', 'corpus'])).code).toBe(2);
    },
  );

  test.each(['add x.json', 'prune', 'prune --dry-run'])(
    'corpus %s never turns to the corpus of the package',
    async (words) => {
      expect(await capturedCall(['corpus', ...words.split(' ')])).toMatchObject({ code: 2, out: '' });
    },
  );
});
