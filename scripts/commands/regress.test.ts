/** Whole calls of `regress` against commands. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { capturedCall } from '../captured-call.js';

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url));
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
require('node:readline').createInterface({ input: process.stdin }).on('line', () => {
  if (++programs === Number(process.argv[2])) process.exit(3);
  setTimeout(() => console.log('{"unsupported":"it all"}'), delay);
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
  expect(first.out).toContain('subject-garbage');
  expect(await regress(2, [60, 0], 3)).toEqual(first);
});

test('a command that cannot be started is told once', async () => {
  const words = ['regress', '--corpus', at('corpus'), '--subject', 'exec:/no/such', '--jobs', '2'];
  expect(await capturedCall(words)).toEqual({
    code: 2,
    out: '',
    err: 'shadowdiff: --subject: cannot start "/no/such": there is no such command; check its path, and that it is executable\n',
  });
});
