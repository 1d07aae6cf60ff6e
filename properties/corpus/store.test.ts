import { constants } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import { BadInput } from '../formats/index.js';
import { sampleFinding } from '../../test-support/sample-finding.js';
import { access, guestPa, machineOf } from '../../test-support/steps.js';
import type { Finding } from '../finding.js';
import { fileNameOf, formatCounterexample } from './counterexample.js';
import {
  isReadable,
  makeDirectory,
  readBounded,
  readCorpus,
  readCorpusIfThere,
  readStored,
  readTextFile,
  redundant,
  saveFinding,
  writeTextFile,
} from './store.js';

const entryAt = (address: number): Finding =>
  sampleFinding({
    program: { machine: machineOf({ guestPages: 4 }), steps: [access(address)] },
    divergence: { place: { kind: 'step', index: 0 }, stage: 'access', field: 'outcome' },
  });
const ENTRY = entryAt(0);

const at = directoryForEachTest();

describe('saving', () => {
  test('does not write through a link', async () => {
    const entry = entryAt(0);
    await writeFile(at('victim'), 'kept');
    await symlink(at('victim'), at(fileNameOf(entry)));
    await expect(saveFinding(at(), entry)).rejects.toThrow(/this is a link, and results are not written/);
    expect(await readFile(at('victim'), 'utf8')).toBe('kept');
  });

  test('what is saved is read again', async () => {
    const path = await saveFinding(at(), ENTRY);
    expect(path).toBe(at(fileNameOf(ENTRY)));
    expect(await readStored(path)).toEqual({ ...ENTRY, file: path });
  });

  test('makes the directory and those above it', async () => {
    const deep = at('a', 'b', 'corpus');
    await saveFinding(deep, ENTRY);
    expect(await readdir(deep)).toEqual([fileNameOf(ENTRY)]);
  });

  test('leaves nothing but the entry behind, and replaces the one for the same program', async () => {
    await saveFinding(at(), ENTRY);
    await saveFinding(at(), { ...ENTRY, note: 'again', status: 'fixed' });
    expect(await readdir(at())).toEqual([fileNameOf(ENTRY)]);
    const [stored] = await readCorpus(at());
    expect(stored).toMatchObject({ note: 'again', status: 'fixed' });
  });

  test('many savers at once leave one whole file', async () => {
    await Promise.all(Array.from({ length: 16 }, (_, time) => saveFinding(at(), { ...ENTRY, note: String(time) })));
    expect(await readdir(at())).toEqual([fileNameOf(ENTRY)]);
    expect((await readCorpus(at())).every(isReadable)).toBe(true);
  });

  test('a reader never sees half a file while it is replaced', async () => {
    const long = { ...ENTRY, note: 'x'.repeat(300_000) };
    const path = await saveFinding(at(), long);
    const writing = Promise.all(Array.from({ length: 8 }, () => saveFinding(at(), long)));
    for (let time = 0; time < 20; time++) expect(isReadable(await readStored(path))).toBe(true);
    await writing;
  });

  test('where it cannot be written, it says so and what to do', async () => {
    const file = at('file');
    await writeFile(file, '');
    const saving = saveFinding(join(file, 'corpus'), ENTRY);
    await expect(saving).rejects.toThrow(BadInput);
    await expect(saving).rejects.toThrow(/cannot be written: .+; free space or name another --corpus/);
  });
});

describe('reading one file', () => {
  const problemOf = async (name: string, content: string): Promise<string> => {
    const path = at(name);
    await writeFile(path, content);
    const stored = await readStored(path);
    return isReadable(stored) ? 'none' : stored.problem;
  };

  test('a torn one is told', async () => {
    const whole = formatCounterexample(ENTRY);
    for (const length of [0, 1, 100, whole.length - 3]) {
      expect(await problemOf(fileNameOf(ENTRY), whole.slice(0, length))).toContain(fileNameOf(ENTRY));
    }
  });

  test('one whose program was edited is told, for its name no longer fits', async () => {
    const edited = formatCounterexample(ENTRY).replace('"vaddr": "0x0"', '"vaddr": "0x1000"');
    expect(edited).not.toBe(formatCounterexample(ENTRY));
    const other = fileNameOf(entryAt(0x1000));
    expect(await problemOf(fileNameOf(ENTRY), edited)).toContain(
      `its content belongs in "${other}"; undo the edit, or rename the file`,
    );
    expect(await problemOf(other, edited)).toBe('none');
  });

  test('a missing one, a directory and a huge one are told', async () => {
    const huge = at('huge.json');
    await writeFile(huge, '');
    await truncate(huge, 16 * 2 ** 20 + 1);
    await expect(readTextFile(huge)).rejects.toThrow(/huge.json: more than 16777216 bytes; a program/);
    await expect(readTextFile(at())).rejects.toThrow('this is a directory; name a file in it');
    const missing = readTextFile(at('none.json'));
    await expect(missing).rejects.toThrow('there is no such file; check the path');
    await expect(missing).rejects.toThrow(BadInput);
  });

  test('a device and a pipe without a writer are told, and not waited for', async () => {
    const pipe = at('pipe.json');
    execFileSync('mkfifo', [pipe]);
    for (const path of ['/dev/zero', '/dev/null', pipe])
      await expect(readTextFile(path)).rejects.toThrow(`${path}: this is a pipe or a device; name a file`);
    expect(await readCorpus(at())).toEqual([
      { file: pipe, problem: `${pipe}: this is a pipe or a device; name a file` },
    ]);
  });

  test('a stream that never ends is told', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(2 ** 20, 'x');
      })(),
    );
    await expect(readBounded(endless, 'here')).rejects.toThrow('here: more than 16777216 bytes; a program');
  });

  test('one of the largest size is still read', async () => {
    const path = at('large.json');
    await writeFile(path, ' '.repeat(16 * 2 ** 20));
    expect((await readTextFile(path)).length).toBe(16 * 2 ** 20);
  });
});

describe('reading a corpus', () => {
  test('entries come by name, and other files are left alone', async () => {
    const entries = [0, 0x1000, 0x2000, 0x3000, 0x4000].map(entryAt);
    for (const entry of entries) await saveFinding(at(), entry);
    await writeFile(at('README.md'), 'not an entry');
    await mkdir(at('old'));
    const names = (await readCorpus(at())).map(({ file }) => file);
    expect(names).toEqual(
      entries
        .map(fileNameOf)
        .sort()
        .map((name) => at(name)),
    );
  });

  test('an unreadable file is listed with its problem, and the others are read', async () => {
    await saveFinding(at(), ENTRY);
    await writeFile(at('a.json'), '{');
    await mkdir(at('b.json'));
    await symlink(at('nowhere'), at('c.json'));
    const stored = await readCorpus(at());
    expect(stored.map(isReadable)).toEqual([false, false, false, true]);
  });

  test('an empty one is read, a missing one and a file are refused', async () => {
    expect(await readCorpus(at())).toEqual([]);
    await expect(readCorpus(at('none'))).rejects.toThrow(
      'there is no such directory; name a directory of counterexamples with --corpus',
    );
    const file = at('file');
    await writeFile(file, '');
    await expect(readCorpus(file)).rejects.toThrow('this is a file; name a directory');
    await expect(readCorpus(file)).rejects.toThrow(BadInput);
  });

  test('one that is not there yet is empty, but a file in its place is refused', async () => {
    expect(await readCorpusIfThere(at('none'))).toEqual([]);
    const file = at('file');
    await writeFile(file, '');
    await expect(readCorpusIfThere(file)).rejects.toThrow('this is a file');
  });
});

describe('making a directory', () => {
  test('one that is there already is left as it is', async () => {
    const path = at('a', 'b');
    await Promise.all([makeDirectory(path), makeDirectory(path), makeDirectory(path)]);
    await makeDirectory(path);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  test('where none can be made, it gives up', async () => {
    await expect(makeDirectory('/proc/shadowdiff/corpus')).rejects.toThrow('ENOENT');
  });
});

describe('redundant findings', () => {
  const finding = (steps: number, changes: Partial<Finding> = {}, address = 0): Finding => {
    const { machine } = ENTRY.case.program;
    const program = {
      machine,
      steps: Array.from({ length: steps }, () => guestPa(address)),
    };
    return { ...ENTRY, case: { traffic: 'hostile', program }, ...changes };
  };

  test('are all but the shortest that shows a bug', () => {
    const [long, short, middle] = [finding(3), finding(1), finding(2)];
    expect(redundant([long, short, middle])).toEqual([long, middle]);
  });

  test('of equally short ones are the same, in whatever order they come', () => {
    const [one, other] = [finding(2, {}, 0), finding(2, {}, 1)];
    expect(redundant([one, other])).toEqual(redundant([other, one]));
    expect(redundant([one, other])).toHaveLength(1);
  });

  test('are not those whose programs need other kinds of steps', () => {
    const { machine } = ENTRY.case.program;
    const call = { op: 'flush-tlb', scope: 'all' } as const;
    const program = { machine, steps: [call, { op: 'migrate', cpu: 0 } as const] };
    expect(redundant([finding(1), { ...finding(3), case: { traffic: 'hostile', program } }, finding(2)])).toEqual([
      finding(2),
    ]);
  });

  test('are not those of another subject or signature', () => {
    const divergence = { ...ENTRY.divergence, difference: 'e' };
    expect(redundant([finding(1), finding(2, { subject: 'impl:b' }), finding(3, { divergence })])).toEqual([]);
  });
});

describe('a text that is written piece by piece', () => {
  const path = (): string => at('long.txt');

  test('is made while it is written, and may be longer than the longest string', async () => {
    const piece = 'x'.repeat(2 ** 24);
    let made = 0;
    function* pieces(): Generator<string> {
      for (; made * piece.length <= constants.MAX_STRING_LENGTH; made++) yield piece;
    }
    await writeTextFile(path(), pieces(), 'name another');
    expect((await stat(path())).size).toBe(made * piece.length);
  });

  test('leaves the file as it was if making it fails, and no other file', async () => {
    await writeTextFile(path(), 'before', 'name another');
    async function* pieces(): AsyncGenerator<string> {
      yield 'some';
      await Promise.reject(new Error('our own fault'));
    }
    await expect(writeTextFile(path(), pieces(), 'name another')).rejects.toThrow(/^our own fault$/);
    expect(await readdir(at())).toEqual(['long.txt']);
    expect(await readTextFile(path())).toBe('before');
  });

  test('is refused where it cannot be written', async () => {
    await expect(writeTextFile(join(path(), 'below'), ['text'], 'name another')).rejects.toThrow(BadInput);
  });
});
