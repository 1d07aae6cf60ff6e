/**
 * Corrects c8's counts for one file. V8 counts how often ranges of the compiled code ran, and c8 maps them back to the source, but it
 * - counts every line of a file as code, including types and comments, and the first line of a block that did not run as covered;
 * - counts every function also as a branch;
 * - knows only the branches that V8 distinguishes in one run, so a run that reaches less has fewer branches, and a better share.
 * Here, a place in the source ran as often as the innermost V8 range around it, and the places are the same for every run.
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

/** A file's counts in istanbul's format: places by key, and how often each ran by the same key. */
export interface FileCounts {
  /** The file was never loaded: a single range that never ran stands for it. */
  readonly all: boolean;
  statementMap: Record<string, Range>;
  s: Record<string, number>;
  branchMap: Record<string, Branch>;
  b: Record<string, readonly number[]>;
  fnMap: Record<string, NamedFunction>;
  f: Record<string, number>;
}

/** Istanbul's other fields are left as they are. */
interface Place {
  readonly loc: Range;
}

type Branch = Place;

interface NamedFunction extends Place {
  readonly name: string;
}

/** The places of a file that are counted. */
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
      // Not a closing brace alone.
      .filter((line) => /\w/.test(file.text[line - 1]))
      .sort((a, b) => a - b)
      .map((line) => rangeOfLine(line, file.text[line - 1])),
    branches: ranges.filter(({ loc }) => !whole.has(written(loc))),
    functions,
  };
};

/** Replaces c8's counts for a run with counts of these places. */
export const recount = (counts: FileCounts, { lines, branches, functions }: Places): void => {
  const outermost = { loc: EVERYWHERE, times: counts.all ? 0 : 1 };
  // A function that no process ran is listed only among the functions.
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

/** The places outside all of these ranges. */
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
