/** No text of a file reaches a terminal or a report as anything but text: `capturedCall` checks what each command prints. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { capturedCall, expectPrintable } from '../../test-support/captured-call.js';
import type { CounterexampleJson } from '../../properties/corpus/counterexample.js';
import { fileNameOf, parseCounterexample } from '../../properties/corpus/counterexample.js';
import { visibleLines } from '../../properties/formats/index.js';

/** An escape sequence, a C1 control, a change of direction, a line of its own, half a character, and markup. */
const EVIL = '\u001b[2J\u009b1A\u061c\u202e\u2066\r\nagrees\n\ud800</script><b>';

let directory: string;
let corpus: string;
let run: string;
let entryPath: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'foreign-text-'));
  corpus = join(directory, EVIL.replace(/[/\ud800]/g, ''));
  run = join(corpus, 'run');
  await mkdir(corpus);
  const few = '--programs 40 --seed test --max-tries 50 --max-findings 1'.split(' ');
  await capturedCall(['fuzz', '--subject', 'impl:victim-ignores-draw', ...few, '--corpus', corpus, '--out', run]);
  const { out } = await capturedCall(['corpus', 'list', '--json', '--corpus', corpus]);
  const { path } = JSON.parse(out.split('\n')[0]) as { path: string };
  const json = JSON.parse(await readFile(path, 'utf8')) as CounterexampleJson;
  const evil = {
    ...json,
    format: 'shadowdiff-counterexample/2',
    standardError: EVIL,
    expected: EVIL,
    actual: EVIL,
    field: EVIL,
    note: EVIL,
    alsoBroken: [EVIL],
    difference: EVIL,
    signature: `${json.invariant} | ${json.stage} | ${EVIL}`,
    provenance: { ...json.provenance, date: EVIL, version: EVIL, seed: EVIL },
  };
  const text = JSON.stringify(evil);
  entryPath = join(corpus, fileNameOf(parseCounterexample(text, 'here')));
  await writeFile(entryPath, text);
  await mkdir(join(run, 'findings'), { recursive: true });
  await writeFile(join(run, 'findings', basename(entryPath)), text);
  if (entryPath !== path) await rm(path);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test.each([
  ['corpus list', 0],
  ['corpus stats', 0],
  ['corpus prune --dry-run', 0],
  ['regress', 1],
] as const)('%s', async (command, code) => {
  const call = await capturedCall([...command.split(' '), '--corpus', corpus]);
  expect(call.code).toBe(code);
  expect(call.out).not.toMatch(/^agrees/m);
});

test.each([
  ['replay', 1],
  ['replay --json', 1],
  ['explain', 1],
  ['explain --json', 1],
  ['shrink', 0],
] as const)('%s', async (command, code) => {
  const call = await capturedCall([...command.split(' '), entryPath]);
  expect(call.code).toBe(code);
  expect(call.out).not.toMatch(/^agrees/m);
});

test('JSON keeps its meaning', async () => {
  const { out } = await capturedCall(['corpus', 'list', '--json', '--corpus', corpus]);
  expect(JSON.parse(out)).toMatchObject({ path: entryPath, date: EVIL });
});

/** Reporters whose text is read as markup; in the others it is data. */
const MARKUP = new Set(['markdown', 'junit', 'html']);

test.each(['json', 'markdown', 'junit', 'sarif', 'annotations', 'html'])('report --reporter %s', async (reporter) => {
  const out = join(directory, `report.${reporter}`);
  const { code, err } = await capturedCall(['report', run, '--reporter', reporter, '--out', out]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const text = await readFile(out, 'utf8');
  expect(text).toContain('u009b');
  expectPrintable(text);
  // JUnit's listings are sections of plain text.
  const markup = text.replace(/<!\[CDATA\[.*?\]\]>/gs, '');
  if (MARKUP.has(reporter)) expect(markup).not.toContain('</script><b>');
  for (const [, data] of text.matchAll(/<script type="application\/json"[^>]*>(.*?)<\/script>/gs))
    expect(stringsOf(JSON.parse(data)).map(visibleLines)).toEqual(stringsOf(JSON.parse(data)));
});

/** Every string in a JSON value. */
const stringsOf = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
};
