/**
 * The fuzz loop: generates programs of a campaign, runs them in lockstep, and makes every new kind of finding small. It knows no
 * clock and no terminal; whoever calls decides when it is enough.
 */

import type { Paging } from '../model/vocabulary/index.js';
import type { Case, Traffic } from './generators/index.js';
import type { Divergence } from './divergence.js';
import { signatureOf } from './divergence.js';
import type { Generated, Shown } from './explore.js';
import { programsOf, showings } from './explore.js';
import type { Invariant } from './invariants/invariant.js';
import { shrink } from './shrink/index.js';
import type { JudgeOptions } from './judging.js';
import { judgeOf } from './judging.js';
import { Pair } from './pair.js';
import type { Guidance } from './pool/program-pool.js';
import type { Subject } from './subjects/subject.js';
import type { Tally } from './tally.js';

export interface FuzzOptions {
  /** Name of the campaign: with a program's number it fixes the program. */
  readonly campaign: string;
  readonly reference: Subject;
  readonly subject: Subject;
  readonly invariants: readonly Invariant[];
  readonly paging: Paging | 'both';
  readonly traffic: Traffic | 'mixed';
  readonly mostSteps: number;
  /** Left out: no program is made from a pool. */
  readonly guidance?: Guidance | undefined;
  /** Kinds of finding after which the run ends. */
  readonly mostFindings: number;
  /** Candidates tried for each new kind of finding. */
  readonly mostTries: number;
  /** Signatures that are known: they are counted, and not made small. */
  readonly known?: ReadonlySet<string>;
}

/** A kind of finding: all divergences with one signature. */
export interface KindOfFinding {
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

/** Whoever calls: decides when it is enough, and is told on the way. */
export interface FuzzWatcher {
  /** Asked before every program with the number already run, and what they were seen to do; false ends the run. */
  goOn(programs: number, tally: Tally): boolean | Promise<boolean>;
  /** Awaited before every candidate while a finding is made small, so that whoever watches can look around. */
  pause?(): Promise<void> | undefined;
  /** Asked while a finding is made small; true stops at the smallest so far. */
  hurried?(): boolean;
  /** Told of every new kind of finding, once it is small. */
  found?(finding: KindOfFinding): void | Promise<void>;
}

export interface FuzzResult {
  /** Programs that were run, also those that a subject outside the process gave no trace for. */
  readonly programs: number;
  readonly tally: Tally;
  readonly findings: readonly KindOfFinding[];
  /** Known signatures that occurred, with the number of programs that showed them. */
  readonly known: ReadonlyMap<string, number>;
}

/**
 * Runs a campaign from its first program until the watcher or the number of findings ends it. Throws `BadInput` if a subject
 * cannot be started.
 */
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
  private readonly findings = new Map<string, KindOfFinding>();
  private readonly known = new Map<string, number>();

  constructor(options: FuzzOptions, watcher: FuzzWatcher) {
    this.options = options;
    this.watcher = watcher;
    this.pair = new Pair(options);
  }

  async go(): Promise<FuzzResult> {
    const { campaign, mostFindings } = this.options;
    const programs = programsOf(campaign, this.options);
    let index = 0;
    for (; this.findings.size < mostFindings; index++) {
      if (!(await this.watcher.goOn(index, this.pair.tally))) break;
      await this.explore(index, programs(index));
    }
    return { programs: index, tally: this.pair.tally, findings: [...this.findings.values()], known: this.known };
  }

  /** Runs a program, and takes what it shows. */
  private async explore(index: number, generated: Generated): Promise<void> {
    const originalSteps = generated.value.program.steps.length;
    for await (const shown of showings(this.pair, index, generated)) {
      await this.take(index, shown, originalSteps);
      if (this.findings.size >= this.options.mostFindings) return;
    }
  }

  async close(): Promise<void> {
    await this.pair.close();
  }

  private async take(index: number, shown: Shown, originalSteps: number): Promise<void> {
    const { signature } = shown;
    if (this.options.known?.has(signature) === true) {
      this.known.set(signature, (this.known.get(signature) ?? 0) + 1);
      return;
    }
    const same = this.findings.get(signature);
    if (same !== undefined) {
      same.count++;
      return;
    }
    const small = await makeSmall(this.options, shown, this.watcher);
    const finding: KindOfFinding = {
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
}

/** A finding as it is told: as small as it would become. */
export type Small = Pick<KindOfFinding, 'case' | 'divergence' | 'interrupted' | 'reproduced'>;

/** Makes what a program showed small, on machines of its own. Deterministic if the sides are, and nobody is in a hurry. */
export const makeSmall = async (
  options: JudgeOptions & { readonly mostTries: number },
  { signature, divergence, found }: Shown,
  watcher: Pick<FuzzWatcher, 'pause' | 'hurried'>,
): Promise<Small> => {
  const judging = judgeOf(options, divergence.invariant);
  const judge = async (candidate: Case): Promise<Divergence | undefined> => {
    await watcher.pause?.();
    return await judging.judge(candidate);
  };
  try {
    const again = await judge(found.value);
    if (again === undefined || signatureOf(again) !== signature) {
      return { case: found.value, divergence, interrupted: false, reproduced: false };
    }
    const { mostTries } = options;
    const interrupted = (): boolean => watcher.hurried?.() ?? false;
    return { ...(await shrink(found, signature, judge, { mostTries, interrupted })), reproduced: true };
  } finally {
    await judging.close();
  }
};
