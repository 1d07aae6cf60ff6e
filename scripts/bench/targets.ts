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

/** For a quiet machine of today; the absolute ones are for people to look at. */
export const TARGETS: readonly Target[] = [
  {
    title: 'impl at most 100 ns a step on the random mix, 2-level',
    group: 'machines',
    figure: 'impl-mix-2-level',
    most: 100,
  },
  { title: 'impl at most 100 ns a step on the random mix, pae', group: 'machines', figure: 'impl-mix-pae', most: 100 },
  {
    title: 'a hit at most twice the floor: the lookup, 2-level',
    group: 'access',
    figure: 'lookup-over-floor-2-level',
    most: 2,
  },
  {
    title: 'a hit at most twice the floor: the lookup, pae',
    group: 'access',
    figure: 'lookup-over-floor-pae',
    most: 2,
  },
  {
    title: 'a hit at most twice the floor: the whole step, 2-level',
    group: 'access',
    figure: 'hit-over-floor-2-level',
    most: 2,
  },
  {
    title: 'a hit at most twice the floor: the whole step, pae',
    group: 'access',
    figure: 'hit-over-floor-pae',
    most: 2,
  },
  {
    title: 'no garbage: heap growth below 1 MB over 10,000,000 hits',
    group: 'access',
    figure: 'hit-heap-growth',
    most: 1,
  },
  { title: 'the loop at least 2,000,000 steps a second (500 ns a step)', group: 'loop', figure: 'loop', most: 500 },
  { title: 'the loop at least 3 times as fast as fc.modelRun', group: 'loop', figure: 'model-run-over-loop', least: 3 },
  {
    title: 'the invariants together cost less than model and impl',
    group: 'loop',
    figure: 'invariants-over-machines',
    most: 1,
  },
  { title: 'two workers at least 1.9 times one', group: 'workers', figure: 'scaling', least: 1.9 },
  { title: 'replay starts in less than 150 ms', group: 'start', figure: 'start-replay', most: 150 },
  { title: 'regress starts in less than 150 ms', group: 'start', figure: 'start-regress', most: 150 },
  { title: 'memory does not grow with the steps', group: 'memory', figure: 'heap-growth', most: 1.25 },
];

/** Ratios that hold on any machine, each about half of what it is, or twice: what a change must not break. */
export const BOUNDS: readonly Target[] = [
  {
    title: 'impl is faster than model on the random mix, 2-level',
    group: 'machines',
    figure: 'model-over-impl-mix-2-level',
    least: 1.2,
  },
  {
    title: 'impl is faster than model on the random mix, pae',
    group: 'machines',
    figure: 'model-over-impl-mix-pae',
    least: 1.2,
  },
  { title: 'the lookup stays near the floor, 2-level', group: 'access', figure: 'lookup-over-floor-2-level', most: 8 },
  { title: 'the lookup stays near the floor, pae', group: 'access', figure: 'lookup-over-floor-pae', most: 10 },
  { title: 'a hit stays near the floor, 2-level', group: 'access', figure: 'hit-over-floor-2-level', most: 18 },
  { title: 'a hit stays near the floor, pae', group: 'access', figure: 'hit-over-floor-pae', most: 18 },
  { title: 'no garbage on the hit path', group: 'access', figure: 'hit-heap-growth', most: 1 },
  {
    title: 'the loop with all invariants is not slower than fc.modelRun with none',
    group: 'loop',
    figure: 'model-run-over-loop',
    least: 0.8,
  },
  { title: 'a step of the loop costs at most so many of impl', group: 'loop', figure: 'loop-over-impl', most: 30 },
  {
    title: 'the invariants cost at most so many times model and impl',
    group: 'loop',
    figure: 'invariants-over-machines',
    most: 4,
  },
  { title: 'generation is a small part of the loop', group: 'loop', figure: 'generation-share', most: 0.25 },
  { title: 'memory does not grow with the steps', group: 'memory', figure: 'heap-growth', most: 1.25 },
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
