/** Watches a run for coverage: what was new when, and which programs are worth running again to see what code they reach. */

import type { Tally } from '../../properties/tally.js';
import type { Milestone } from './coverage-document.js';

/** Programs kept for each invariant beside those that met something new. */
const KEPT = 200;
/** When there are more milestones, every other one goes. */
const MOST_MILESTONES = 240;
/** Milliseconds between two milestones at first. */
const FIRST_INTERVAL = 250;

export class CoverageWatch {
  /** For each invariant, numbers of programs that exercised it: the first ones, and all that met a new situation. */
  readonly programs: readonly number[][];
  /** For each invariant, when it last met a situation for the first time. */
  readonly lastNew: readonly { program: number; milliseconds: number }[];
  private milestones: Milestone[] = [];
  private interval = FIRST_INTERVAL;
  private readonly exercised: Float64Array;

  constructor(invariants: number) {
    this.programs = Array.from({ length: invariants }, () => []);
    this.lastNew = Array.from({ length: invariants }, () => ({ program: 0, milliseconds: 0 }));
    this.exercised = new Float64Array(invariants);
  }

  /** To be called after every program, with its number. */
  saw(program: number, tally: Tally, milliseconds: number): void {
    for (let index = 0; index < this.programs.length; index++) {
      if (tally.exercised[index] === this.exercised[index]) continue;
      this.exercised[index] = tally.exercised[index];
      const isNew = tally.lastNew[index] === tally.programs;
      if (isNew) {
        this.lastNew[index].program = program;
        this.lastNew[index].milliseconds = milliseconds;
      }
      if (isNew || this.programs[index].length < KEPT) this.programs[index].push(program);
    }
    if (milliseconds >= this.milestones.length * this.interval) this.mark(tally, milliseconds);
  }

  /** The milestones of the run, its end among them. */
  timeline(tally: Tally, milliseconds: number): readonly Milestone[] {
    return [...this.milestones, milestone(tally, milliseconds)];
  }

  private mark(tally: Tally, milliseconds: number): void {
    this.milestones.push(milestone(tally, milliseconds));
    if (this.milestones.length < MOST_MILESTONES) return;
    this.milestones = this.milestones.filter((_, index) => index % 2 === 0);
    this.interval *= 2;
  }
}

const milestone = (tally: Tally, milliseconds: number): Milestone => ({
  milliseconds: Math.round(milliseconds),
  programs: tally.programs,
  steps: tally.steps,
  situations: situationsReached(tally),
  findings: 0,
});

const situationsReached = ({ situations }: Tally): number =>
  situations.reduce(
    (sum, grids) =>
      sum +
      grids.reduce((cells, { counts }) => cells + counts.reduce((some, count) => some + (count > 0 ? 1 : 0), 0), 0),
    0,
  );
