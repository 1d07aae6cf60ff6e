/** Whole calls of `regress` against commands. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { capturedCall } from '../../../test-support/captured-call.js';

const CORPUS = fileURLToPath(new URL('../../../corpus', import.meta.url));
const ENTRIES = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.json'))
  .slice(0, 9);

let directory: string;
const at = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shadowdiff-regress-'));
  mkdirSync(at('corpus'));
  for (const name of ENTRIES) copyFileSync(join(CORPUS, name), join(at('corpus'), name));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Its processes, and how many milliseconds those of an odd and of an even number take for a program, are in files beside it. */
const SUBJECT = `
const fs = require('node:fs');
fs.appendFileSync(__dirname + '/lives', 'x');
const life = fs.readFileSync(__dirname + '/lives', 'utf8').length;
const delay = JSON.parse(fs.readFileSync(__dirname + '/delays', 'utf8'))[life % 2];
let programs = 0;
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  if (line.includes('shadowdiff-hello')) return console.log('{"format":"shadowdiff-hello/2"}');
  if (++programs === Number(process.argv[2])) process.exit(3);
  const { machine, steps } = JSON.parse(line);
  const switcher = { text: 0, state: Array(machine.hostCpus).fill(0), registers: 0 };
  const observation = (kind) => ({ outcome: { kind }, references: [], stores: [], tables: 0, switcher });
  const absent = observation('absent');
  const trace = { created: observation('no-memory'), steps: steps.map(() => absent), destroyed: absent };
  setTimeout(() => console.log(JSON.stringify(trace)), delay);
});
`;

/** `dies`: at which program each process exits. */
const regress = async (
  jobs: number,
  delays: readonly [even: number, odd: number],
  dies = 0,
): Promise<{ readonly out: string; readonly lives: number }> => {
  writeFileSync(at('subject.cjs'), SUBJECT);
  writeFileSync(at('lives'), '');
  writeFileSync(at('delays'), JSON.stringify(delays));
  const subject = `exec:${process.execPath} ${at('subject.cjs')} ${dies}`;
  const words = ['regress', '--corpus', at('corpus'), '--subject', subject, '--jobs', String(jobs)];
  const { code, out } = await capturedCall(words);
  expect(code).toBe(1);
  return { out, lives: readFileSync(at('lives'), 'utf8').length };
};

const pagingOf = (name: string): string =>
  (JSON.parse(readFileSync(join(CORPUS, name), 'utf8')) as { program: { machine: { paging: string } } }).program.machine
    .paging;

const namesIn = (out: string): readonly string[] =>
  [...out.matchAll(/^diverges: (\S+\.json): /gm)].map(([, path]) => basename(path));

test('one process is started for all entries', async () => {
  const { out, lives } = await regress(1, [0, 0]);
  expect(lives).toBe(1);
  expect(namesIn(out)).toEqual(ENTRIES);
});

test('several processes share the entries, which are told in their order whoever is quicker', async () => {
  const { out, lives } = await regress(3, [0, 60]);
  expect(lives).toBe(3);
  expect(namesIn(out)).toEqual(ENTRIES);
});

test('what goes wrong with time does so at the same entries, whoever is quicker', async () => {
  const first = await regress(2, [0, 60], 3);
  expect(first.out).toContain('subject-crash');
  expect(first.out).toContain('switcher | create');
  expect(await regress(2, [60, 0], 3)).toEqual(first);
});

test('entries of the other paging are left alone', async () => {
  const words = ['regress', '--corpus', CORPUS, '--subject', 'model', '--paging'];
  const entriesIn = async (paging: string): Promise<number> =>
    Number(/^(\d+) entries: /.exec((await capturedCall([...words, paging])).out)?.[1]);
  const both = await entriesIn('both');
  const narrow = await entriesIn('2-level');
  expect(narrow).toBeGreaterThan(0);
  expect(await entriesIn('pae')).toBe(both - narrow);
  expect(narrow).toBeLessThan(both);
});

test('a corpus with no entry of the paging is inconclusive', async () => {
  for (const name of ENTRIES) if (pagingOf(name) === 'pae') rmSync(join(at('corpus'), name));
  const { code, err } = await capturedCall(['regress', '--corpus', at('corpus'), '--paging', 'pae']);
  expect(code).toBe(3);
  expect(err).toContain('no counterexample in pae paging is stored here');
});

test('a command that cannot be started is told once', async () => {
  const words = ['regress', '--corpus', at('corpus'), '--subject', 'exec:/no/such', '--jobs', '2'];
  expect(await capturedCall(words)).toEqual({
    code: 2,
    out: '',
    err: 'shadowdiff: --subject: cannot start "/no/such": there is no such command; check its path, and that it is executable\n',
  });
});
