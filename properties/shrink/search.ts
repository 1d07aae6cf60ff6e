/**
 * The search for a small case: the smallest so far, and what may replace it. Every candidate of every pass goes through `offer`, so no
 * pass can make a case larger, invalid or incoherent, or turn it into another finding.
 */

import { setImmediate } from 'node:timers/promises';
import type { Program } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { Case } from '../generators/index.js';
import { isProgram } from '../generators/valid-program.js';
import type { Measure } from './measure.js';
import { isSmaller, measureOf } from './measure.js';

/** Runs a candidate and answers its divergence, if any. May be slow, as with a subject behind a pipe. */
export type Judge = (candidate: Case) => Promise<Divergence | undefined>;

/** Programs of at most this many steps are remembered, because the last rounds propose the same candidates again. */
const MOST_STEPS_REMEMBERED = 48;
/** How often the event loop gets a turn, in tries. Signals wait until then. */
const TRIES_BETWEEN_TURNS = 32;

export interface Progress {
  /** Candidates judged. */
  readonly tried: number;
  /** Steps of the smallest case so far. */
  readonly steps: number;
}

export interface SearchOptions {
  readonly signature: string;
  readonly judge: Judge;
  /** Candidates judged at most. */
  readonly mostTries: number;
  readonly interrupted?: (() => boolean) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * A way to make programs smaller: yields candidates, and receives for each whether it was accepted as the smallest. `smallest` answers
 * the smallest program so far.
 */
export type Pass = (smallest: () => Program) => Generator<Program, void, boolean>;

export class Search {
  smallest: Case;
  divergence: Divergence;
  tried = 0;
  /** The caller stopped the search. */
  interrupted = false;

  private readonly options: SearchOptions;
  /** Of the smallest program. */
  private measure: Measure;
  private readonly seen = new Set<string>();

  /** `divergence`: that of `start`; judging it was the first try. */
  constructor(start: Case, divergence: Divergence, options: SearchOptions) {
    this.smallest = start;
    this.divergence = divergence;
    this.measure = measureOf(start.program);
    this.options = options;
    this.tried = 1;
  }

  /** No more candidates will be judged. */
  get over(): boolean {
    return this.interrupted || this.tried >= this.options.mostTries;
  }

  /** Accepts a candidate if it is smaller and shows the same finding. */
  async offer(program: Program): Promise<boolean> {
    if (this.over || !this.worthJudging(program)) return false;
    await this.takeTurn();
    if (this.interrupted) return false;
    this.tried++;
    const candidate: Case = { traffic: this.smallest.traffic, program };
    const divergence = await this.options.judge(candidate);
    if (divergence === undefined || signatureOf(divergence) !== this.options.signature) return false;
    this.smallest = candidate;
    this.divergence = divergence;
    this.measure = measureOf(program);
    this.report();
    return true;
  }

  /** Runs a pass to its end; answers whether it made the case smaller. */
  async run(pass: Pass): Promise<boolean> {
    let improved = false;
    const proposals = pass(() => this.smallest.program);
    let proposal = proposals.next();
    while (proposal.done !== true && !this.over) {
      const accepted = await this.offer(proposal.value);
      improved ||= accepted;
      proposal = proposals.next(accepted);
    }
    return improved;
  }

  private worthJudging(program: Program): boolean {
    const { traffic } = this.smallest;
    if (!this.isSmaller(program) || this.remembers(program)) return false;
    return isProgram(program) && (traffic !== 'coherent' || keepsContract(program));
  }

  /** The number of steps decides most comparisons, without the rest of the measure. */
  private isSmaller(program: Program): boolean {
    const fewer = this.smallest.program.steps.length - program.steps.length;
    return fewer === 0 ? isSmaller(measureOf(program), this.measure) : fewer > 0;
  }

  private remembers(program: Program): boolean {
    if (program.steps.length > MOST_STEPS_REMEMBERED) return false;
    const text = JSON.stringify(program);
    if (this.seen.has(text)) return true;
    this.seen.add(text);
    return false;
  }

  /** A judge in this process never yields to the event loop, so interrupts would not arrive. */
  private async takeTurn(): Promise<void> {
    if (this.tried % TRIES_BETWEEN_TURNS === 0) {
      await setImmediate();
      this.report();
    }
    if (this.options.interrupted?.() === true) this.interrupted = true;
  }

  private report(): void {
    this.options.onProgress?.({ tried: this.tried, steps: this.smallest.program.steps.length });
  }
}
