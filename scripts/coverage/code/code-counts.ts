/**
 * What c8 makes of V8's counts for one file, put right. V8 counts how often ranges of the compiled code ran, and c8 maps them
 * back to the source; but it
 * - takes every line of a file for code, types and comments too, and the first line of a block that did not run for one that did;
 * - counts every function as a branch besides;
 * - knows only those branches that V8 tells apart in one run, so that a run which reaches less has fewer of them, and a better share.
 * Here a place of the source ran as often as the innermost of V8's ranges around it, and the places are the same for every run.
 */

import type { CodeFile } from './code-files.js';

interface Position {
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** The counts of a file as istanbul has them: places by key, and under the same key how often each ran. */
export interface FileCounts {
  /** Nothing is known of the file: it was never loaded. One range that never ran stands for it. */
  readonly all: boolean;
  statementMap: Record<string, Range>;
  s: Record<string, number>;
  branchMap: Record<string, Branch>;
  b: Record<string, readonly number[]>;
  fnMap: Record<string, NamedFunction>;
  f: Record<string, number>;
}

/** Istanbul keeps more of it, which stays as it is. */
interface Place {
  readonly loc: Range;
}

type Branch = Place;

interface NamedFunction extends Place {
  readonly name: string;
}

/** What of a file is counted. */
export interface Places {
  readonly lines: readonly Range[];
  readonly branches: readonly Branch[];
  readonly functions: readonly NamedFunction[];
}

/** The places of a file. `all`: c8's counts of every run together. */
export const placesOf = (file: CodeFile, all: FileCounts): Places => {
  const functions = Object.values(all.fnMap);
  const ranges = all.all ? [] : Object.values(all.branchMap);
  const whole = new Set(functions.map(({ loc }) => written(loc)));
  return {
    lines: [...file.codeLines]
      // A closing brace alone says nothing.
      .filter((line) => /\w/.test(file.text[line - 1]))
      .sort((a, b) => a - b)
      .map((line) => rangeOfLine(line, file.text[line - 1])),
    branches: ranges.filter(({ loc }) => !whole.has(written(loc))),
    functions,
  };
};

/** Replaces a run's counts, as c8 has them, by those of the places. */
export const recount = (counts: FileCounts, { lines, branches, functions }: Places): void => {
  const outermost = { loc: EVERYWHERE, times: counts.all ? 0 : 1 };
  // A function of which no process ran anything is among the functions alone.
  const ranges = [
    ...Object.entries(counts.fnMap).map(([key, { loc }]) => ({ loc, times: counts.f[key] })),
    ...Object.entries(counts.branchMap).map(([key, { loc }]) => ({ loc, times: counts.b[key][0] })),
  ];
  const times = (place: Range): number => {
    const around = ranges.filter(({ loc }) => encloses(loc, place));
    return around.reduce((inner, each) => (encloses(inner.loc, each.loc) ? each : inner), outermost).times;
  };
  counts.statementMap = keyed(lines);
  counts.s = keyed(lines.map(times));
  counts.branchMap = keyed(branches);
  counts.b = keyed(branches.map(({ loc }) => [times(loc)]));
  counts.fnMap = keyed(functions);
  counts.f = keyed(functions.map(({ loc }) => times(loc)));
};

/** The places that are in none of these ranges. */
export const outside = (ranges: readonly Range[], { lines, branches, functions }: Places): Places => {
  const isOutside = (place: Range): boolean => !ranges.some((range) => encloses(range, place));
  return {
    lines: lines.filter(
      ({ start }) => !ranges.some((range) => range.start.line <= start.line && start.line <= range.end.line),
    ),
    branches: branches.filter(({ loc }) => isOutside(loc)),
    functions: functions.filter(({ loc }) => isOutside(loc)),
  };
};

const keyed = <Value>(values: readonly Value[]): Record<string, Value> => Object.fromEntries(values.entries());

const EVERYWHERE: Range = { start: { line: 0, column: 0 }, end: { line: Infinity, column: 0 } };

const rangeOfLine = (line: number, text: string): Range => ({
  start: { line, column: text.length - text.trimStart().length },
  end: { line, column: text.trimEnd().length },
});

const encloses = (outer: Range, inner: Range): boolean =>
  !isBefore(inner.start, outer.start) && !isBefore(outer.end, inner.end);

const isBefore = (a: Position, b: Position): boolean => a.line < b.line || (a.line === b.line && a.column < b.column);

const written = ({ start, end }: Range): string => `${start.line}:${start.column}-${end.line}:${end.column}`;
