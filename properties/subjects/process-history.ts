/** What the processes of a command have answered, so that a finding can be tried again behind the programs that its process had seen. */

import type { Program } from '../../model/vocabulary/index.js';
import { MOST_BEFORE } from '../finding.js';

/** Of the programs that are remembered, together: about 50 MB. */
const MOST_STEPS = 500_000;

/** When a program was asked. Programs are numbered through all processes. */
interface Moment {
  /** The first program of the process. */
  readonly first: number;
  readonly number: number;
}

export class ProcessHistory {
  /** The last ones that were answered, in order, whichever process answered them. */
  private programs: Program[] = [];
  private steps = 0;
  /** How many were forgotten. */
  private forgotten = 0;
  /** The first program of the process that began last. */
  private first = 0;
  private readonly moments = new WeakMap<Program, Moment>();

  /** A new process begins. */
  begin(): void {
    this.first = this.next;
  }

  /** The process answered a program, or failed at it. */
  add(program: Program): void {
    this.moments.set(program, { first: this.first, number: this.next });
    this.programs.push(program);
    this.steps += program.steps.length;
    if (this.programs.length > 2 * MOST_BEFORE || this.steps > 2 * MOST_STEPS) this.forget();
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
    return moment === undefined ? [] : this.between(moment.first, moment.number);
  }

  /** What the process that began last has answered. */
  all(): readonly Program[] {
    return this.between(this.first, this.next);
  }

  private get next(): number {
    return this.forgotten + this.programs.length;
  }

  private between(first: number, end: number): readonly Program[] {
    const from = Math.max(first, end - MOST_BEFORE, this.forgotten);
    return from >= end ? [] : this.programs.slice(from - this.forgotten, end - this.forgotten);
  }

  private forget(): void {
    const kept = this.programs.slice(Math.ceil(this.programs.length / 2));
    this.forgotten += this.programs.length - kept.length;
    this.programs = kept;
    this.steps = kept.reduce((sum, { steps }) => sum + steps.length, 0);
  }
}
