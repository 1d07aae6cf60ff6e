/** What the processes of a command have answered, so that a finding can be tried again behind the programs that its process had seen. */

import type { Program } from '../../model/vocabulary/index.js';
import { MOST_BEFORE } from '../finding.js';

/** Of the programs that are remembered, together: about 50 MB. */
const MOST_STEPS = 500_000;

/** The programs that one process has answered: the last ones, in order. */
class Answered {
  private programs: Program[] = [];
  private steps = 0;
  /** How many were forgotten. */
  private forgotten = 0;

  /** Returns its number. */
  add(program: Program): number {
    this.programs.push(program);
    this.steps += program.steps.length;
    if (this.programs.length > 2 * MOST_BEFORE || this.steps > 2 * MOST_STEPS) this.forget();
    return this.forgotten + this.programs.length - 1;
  }

  /** The last ones before a number. */
  before(number: number): readonly Program[] {
    const end = Math.max(0, Math.min(number - this.forgotten, this.programs.length));
    return this.programs.slice(Math.max(0, end - MOST_BEFORE), end);
  }

  private forget(): void {
    const kept = this.programs.slice(Math.ceil(this.programs.length / 2));
    this.forgotten += this.programs.length - kept.length;
    this.programs = kept;
    this.steps = kept.reduce((sum, { steps }) => sum + steps.length, 0);
  }
}

/** A moment in the life of a process. */
interface Moment {
  readonly answered: Answered;
  readonly number: number;
}

export class ProcessHistory {
  private answered = new Answered();
  private readonly moments = new WeakMap<Program, Moment>();

  /** A new process begins. */
  begin(): void {
    this.answered = new Answered();
  }

  /** The process answered a program, or failed at it. */
  add(program: Program): void {
    this.moments.set(program, { answered: this.answered, number: this.answered.add(program) });
  }

  /** When a program was asked last. */
  momentOf(program: Program): Moment | undefined {
    return this.moments.get(program);
  }

  /** That was when a program was asked last: no later time counts. */
  restore(program: Program, moment: Moment | undefined): void {
    if (moment !== undefined) this.moments.set(program, moment);
  }

  /** What the process that was asked this program last had answered before it, at most `MOST_BEFORE` programs. */
  before(program: Program): readonly Program[] {
    const moment = this.moments.get(program);
    return moment === undefined ? [] : moment.answered.before(moment.number);
  }

  /** What the process that began last has answered. */
  all(): readonly Program[] {
    return this.answered.before(Infinity);
  }
}
