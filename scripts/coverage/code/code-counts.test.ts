import { expect, test } from 'vitest';
import type { FileCounts, Range } from './code-counts.js';
import { outside, placesOf, recount } from './code-counts.js';
import type { CodeFile } from './code-files.js';

const TEXT = [
  '/** A comment. */',
  'export class Door {',
  '  open(): string {',
  "    if (this.locked) return 'no';",
  "    return 'yes';",
  '  }',
  '}',
];
const file: CodeFile = {
  folder: 'impl',
  name: 'impl/door.ts',
  compiled: '/dist/impl/door.js',
  source: '/impl/door.ts',
  text: TEXT,
  codeLines: new Set([2, 3, 4, 5, 6, 7]),
};

const range = (line: number, column: number, endLine: number, endColumn: number): Range => ({
  start: { line, column },
  end: { line: endLine, column: endColumn },
});
const OPEN = range(3, 2, 6, 3);
const LOCKED = range(4, 20, 4, 33);
const UNLOCKED = range(4, 33, 6, 3);

/** As c8 gives them: every line ran, and the function is a branch. */
const counted = (functionTimes: number, branches: readonly (readonly [Range, number])[]): FileCounts => ({
  all: false,
  statementMap: Object.fromEntries(TEXT.map((text, index) => [index, range(index + 1, 0, index + 1, text.length)])),
  s: Object.fromEntries(TEXT.map((_, index) => [index, 1])),
  branchMap: Object.fromEntries([[OPEN] as const, ...branches].map(([loc], index) => [index, { loc }])),
  b: Object.fromEntries([functionTimes, ...branches.map(([, times]) => times)].map((times, index) => [index, [times]])),
  fnMap: { 0: { name: 'open', loc: OPEN } },
  f: { 0: functionTimes },
});
const everything = counted(9, [
  [LOCKED, 4],
  [UNLOCKED, 5],
]);

const lines = ({ statementMap, s }: FileCounts): readonly (readonly [number, number])[] =>
  Object.keys(s).map((key) => [statementMap[key].start.line, s[key]]);

test('a comment and a closing brace are no lines, and a function is no branch', () => {
  const places = placesOf(file, everything);
  expect(places.lines.map(({ start }) => start.line)).toEqual([2, 3, 4, 5]);
  expect(places.branches.map(({ loc }) => loc)).toEqual([LOCKED, UNLOCKED]);
});

test('a place ran as often as the innermost range around it', () => {
  const counts = counted(9, [
    [LOCKED, 4],
    [UNLOCKED, 5],
  ]);
  recount(counts, placesOf(file, everything));
  expect(lines(counts)).toEqual([
    [2, 1],
    [3, 9],
    [4, 9],
    [5, 5],
  ]);
  expect([counts.b, counts.f]).toEqual([{ 0: [4], 1: [5] }, { 0: 9 }]);
});

test('a function that did not run did not run from its first line on, and none of its branches did', () => {
  const counts = counted(0, []);
  recount(counts, placesOf(file, everything));
  expect(lines(counts).filter(([, times]) => times === 0)).toEqual([
    [3, 0],
    [4, 0],
    [5, 0],
  ]);
  expect(counts.b).toEqual({ 0: [0], 1: [0] });
});

test('branches that one run does not tell apart are still counted', () => {
  const counts = counted(3, [[LOCKED, 0]]);
  recount(counts, placesOf(file, everything));
  expect(counts.b).toEqual({ 0: [0], 1: [3] });
});

test('nothing of a file that was never loaded ran', () => {
  const counts = { ...counted(0, []), all: true };
  recount(counts, placesOf(file, everything));
  expect(new Set(Object.values(counts.s))).toEqual(new Set([0]));
  expect(placesOf(file, counts).branches).toEqual([]);
});

test('what is left out is left out whole', () => {
  const rest = outside([OPEN], placesOf(file, everything));
  expect(rest.lines.map(({ start }) => start.line)).toEqual([2]);
  expect([rest.branches, rest.functions]).toEqual([[], []]);
});
