/** What the figures should be, and whether they are. */

import type { Figure } from './figures.js';
import type { GroupResult } from './results.js';

export interface Target {
  readonly title: string;
  /** Of this figure of this group the median counts. */
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

/** For a quiet machine of today; the absolute ones are for people to look at. */
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
  atLeast(1.9, 'workers', 'scaling', 'two workers at least 1.9 times one'),
  atMost(150, 'start', 'start-replay', 'replay starts in less than 150 ms'),
  atMost(150, 'start', 'start-regress', 'regress starts in less than 150 ms'),
  atMost(1.25, 'memory', 'heap-growth', 'memory does not grow with the steps'),
];

/** Ratios that hold on any machine, each about half of what it is, or twice: what a change must not break. */
export const BOUNDS: readonly Target[] = [
  atLeast(1.2, 'machines', 'model-over-impl-mix-2-level', 'impl is faster than model on the random mix, 2-level'),
  atLeast(1.2, 'machines', 'model-over-impl-mix-pae', 'impl is faster than model on the random mix, pae'),
  atMost(8, 'access', 'lookup-over-floor-2-level', 'the lookup stays near the floor, 2-level'),
  atMost(10, 'access', 'lookup-over-floor-pae', 'the lookup stays near the floor, pae'),
  atMost(24, 'access', 'hit-over-floor-2-level', 'a hit stays near the floor, 2-level'),
  atMost(28, 'access', 'hit-over-floor-pae', 'a hit stays near the floor, pae'),
  atMost(1, 'access', 'hit-heap-growth', 'no garbage on the hit path'),
  atLeast(0.8, 'loop', 'model-run-over-loop', 'the loop with all invariants is not slower than fc.modelRun with none'),
  atMost(30, 'loop', 'loop-over-impl', 'a step of the loop costs at most so many of impl'),
  atMost(4, 'loop', 'invariants-over-machines', 'the invariants cost at most so many times model and impl'),
  atMost(0.25, 'loop', 'generation-share', 'generation is a small part of the loop'),
  atMost(1.25, 'memory', 'heap-growth', 'memory does not grow with the steps'),
];

export interface Verdict {
  readonly target: Target;
  readonly measured: Figure;
  readonly met: boolean;
}

/** On the targets of the groups that were measured. Throws if a figure is missing there, for nobody would miss the target. */
export const verdictsOn = (targets: readonly Target[], groups: readonly GroupResult[]): readonly Verdict[] =>
  targets.flatMap((target) => {
    const result = groups.find(({ group }) => group === target.group);
    if (result === undefined) return [];
    const measured = result.figures.find(({ id }) => id === target.figure);
    if (measured === undefined) throw new Error(`group ${target.group} has no figure ${target.figure}`);
    const { least = -Infinity, most = Infinity } = target;
    return [{ target, measured, met: measured.median >= least && measured.median <= most }];
  });
