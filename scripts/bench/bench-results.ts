/** The figures of a run: as a file to compare a later run with, against targets, and as tables. */

import { readFileSync } from 'node:fs';
import Table from 'cli-table3';
import writeFileAtomic from 'write-file-atomic';
import { compactCount } from '../terminal/numbers.js';
import type { Figure, Unit } from './measurement.js';

const RESULTS_FORMAT = 'shadowdiff-bench/1';

export interface GroupResult {
  readonly group: string;
  readonly title: string;
  readonly figures: readonly Figure[];
}

export interface Results {
  readonly format: typeof RESULTS_FORMAT;
  /** Where it was measured. Absolute figures compare only on the same machine. */
  readonly node: string;
  readonly machine: string;
  readonly groups: readonly GroupResult[];
}

export const resultsOf = (machine: string, groups: readonly GroupResult[]): Results => ({
  format: RESULTS_FORMAT,
  node: process.version,
  machine,
  groups,
});

export const writeResults = async (path: string, results: Results): Promise<void> => {
  await writeFileAtomic(path, `${JSON.stringify(results, undefined, 1)}\n`);
};

/** Throws an error that names the file. */
export const readResults = (path: string): Results => {
  const read = parsed(path) as Partial<Results> | null;
  if (read?.format === RESULTS_FORMAT) return read as Results;
  throw new Error(`${path}: not written by "npm run bench -- --save"`);
};

const parsed = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
};

export interface Change {
  readonly figure: Figure;
  readonly before: Figure;
  /** Median now over median then. */
  readonly ratio: number;
  /** The two spreads do not overlap. */
  readonly clear: boolean;
}

/** Of the figures that both runs measured. */
export const changesBetween = (before: Results, now: Results): readonly Change[] => {
  const earlier = new Map(before.groups.flatMap(({ figures }) => figures).map((figure) => [figure.id, figure]));
  return now.groups
    .flatMap(({ figures }) => figures)
    .flatMap((figure) => {
      const then = earlier.get(figure.id);
      if (then === undefined) return [];
      const clear = figure.least > then.most || figure.most < then.least;
      return [{ figure, before: then, ratio: figure.median / then.median, clear }];
    });
};

export interface Target {
  readonly title: string;
  /** The target bounds the median of this figure. */
  readonly group: string;
  readonly figure: string;
  readonly least?: number;
  readonly most?: number;
}

const atMost = (most: number, group: string, figure: string, title: string): Target => ({ title, group, figure, most });

const atLeast = (least: number, group: string, figure: string, title: string): Target => ({
  title,
  group,
  figure,
  least,
});

/** For a quiet machine of 2026. No check fails on them. */
export const TARGETS: readonly Target[] = [
  atMost(100, 'machines', 'impl-mix-2-level', 'impl at most 100 ns a step on the random mix, 2-level'),
  atMost(100, 'machines', 'impl-mix-pae', 'impl at most 100 ns a step on the random mix, pae'),
  atMost(2, 'access', 'lookup-over-floor-2-level', 'a hit at most twice the floor: the lookup, 2-level'),
  atMost(2, 'access', 'lookup-over-floor-pae', 'a hit at most twice the floor: the lookup, pae'),
  atMost(2, 'access', 'hit-over-floor-2-level', 'a hit at most twice the floor: the whole step, 2-level'),
  atMost(2, 'access', 'hit-over-floor-pae', 'a hit at most twice the floor: the whole step, pae'),
  atMost(1, 'access', 'hit-heap-growth', 'no garbage: heap growth below 1 MB over 10,000,000 hits'),
  atMost(500, 'loop', 'loop', 'the loop at least 2,000,000 steps a second (500 ns a step)'),
  atLeast(3, 'loop', 'model-run-over-loop', 'the loop at least 3 times as fast as fc.modelRun'),
  atMost(1, 'loop', 'invariants-over-machines', 'the invariants together cost less than model and impl'),
  atLeast(2.2, 'loop', 'loop-over-screened', 'the screened loop at least 2.2 times as fast as the one that judges all'),
  atLeast(1.9, 'workers', 'scaling', 'two workers at least 1.9 times one'),
  atMost(2500, 'subjects', 'pipe-json', 'a subject outside the process costs node at most 2.5 µs a step with JSON'),
  atMost(1000, 'subjects', 'pipe-binary', 'a subject outside the process costs node at most 1 µs a step in words'),
  atLeast(0.5, 'subjects', 'walker-over-impl', 'a subject in C at least 0.5 times as fast as impl'),
  atLeast(0.7, 'subjects', 'wasm-over-impl', 'a subject in WebAssembly at least 0.7 times as fast as impl'),
  atLeast(1.8, 'subjects', 'walker-scaling', 'two workers with a subject in C each at least 1.8 times one'),
  atLeast(20_000, 'metal', 'metal-qemu', 'our kernel under QEMU at least 20,000 steps a second'),
  atLeast(10_000, 'metal', 'metal-v86', 'our kernel under v86 at least 10,000 steps a second'),
  atLeast(1000, 'metal', 'metal-serial', 'by way of the serial port at least 1,000 steps a second'),
  atMost(150, 'start', 'start-replay', 'replay starts in less than 150 ms'),
  atMost(150, 'start', 'start-regress', 'regress starts in less than 150 ms'),
  atMost(1.25, 'memory', 'heap-growth', 'memory does not grow with the steps'),
];

/** Ratios that hold on any machine, at about half or twice the usual value. `--smoke` fails outside them. */
export const BOUNDS: readonly Target[] = [
  atLeast(1.2, 'machines', 'model-over-impl-mix-2-level', 'impl is faster than model on the random mix, 2-level'),
  atLeast(1.2, 'machines', 'model-over-impl-mix-pae', 'impl is faster than model on the random mix, pae'),
  atMost(8, 'access', 'lookup-over-floor-2-level', 'the lookup stays near the floor, 2-level'),
  atMost(10, 'access', 'lookup-over-floor-pae', 'the lookup stays near the floor, pae'),
  atMost(24, 'access', 'hit-over-floor-2-level', 'a hit stays near the floor, 2-level'),
  atMost(28, 'access', 'hit-over-floor-pae', 'a hit stays near the floor, pae'),
  atMost(1, 'access', 'hit-heap-growth', 'no garbage on the hit path'),
  atLeast(
    0.4,
    'loop',
    'model-run-over-loop',
    'the loop with all invariants takes at most 2.5 times as long as fc.modelRun with none',
  ),
  atMost(40, 'loop', 'loop-over-impl', 'a step of the loop costs at most 40 of impl'),
  atMost(4, 'loop', 'invariants-over-machines', 'the invariants cost at most 4 times model and impl'),
  atMost(0.25, 'loop', 'generation-share', 'generation is a small part of the loop'),
  atMost(1.25, 'memory', 'heap-growth', 'memory does not grow with the steps'),
];

export interface Verdict {
  readonly target: Target;
  readonly measured: Figure;
  readonly met: boolean;
}

/** Judges the targets of the groups that were measured. Throws if such a group lacks a target's figure. */
export const verdictsOn = (targets: readonly Target[], groups: readonly GroupResult[]): readonly Verdict[] =>
  targets.flatMap((target) => {
    const result = groups.find(({ group }) => group === target.group);
    if (result === undefined) return [];
    const measured = result.figures.find(({ id }) => id === target.figure);
    if (measured === undefined) throw new Error(`group ${target.group} has no figure ${target.figure}`);
    const { least = -Infinity, most = Infinity } = target;
    return [{ target, measured, met: measured.median >= least && measured.median <= most }];
  });

export const groupTable = ({ title, figures }: GroupResult): string => {
  const table = tableOf([title, 'median', 'spread', 'a second'], 3);
  for (const { title, unit, median, least, most } of figures) {
    const spread = least === most ? '' : `${amount(least, unit)} – ${amount(most, unit)}`;
    table.push([title, withUnit(median, unit), spread, unit === 'ns' ? compactCount(1e9 / median) : '']);
  }
  return table.toString();
};

export const verdictTable = (title: string, verdicts: readonly Verdict[]): string => {
  const table = tableOf([title, 'wanted', 'measured', ''], 2);
  for (const { target, measured, met } of verdicts) {
    const { unit, median } = measured;
    table.push([target.title, boundText(target, unit), withUnit(median, unit), met ? 'met' : 'MISSED']);
  }
  return table.toString();
};

/** Shows the clear changes alone; the rest is noise. */
export const changeTable = (changes: readonly Change[]): string => {
  const clear = changes.filter((change) => change.clear);
  if (clear.length === 0) return `none of ${changes.length} figures differs from the baseline by more than the spread`;
  const table = tableOf(['differs from the baseline by more than the spread', 'before', 'now', 'ratio'], 3);
  for (const { figure, before, ratio } of clear) {
    table.push([
      figure.title,
      withUnit(before.median, before.unit),
      withUnit(figure.median, figure.unit),
      ratio.toFixed(2),
    ]);
  }
  return table.toString();
};

const tableOf = (head: string[], numbers: number): Table.Table =>
  new Table({
    head,
    colAligns: head.map((_, index) => (index > 0 && index <= numbers ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });

const boundText = ({ least, most }: Target, unit: Unit): string =>
  least === undefined ? `≤ ${withUnit(most!, unit)}` : `≥ ${withUnit(least, unit)}`;

const withUnit = (value: number, unit: Unit): string =>
  unit === 'times' ? `${amount(value, unit)}×` : `${amount(value, unit)} ${unit}`;

const amount = (value: number, unit: Unit): string => {
  if (unit === 'steps/s') return compactCount(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
};
