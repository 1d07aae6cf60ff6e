/** Whole calls of `explain`, in this process. */

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Explanation } from '../../../properties/explain/explanation.js';
import { EXPLANATION_FORMAT } from '../../../properties/explain/explanation.js';
import { capturedCall } from '../../../test-support/captured-call.js';

const WALKER = fileURLToPath(new URL('../../examples/walker.py', import.meta.url));
const ENTRY = fileURLToPath(new URL('../../../corpus/coherence--access--6f7bb1c1.json', import.meta.url));
/** A write to a page that is not dirty yet. */
const DIRTY_ENTRY = fileURLToPath(new URL('../../../corpus/accessed-dirty--access--7d06f758.json', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'explain-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

interface Place {
  /** Of a terminal; left out: the output is piped. */
  readonly columns?: number;
  readonly input?: string;
}

const explain = (words: readonly string[], { columns, input = '' }: Place = {}) =>
  capturedCall(['explain', ...words], {
    env: { NO_COLOR: '1' },
    stdin: () => Readable.from([input]),
    ...(columns === undefined ? {} : { columns }),
  });

const bareProgram = async (entry = ENTRY): Promise<string> => {
  const { program } = JSON.parse(await readFile(entry, 'utf8')) as { readonly program: unknown };
  const path = join(directory, 'program.json');
  await writeFile(path, JSON.stringify(program));
  return path;
};

/** A name of a file is copied whole. */
const IS_COPIED = /^\//;

test.each([
  ['explain', ENTRY],
  ['replay', ENTRY],
  ['replay', DIRTY_ENTRY],
])('%s of %s fits 40 columns, but for what is copied', async (command, file) => {
  const { out } = await capturedCall([command, file], { env: { NO_COLOR: '1' }, columns: 40 });
  const wide = out.split('\n').filter((line) => line.length > 40 && !IS_COPIED.test(line));
  expect(wide).toEqual([]);
});

describe('explain', () => {
  test('tells the sentence, the steps and the state in which they end', async () => {
    const { code, out } = await explain([ENTRY]);
    expect(code).toBe(1);
    const marks = [
      "because the guest's PTE at 0x1000 has no RW since step 5",
      '   5  store       [0x1000] = 0x2061   pfn 2 P A D',
      '      sets up   PTE for 0x0 (root 0x0): pfn 2 P A D',
      '>  7  access      0x0 write kernel',
      '  expected  fault code 3',
      '    PTE       [0x1000] entry 0, 0x0–0xfff: pfn 2 P A D, since step 5',
      '    leaf      0x0 → page 2, read-write kernel, since step 4',
      'diverges: coherence | access | fault became mapped',
    ];
    const places = marks.map((mark) => out.indexOf(mark));
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places[0]).toBeGreaterThan(0);
    expect(out.match(/^ {6}needed {4}yes$/gm)).toHaveLength(8);
  });

  test.each([40, 80])('keeps to %i columns, the listing of steps apart', async (columns) => {
    const { out } = await explain([ENTRY], { columns });
    const long = out.split('\n').filter((line) => line.length > columns && !/^[> ] +\d+ {2}[a-z]/.test(line));
    // Lines that are not wrapped hold a name: of the file, of the sides.
    expect(long.filter((line) => !/^(\/| {2}reference )/.test(line))).toEqual([]);
  });

  test('tells a program from standard input, and as JSON', async () => {
    const input = await readFile(await bareProgram(), 'utf8');
    const { code, out } = await explain(['-', '--subject', 'impl:set-pte-upgrades-in-place', '--json'], { input });
    expect(code).toBe(1);
    const explanation = JSON.parse(out) as Explanation;
    expect(explanation.format).toBe(EXPLANATION_FORMAT);
    expect(explanation.frames).toHaveLength(9);
    expect(explanation.steps).toHaveLength(8);
  });

  test('has nothing to tell of a program that does not diverge', async () => {
    const path = await bareProgram();
    const plain = await explain([path]);
    expect(plain).toMatchObject({ code: 0, err: '' });
    expect(plain.out).toContain('agrees: impl with model in 8 steps');
    expect(await explain([path, '--json'])).toEqual({ code: 0, out: 'null\n', err: '' });
  });

  test.each([
    ['', 'the file is empty'],
    ['{"format":"shadowdiff-program/9"}', '"shadowdiff-program/9" is not known here'],
    ['{"format":"shadowdiff-program/1","machine":5,"steps":[]}', 'machine'],
  ])('refuses %j', async (content, message) => {
    const path = join(directory, 'bad.json');
    await writeFile(path, content);
    const { code, out, err } = await explain([path]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(path);
    expect(err).toContain(message);
  });

  test('tells of a subject that does not answer', async () => {
    const { code, out } = await explain([ENTRY, '--subject', 'exec:cat']);
    expect(code).toBe(1);
    expect(out).toContain('The subject did not answer the program with a trace: ');
    expect(out).toContain('A side gave no trace');
    expect(out).toContain('recorded: coherence | access | fault became mapped');
  });

  test.skipIf(!hasPython)(
    'tells of a subject behind a pipe, whose inside nobody sees',
    { timeout: 30_000 },
    async () => {
      const text = await readFile(WALKER, 'utf8');
      const parts = text.split('            leaf |= D\n');
      expect(parts).toHaveLength(2);
      const path = join(directory, 'walker.py');
      await writeFile(path, parts.join('            pass\n'));
      const program = await bareProgram(DIRTY_ENTRY);
      const { code, out } = await explain([program, '--subject', `exec:python3 "${path}"`, '--json']);
      expect(code).toBe(1);
      const explanation = JSON.parse(out) as Explanation;
      expect(explanation.frames.every(({ shadow }) => shadow === undefined)).toBe(true);
      expect(explanation.notes).toEqual(['The subject does not expose its shadow tables, so they are not shown.']);
      expect(explanation.sentence).toBe(
        "The kernel write to 0x0 at step 4 must set D in the guest's PTE at 0x1000; it left the entry as it was, 0x2023 (pfn 2 P RW A).",
      );
      expect(explanation.steps[4].setsUp).toBe('page 2 has 1 reference');
      expect(explanation.frames.at(-1)?.stores).toMatchObject([{ paddr: '0x1000', expected: '0x2063', differs: true }]);
    },
  );
});
