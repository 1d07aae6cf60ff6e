/**
 * The search for a small case: the smallest so far, and what it takes to replace it. Everything that a pass proposes goes
 * through `offer`, so no pass can make a case larger, invalid, incoherent, or into another finding.
 */

import { setImmediate } from 'node:timers/promises';
import type { Program } from '../../model/vocabulary/index.js';
import type { Case } from '../generators/index.js';
import { isProgram } from '../generators/valid-program.js';
import { keepsContract } from '../contract.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { Judge } from './judge.js';
import type { Measure } from './measure.js';
import { isSmaller, measureOf } from './measure.js';

/** Programs of at most so many steps are remembered, so that the last rounds, which repeat themselves, judge nothing twice. */
const MOST_STEPS_REMEMBERED = 48;
/** Between two breaths nothing but this program runs: signals wait. */
const TRIES_BETWEEN_BREATHS = 32;

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
 * A way to make programs smaller: proposes candidates one by one, and is told of each whether it is now the smallest.
 * `smallest` answers the smallest program at the moment of the call.
 */
export type Pass = (smallest: () => Program) => Generator<Program, void, boolean>;

export class Search {
  smallest: Case;
  divergence: Divergence;
  tried = 0;
  /** Somebody asked to stop before the search was done. */
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

  /** Nothing more will be judged. */
  get over(): boolean {
    return this.interrupted || this.tried >= this.options.mostTries;
  }

  /** Takes a candidate if it is smaller and shows the same finding. */
  async offer(program: Program): Promise<boolean> {
    if (this.over || !this.worthJudging(program)) return false;
    await this.breathe();
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

  /** Runs a pass to its end; answers whether anything became smaller. */
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
    return isProgram(program) && (traffic === 'hostile' || keepsContract(program));
  }

  /** Most candidates are decided by their number of steps, which spares the rest of the measure. */
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

  /** A judge in this process never gives way by itself, so whoever wants to interrupt would not be heard. */
  private async breathe(): Promise<void> {
    if (this.tried % TRIES_BETWEEN_BREATHS === 0) {
      await setImmediate();
      this.report();
    }
    if (this.options.interrupted?.() === true) this.interrupted = true;
  }

  private report(): void {
    this.options.onProgress?.({ tried: this.tried, steps: this.smallest.program.steps.length });
  }
}
