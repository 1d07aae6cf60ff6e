/** Judging single cases: for a replay, a regression, or a search for smaller ones. */

import type { Case } from './generators/case.js';
import type { Divergence } from './divergence.js';
import { determinism } from './invariants/determinism.js';
import type { Invariant } from './invariants/invariant.js';
import { Pair } from './pair.js';
import type { Subject } from './subjects/subject.js';

export interface JudgeOptions {
  readonly model: Subject;
  readonly subject: Subject;
  readonly invariants: readonly Invariant[];
}

/**
 * Judges single cases apart from a run's tally, each on machines of its own, as a replay does; `close` it when done. A finding
 * of `determinism` needs two runs to show.
 */
export const judgeOf = (
  options: JudgeOptions,
  invariant?: string,
): { judge(candidate: Case): Promise<Divergence | undefined>; close(): Promise<void> } => {
  const twice = invariant === determinism.id;
  let pair = new Pair(options);
  return {
    judge: ({ traffic, program }) => {
      pair = new Pair(options);
      return pair.run(program, { contractKept: traffic === 'coherent', twice });
    },
    close: () => pair.close(),
  };
};
