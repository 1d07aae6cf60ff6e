/** Judging single cases: for a replay, a regression, or a search for smaller ones. */

import type { Program } from '../model/vocabulary/index.js';
import type { Case } from './generators/case.js';
import type { Divergence, Place } from './divergence.js';
import { SCREEN_DISAGREES } from './divergence.js';
import { determinism } from './invariants/determinism.js';
import type { Invariant } from './invariants/invariant.js';
import { Pair } from './pair.js';
import type { Profile } from './profile.js';
import { whyOutside } from './subjects/scope.js';
import type { Subject } from './subjects/subject.js';

export interface JudgeOptions {
  readonly model: Subject;
  readonly subject: Subject;
  readonly invariants: readonly Invariant[];
  /** `lguest` by default. A program that does not belong to it shows nothing. */
  readonly profile?: Profile | undefined;
}

/** A finding that is looked for. */
export interface Sought {
  /**
   * `determinism` needs two runs to show, and `screen-disagrees` a program that is screened. Where nothing is known of a program, say
   * `determinism`: it is screened too.
   */
  readonly invariant: string;
  /** At the end of input, what the program shows does not matter. */
  readonly place?: Place | undefined;
}

export interface Judging {
  /** `before`: programs that a process is to run before that of the case. */
  judge(candidate: Case, before?: readonly Program[]): Promise<Divergence | undefined>;
  close(): Promise<void>;
}

/**
 * Judges single cases apart from a run's tally, each on machines of its own, as a replay does; `close` it when done. A subject outside this
 * process is started for each case, so that it remembers nothing, and how it exits is judged too.
 */
export const judgeOf = (options: JudgeOptions, sought?: Sought): Judging => {
  const pair = new Pair(options);
  const hurried = hurriedJudgeOf(options, sought);
  return {
    judge: async (candidate, before = []) => {
      await pair.close();
      const found = await hurried.judge(candidate, before);
      const end = await pair.close();
      return sought?.place?.kind === 'end-of-input' ? end : (found ?? end);
    },
    close: () => hurried.close(),
  };
};

/** As `judgeOf`, but a subject outside this process goes on from case to case: faster, but what it remembers may show. */
export const hurriedJudgeOf = (options: JudgeOptions, sought?: Sought): Judging => {
  const twice = sought?.invariant === determinism.id;
  const screened = sought?.invariant === SCREEN_DISAGREES;
  const { profile = 'lguest' } = options;
  let pair = new Pair(options);
  return {
    judge: async ({ traffic, program }, before = []) => {
      if (whyOutside(program, profile) !== undefined) return undefined;
      pair = new Pair(options);
      const how = { contractKept: traffic === 'coherent', twice, screened };
      const found = (await pair.lead(before)) ?? (await pair.run(program, how));
      const isUnknown = twice && traffic !== 'racy';
      return found === undefined && isUnknown ? await pair.run(program, { ...how, screened: true }) : found;
    },
    close: async () => void (await pair.close()),
  };
};
