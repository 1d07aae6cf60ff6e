/**
 * The fuzz loop: generates programs of a campaign, runs them in lockstep, and makes every new kind of finding small. It knows no
 * clock and no terminal; whoever calls decides when it is enough.
 */

import fc from 'fast-check';
import type { Paging } from '../model/vocabulary/index.js';
import type { Case, Traffic } from './arbitraries/index.js';
import { programArbitrary } from './arbitraries/index.js';
import { keepsContract } from './contract.js';
import type { Divergence } from './divergence.js';
import { signatureOf } from './divergence.js';
import type { Invariant } from './invariants/invariant.js';
import { minimize } from './minimize/index.js';
import { judgeOf } from './judging.js';
import { Pair } from './pair.js';
import { programSeed, randomFor } from './seeds.js';
import type { Subject } from './subjects/subject.js';
import type { Tally } from './tally.js';

/** How often a program is taken up again behind a divergence. */
const MOST_ROUNDS = 16;

/** Every so many programs one is run a second time, for the invariant `determinism`. */
export const TWICE_EVERY = 256;

export interface FuzzOptions {
  /** Name of the campaign: with a program's number it fixes the program. */
  readonly campaign: string;
  readonly reference: Subject;
  readonly subject: Subject;
  readonly invariants: readonly Invariant[];
  readonly paging: Paging | 'both';
  readonly traffic: Traffic | 'mixed';
  readonly mostSteps: number;
  /** Kinds of finding after which the run ends. */
  readonly mostFindings: number;
  /** Candidates tried for each new kind of finding. */
  readonly mostTries: number;
  /** Signatures that are known: they are counted, and not made small. */
  readonly known?: ReadonlySet<string>;
}

/** A kind of finding: all divergences with one signature. */
export interface Finding {
  readonly signature: string;
  /** Number of the program that showed it first, and how many steps that had. */
  readonly program: number;
  readonly originalSteps: number;
  readonly case: Case;
  readonly divergence: Divergence;
  /** Shrinking was cut short, so the program may be larger than it need be. */
  readonly interrupted: boolean;
  /** It showed again when the program was run by itself. If not, what ran before it matters, or chance; it was not made small. */
  readonly reproduced: boolean;
  /** Programs that showed it. */
  count: number;
}

export interface FuzzWatcher {
  /** Asked before every program with the number already run, and what they were seen to do; false ends the run. */
  goOn(programs: number, tally: Tally): boolean | Promise<boolean>;
  /** Awaited before every candidate while a finding is made small, so that whoever watches can look around. */
  pause?(): Promise<void> | undefined;
  /** Asked while a finding is made small; true stops at the smallest so far. */
  hurried?(): boolean;
  /** Told of every new kind of finding, once it is small. */
  found?(finding: Finding): void | Promise<void>;
}

export interface FuzzResult {
  /** Programs that were run, also those that a subject outside the process gave no trace for. */
  readonly programs: number;
  readonly tally: Tally;
  readonly findings: readonly Finding[];
  /** Known signatures that occurred, with the number of programs that showed them. */
  readonly known: ReadonlyMap<string, number>;
}

export const fuzz = async (options: FuzzOptions, watcher: FuzzWatcher): Promise<FuzzResult> => {
  const run = new FuzzRun(options, watcher);
  try {
    return await run.go();
  } finally {
    await run.close();
  }
};

class FuzzRun {
  private readonly options: FuzzOptions;
  private readonly watcher: FuzzWatcher;
  private readonly pair: Pair;
  private readonly findings = new Map<string, Finding>();
  private readonly known = new Map<string, number>();

  constructor(options: FuzzOptions, watcher: FuzzWatcher) {
    this.options = options;
    this.watcher = watcher;
    this.pair = new Pair(options);
  }

  async go(): Promise<FuzzResult> {
    const { campaign, mostFindings } = this.options;
    const arbitrary = programArbitrary(this.options);
    let index = 0;
    for (; this.findings.size < mostFindings; index++) {
      if (!(await this.watcher.goOn(index, this.pair.tally))) break;
      const generated = arbitrary.generate(randomFor(programSeed(campaign, index)), undefined);
      await this.explore(index, generated);
    }
    return { programs: index, tally: this.pair.tally, findings: [...this.findings.values()], known: this.known };
  }

  /** Runs a program; behind each divergence it goes on without the step that diverged, for there may be others. */
  private async explore(index: number, generated: Generated): Promise<void> {
    let found = generated;
    const shown = new Set<string>();
    const twice = index % TWICE_EVERY === 0;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { traffic, program } = found.value;
      const divergence = await this.pair.run(program, { contractKept: traffic === 'coherent', twice });
      if (divergence === undefined) return;
      const signature = signatureOf(divergence);
      if (!shown.has(signature)) await this.take(index, found, divergence, generated.value.program.steps.length);
      shown.add(signature);
      const { place } = divergence;
      if (place.kind !== 'step' || this.findings.size >= this.options.mostFindings) return;
      found = withoutStep(found.value, place.index);
    }
  }

  async close(): Promise<void> {
    await this.pair.close();
  }

  private async take(
    index: number,
    generated: Generated,
    divergence: Divergence,
    originalSteps: number,
  ): Promise<void> {
    const signature = signatureOf(divergence);
    if (this.options.known?.has(signature) === true) {
      this.known.set(signature, (this.known.get(signature) ?? 0) + 1);
      return;
    }
    const same = this.findings.get(signature);
    if (same !== undefined) {
      same.count++;
      return;
    }
    const small = await this.smallest(generated, signature, divergence);
    const finding: Finding = {
      signature,
      program: index,
      originalSteps,
      case: small.case,
      divergence: small.divergence,
      interrupted: small.interrupted,
      reproduced: small.reproduced,
      count: 1,
    };
    this.findings.set(signature, finding);
    await this.watcher.found?.(finding);
  }

  private async smallest(generated: Generated, signature: string, divergence: Divergence): Promise<Small> {
    const judging = judgeOf(this.options, divergence.invariant);
    const judge = async (candidate: Case): Promise<Divergence | undefined> => {
      await this.watcher.pause?.();
      return await judging.judge(candidate);
    };
    try {
      const again = await judge(generated.value);
      if (again === undefined || signatureOf(again) !== signature) {
        return { case: generated.value, divergence, interrupted: false, reproduced: false };
      }
      const { mostTries } = this.options;
      const interrupted = (): boolean => this.watcher.hurried?.() ?? false;
      return { ...(await minimize(generated, signature, judge, { mostTries, interrupted })), reproduced: true };
    } finally {
      await judging.close();
    }
  }
}

/** A guest that no longer keeps its contract is a hostile one. */
const withoutStep = ({ traffic, program }: Case, index: number): Generated => {
  const shorter = { machine: program.machine, steps: program.steps.toSpliced(index, 1) };
  const kept = traffic === 'coherent' && keepsContract(shorter);
  return new fc.Value<Case>({ traffic: kept ? 'coherent' : 'hostile', program: shorter }, undefined);
};

type Small = Pick<Finding, 'case' | 'divergence' | 'interrupted' | 'reproduced'>;

type Generated = ReturnType<ReturnType<typeof programArbitrary>['generate']>;
