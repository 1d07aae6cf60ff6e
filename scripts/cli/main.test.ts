/** Whole calls of the command, in this process. */

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { OBSERVABLES } from '../../model/vocabulary/index.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { COMMANDS } from './commands/registry.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { capturedCall as call } from '../../test-support/captured-call.js';

const DEFECT = 'impl:victim-ignores-draw';
/** Runs in a moment, and finds the defect. */
const FEW = ['--programs', '12', '--seed', 'test', '--max-tries', '200'];

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'shadowdiff-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const corpus = (): string => join(directory, 'corpus');
const fuzz = (...words: readonly string[]): Promise<CapturedCall> => call(['fuzz', '--corpus', corpus(), ...words]);
const findDefect = (...words: readonly string[]): Promise<CapturedCall> => fuzz('--subject', DEFECT, ...FEW, ...words);
const entries = async (): Promise<readonly string[]> => (await readdir(corpus())).map((name) => join(corpus(), name));

const exampleProgram = async (): Promise<string> => {
  const path = join(directory, 'program.json');
  const { out } = await call(['seeds', '--campaign', 'test', '--program', '2', '--print']);
  await writeFile(path, out);
  return path;
};

describe('usage', () => {
  test('an argument cannot command the terminal', async () => {
    const { code, err } = await call(['fuzz', '--seed', '\u001b[31mred']);
    expect(code).toBe(2);
    expect(err).toContain("argument '\\u001b[31mred' is invalid");
  });

  test('a default is told once', async () => {
    const { out } = await call(['replay', '--help']);
    expect(out).toContain('(default: 5s)');
    expect(out).not.toContain('5000');
  });

  test.each([
    [[], 'Usage: shadowdiff'],
    [['nope'], "unknown command 'nope'"],
    [['corpus', 'nope'], "unknown command 'nope'; the commands of shadowdiff corpus are: list, add, prune, stats"],
    [['known', 'nope', '--json'], "unknown command 'nope'"],
    [['defects', 'nope'], "unknown command 'nope'"],
    [['exhaust', 'nope'], "unknown command 'nope'; the commands of shadowdiff exhaust are: defects"],
    [['exhaust', '--depth', '1', 'nope'], "unknown command 'nope'"],
    [['corpus', 'list', 'extra'], 'too many arguments'],
    [['exhaust', '--depth', '0'], 'from 1 to 1000'],
    [['fuzz', '--nope'], "unknown option '--nope'"],
    [['fuzz', 'extra'], 'too many arguments'],
    [['fuzz', '--time', 'soon'], 'Write a number and a unit'],
    [['fuzz', '--programs', '-1'], 'Give a whole number'],
    [['fuzz', '--max-steps', '47'], 'from 48'],
    [['fuzz', '--seed', 'a b'], 'without blanks'],
    [['fuzz', '--paging', 'x'], 'Allowed choices'],
    [['fuzz', '--subject', 'nobody'], 'there is no subject "nobody"'],
    [['fuzz', '--subject', 'impl:nothing'], 'there is no defect "nothing"'],
    [['fuzz', '--subject', `impl:${'lguest,'.repeat(10_000)}lguest`], 'the defect "lguest" is named twice'],
    [['fuzz', '--subject', 'exec:/no/such/command'], 'cannot start "/no/such/command"'],
    [['fuzz', '--invariant', 'nothing'], '"nothing" is not known'],
    [['replay'], "missing required argument 'file'"],
    [['seeds'], '--campaign'],
    [['seeds', '--campaign', 'x', '--print'], '--program'],
    [['seeds', '--campaign', 'x', '--shard', '1'], '--shards'],
  ])('%j is refused', async (words, message) => {
    const { code, out, err } = await call(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ {4}at .*:\d+/m);
  });

  test('every command explains itself, with examples and exit codes', async () => {
    const { code, out } = await call(['--help']);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) {
      expect(out).toContain(`\n  ${name} `);
      const help = await call([name, '--help']);
      expect(help.code).toBe(0);
      expect(help.out).toMatch(new RegExp(`Examples:\\n {2}shadowdiff ${name}[\\s\\S]*Exit codes:\\n {2}0 +clean`));
    }
  });

  test.each([40, 50, 100])('help fits %i columns, apart from what can be pasted', async (columns) => {
    for (const words of [[], ...COMMANDS.map(({ name }) => [name]), ['exhaust', 'defects'], ['corpus', 'programs']]) {
      const { out } = await call([...words, '--help'], { columns });
      const lines = out.split('\n').filter((line) => !/^(?:Usage:| {2})(?: npx)? ?shadowdiff /.test(line));
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
    }
  });

  test('a bug of our own is told apart from a wrong input', async () => {
    const broken = {
      subjectNamed: () => {
        throw new TypeError('boom');
      },
    };
    const { code, err } = await call(['fuzz'], broken);
    expect(code).toBe(4);
    expect(err).toMatch(/boom; this is a bug in shadowdiff[\s\S]*main\.test/);
  });
});

describe('bad files', () => {
  test.each([
    ['', 'the file is empty'],
    ['[1,', 'the text ends'],
    ['7', 'format: missing'],
    ['{"format":"shadowdiff-program/9"}', '"shadowdiff-program/9" is not known here'],
    ['{"format":5}', 'format: 5 is not known here'],
    ['{"format":"shadowdiff-program/1","machine":5,"steps":[]}', 'machine'],
    ['{"format":"shadowdiff-counterexample/1"}', 'missing'],
  ])('%j is refused by replay and shrink', async (content, message) => {
    const path = join(directory, 'bad.json');
    await writeFile(path, content);
    for (const words of [
      ['replay', path],
      ['shrink', path, '--write', '--corpus', corpus()],
    ]) {
      const { code, out, err } = await call(words);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain(path);
      expect(err).toContain(message);
    }
    expect(await readdir(directory)).toEqual(['bad.json']);
  });

  test('a missing one and a directory are told', async () => {
    expect((await call(['replay', join(directory, 'none')])).err).toContain('there is no such file');
    expect((await call(['replay', directory])).err).toContain('this is a directory');
  });
});

describe('fuzz', () => {
  test('a clean run leaves nothing behind', async () => {
    const { code, out, err } = await fuzz('--programs', '5', '--seed', 'test');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^seed test {3}\(repeat with --seed test\)\n/);
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      'clean: impl agrees with model in 5 programs; every invariant was exercised',
    );
    for (const { id } of INVARIANTS) expect(out).toContain(id);
    expect(await readdir(directory)).toEqual([]);
  });

  test('the seed is told as a shell takes it', async () => {
    const { out } = await fuzz('--programs', '1', '--seed', '$(id)');
    expect(out.split('\n')[0]).toBe("seed $(id)   (repeat with --seed '$(id)')");
  });

  test('a finding is stored, listed, and ends with the command that replays it', async () => {
    const { code, out } = await findDefect();
    expect(code).toBe(1);
    const [path] = await entries();
    const line = `shadowdiff replay ${path}`;
    expect(out).toMatch(/\n {2}expected {2}\S[^\n]*\n {2}actual {4}\S[^\n]*\n[\s\S]*\n> {1,2}\d+ {2}new-pgtable/);
    expect(out.split('\n').filter((each) => each === line)).toHaveLength(2);
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^shadowdiff replay /);
    const replayed = await call(line.split(' ').slice(1));
    expect(replayed.code).toBe(1);
    expect(replayed.out).toMatch(/\n> {1,2}\d+ {2}new-pgtable[\s\S]*\n {2}breaks/);
  });

  test('a finding has no number, which would depend on the number of workers', async () => {
    expect((await findDefect()).out).toMatch(/^finding: pgdir-cache \| /m);
  });

  test('the same seed prints the same report, times apart', async () => {
    const report = async (): Promise<string> => (await findDefect()).out.replace(/^time .*$/m, 'time');
    expect(await report()).toBe(await report());
  });

  test('--out holds the summary and the findings', async () => {
    const out = join(directory, 'out');
    await findDefect('--out', out);
    const summary: unknown = JSON.parse(await readFile(join(out, 'summary.json'), 'utf8'));
    expect(summary).toMatchObject({ format: 'shadowdiff-summary/4', seed: 'test', subject: DEFECT, exitCode: 1 });
    expect(await readdir(join(out, 'findings'))).toEqual(await readdir(corpus()));
  });

  test('a finding that cannot be stored is printed whole', async () => {
    const lost = await call(['fuzz', '--corpus', '/proc/none', '--subject', DEFECT, ...FEW, '--max-findings', '1']);
    expect(lost.code).toBe(2);
    expect(lost.err).toContain('cannot be written');
    const program = lost.out.split('\n').find((line) => line.startsWith('{"format":"shadowdiff-program/1"'));
    const path = join(directory, 'rescued.json');
    await writeFile(path, program!);
    expect((await call(['replay', path, '--subject', DEFECT])).code).toBe(1);
  });

  test('a place for findings that is a file is refused before the run', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    for (const option of ['--corpus', '--out']) {
      expect(await fuzz(option, path)).toMatchObject({ code: 2, out: '' });
    }
  });

  test('an interruption ends it with a summary', async () => {
    const { code, out } = await call(['fuzz', '--corpus', corpus()], {
      onInterrupt: (listener) => {
        setTimeout(listener, 300);
        return () => undefined;
      },
    });
    expect(code).toBe(130);
    expect(out).toMatch(/summary\n[\s\S]*interrupted: 0 kinds of finding/);
  });

  test('a run without any program is inconclusive', async () => {
    expect(await fuzz('--programs', '0')).toMatchObject({ code: 3 });
  });

  test('an invariant that was never exercised makes a long run inconclusive', async () => {
    const idle = { kind: 'in-process', name: 'idle', create: () => neverTwice() } as const;
    const words = ['fuzz', '--corpus', corpus(), '--programs', '2000', '--traffic', 'hostile', '--max-steps', '48'];
    const { code, out } = await call([...words, '--invariant', 'stack-pinned'], { subjectNamed: () => idle });
    expect(code).toBe(3);
    expect(out).toContain('inconclusive: never exercised in 2,000 programs: stack-pinned');
  });

  test('on a narrow terminal nothing but listings is wider than it', async () => {
    const words = ['fuzz', '--corpus', corpus(), '--programs', '50', '--seed', 'test', '--no-color'];
    const { out } = await call(words, { columns: 40 });
    expect(out).not.toContain('\u001b');
    const lines = out.split('\n').filter((line) => !line.startsWith('seed'));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
  });

  test.each([
    [{}, [], true],
    [{ NO_COLOR: '1' }, [], false],
    [{ TERM: 'dumb' }, [], false],
    [{}, ['--no-color'], false],
  ])('colours with %j %j: %s', async (env, words, coloured) => {
    const { out } = await call([...words, 'fuzz', '--corpus', corpus(), '--programs', '1'], { env, columns: 80 });
    expect(out.includes('\u001b[')).toBe(coloured);
  });
});

/** A machine that dies at creation, so that nothing is ever exercised. */
const neverTwice = (): ShadowMachine => {
  const machine = new ShadowMachine();
  const create = machine.create.bind(machine);
  machine.create = (config) => create({ ...config, failAllocation: 1 });
  return machine;
};

describe('replay', () => {
  test('a bare program that both sides agree on', async () => {
    const { code, out } = await call(['replay', await exampleProgram()]);
    expect(code).toBe(0);
    expect(out).toMatch(/agrees: impl with model in \d+ steps/);
  });

  test('--json prints both traces and the divergence', async () => {
    const { out } = await call(['replay', '--json', await exampleProgram()]);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { side: 'reference', name: 'model', trace: { created: {} } },
      { side: 'subject', name: 'impl', trace: { created: {} } },
      { divergence: null },
    ]);
  });

  test('standard input', async () => {
    const text = await readFile(await exampleProgram());
    expect(await call(['replay', '-'], { stdin: () => Readable.from([text]) })).toMatchObject({ code: 0 });
  });
});

describe('shrink', () => {
  test('a bare program stays one, and becomes smaller', async () => {
    const path = await exampleProgram();
    const { code, out } = await call(['shrink', path, '--subject', DEFECT, '--max-tries', '300']);
    expect(code).toBe(0);
    expect(out.length).toBeLessThan((await readFile(path, 'utf8')).length);
  });

  test('--write makes an entry that replays', async () => {
    const path = await exampleProgram();
    const { out } = await call([
      'shrink',
      path,
      '--subject',
      DEFECT,
      '--max-tries',
      '300',
      '--write',
      '--corpus',
      corpus(),
    ]);
    expect(await entries()).toEqual([out.trim()]);
    expect((await call(['regress', '--corpus', corpus()])).code).toBe(0);
  });

  test('--write replaces an entry', async () => {
    await findDefect('--max-findings', '1', '--max-tries', '0');
    const [large] = await entries();
    const { code } = await call(['shrink', large, '--write']);
    expect(code).toBe(0);
    const after = await entries();
    expect(after).toHaveLength(1);
    expect((await readFile(after[0])).length).toBeLessThan(2500);
  });

  test('what does not diverge is refused', async () => {
    const { code, err } = await call(['shrink', await exampleProgram()]);
    expect(code).toBe(2);
    expect(err).toContain('impl does not diverge from model');
  });
});

describe('regress', () => {
  const regress = (...words: readonly string[]): Promise<CapturedCall> =>
    call(['regress', '--corpus', corpus(), ...words]);

  test('a corpus of defects is as recorded, and the defect is still a divergence', async () => {
    await findDefect('--max-findings', '1');
    expect(await regress()).toMatchObject({ code: 0, out: '1 entry: 1 as recorded\n' });
    const again = await regress('--subject', DEFECT);
    expect(again.code).toBe(1);
    expect(again.out).toMatch(/^diverges: .*pgdir-cache.*\n1 entry: 1 diverging\n$/);
  });

  test('an unreadable file is told by name', async () => {
    await findDefect('--max-findings', '1');
    await writeFile(join(corpus(), 'broken.json'), '{');
    const { code, out } = await regress();
    expect(code).toBe(2);
    expect(out).toMatch(/^unreadable: .*broken\.json: .*\n2 entries: 1 as recorded, 1 unreadable\n$/);
  });

  test('an empty corpus proves nothing', async () => {
    expect(await call(['regress', '--corpus', directory])).toMatchObject({ code: 3, out: '' });
    expect(await regress()).toMatchObject({ code: 2, out: '' });
  });
});

test('play refuses a program of a CPU with features, which its machines cannot run', async () => {
  const path = join(directory, 'program.json');
  const profile = ['--profile', 'architecture', '--features', 'large-pages'];
  await writeFile(path, (await call(['seeds', '--campaign', 'c', '--program', '1', '--print', ...profile])).out);
  const { code, err } = await call(['play', path, '--out', join(directory, 'play.html')]);
  expect([code, err]).toEqual([2, expect.stringContaining('features that the machines of the page lack')]);
});

describe('trace and seeds', () => {
  test('a trace a line, in order, and the number of the line that is wrong', async () => {
    const path = await exampleProgram();
    const line = await readFile(path, 'utf8');
    const good = await call(['trace'], { stdin: () => Readable.from([line, '\n', line]) });
    expect(good.code).toBe(0);
    expect(good.out.trimEnd().split('\n')).toHaveLength(2);
    const bad = await call(['trace', '-', '--subject', 'model'], {
      stdin: () => Readable.from([line, '{"format":1}\n']),
    });
    expect(bad).toMatchObject({ code: 2, out: `${good.out.split('\n')[0]}\n` });
    expect(bad.err).toContain('standard input: line 2: format');
  });

  test('answers a hello, and shows the shadow tables if asked to', async () => {
    const line = await readFile(await exampleProgram(), 'utf8');
    const hello = '{"format":"shadowdiff-hello/2"}\n';
    const answers = async (...words: readonly string[]): Promise<readonly string[]> => {
      const { out } = await call(['trace', ...words], { stdin: () => Readable.from([hello, line]) });
      return out.trimEnd().split('\n');
    };
    const [introduced, trace] = await answers('--shadow');
    expect(JSON.parse(introduced)).toMatchObject({ format: 'shadowdiff-hello/2', name: 'impl', observes: OBSERVABLES });
    const { created } = JSON.parse(trace) as { readonly created: object };
    const { machine } = JSON.parse(line) as { readonly machine: { readonly draw: number } };
    const current = machine.draw % 4;
    const roots = [0, 1, 2, 3].map((slot) => (slot === current ? [expect.any(Number), null] : null));
    expect(created).toMatchObject({ shadow: { current, roots } });
    const [plain, without] = await answers('--subject', 'model');
    expect(JSON.parse(plain)).toMatchObject({ name: 'model', observes: OBSERVABLES.slice(0, -1) });
    expect(without).not.toContain('shadow');
    const refused = await call(['trace', '--shadow', '--subject', 'model'], { stdin: () => Readable.from([line]) });
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('--shadow: model shows no shadow tables; leave the option out');
  });

  test('one program over many lines', async () => {
    const path = await exampleProgram();
    const whole = await call(['trace', path]);
    await writeFile(path, JSON.stringify(JSON.parse(await readFile(path, 'utf8')), undefined, 2));
    expect(await call(['trace', path])).toEqual(whole);
  });

  test('a program has the same seed whatever the number of shards', async () => {
    const seeds = async (shards: number): Promise<readonly string[]> => {
      const { out } = await call(['seeds', '--campaign', 'c', '--shards', String(shards), '--programs', '7', '--json']);
      const found = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { program?: number; seed: number });
      return found
        .filter(({ program }) => program !== undefined)
        .map(({ program, seed }) => `${program} ${seed}`)
        .sort();
    };
    expect(await seeds(3)).toEqual(await seeds(1));
    expect(await seeds(7)).toHaveLength(7);
  });
});

test.each(['invariants', 'defects'])('%s are listed, for people and for programs', async (name) => {
  const text = await call([name]);
  const json = await call([name, '--json']);
  for (const line of json.out.trimEnd().split('\n')) {
    const { id } = JSON.parse(line) as { readonly id: string };
    expect(text.out).toContain(id);
  }
});

test('of a command that ends before its first answer, the last lines of its standard error are shown, made printable', async () => {
  const script = join(directory, 'no-device.mjs');
  await writeFile(
    script,
    "console.error('opening /dev/kvm\\n\\u001b[31mno such device\\ncannot go on'); process.exit(1);",
  );
  const { code, err } = await call(['fuzz', '--subject', `exec:${process.execPath} ${script}`]);
  expect(code).toBe(2);
  expect(err).toContain('exited with code 1 before its first answer; its last words: "cannot go on"');
  expect(err).toMatch(
    /\nthe end of its standard error:\n {2}opening \/dev\/kvm\n {2}\\u001b\[31mno such device\n {2}cannot go on\n$/,
  );
});

test('replay shows again what only screening saw', async () => {
  const { code, out } = await call(['replay', 'corpus/screen-disagrees--end--4937ee48.json']);
  expect(out).toContain('diverges: screen-disagrees | end | least-privilege: user');
  expect(code).toBe(1);
});
