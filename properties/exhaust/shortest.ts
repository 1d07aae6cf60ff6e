/** The shortest program that shows a planted bug, and what was done to be sure of it. */

import { INVARIANTS } from '../invariants/registry.js';
import type { InProcessSubject } from '../subjects/subject.js';
import type { ExhaustResult, ExhaustWatcher } from './exhaust.js';
import { exhaust } from './exhaust.js';
import type { Counterexample } from './explore.js';
import type { SmallMachineName } from './small-machine.js';
import type { Folding } from './state-key.js';

/** With nothing folded, longer programs lead to too many states. */
const MOST_STEPS_EXACT = 4;

export type Search =
  | {
      readonly kind: 'found';
      readonly machine: SmallMachineName;
      readonly found: Counterexample;
      /** Which states were taken for one while it was made sure that no shorter program shows it; left out: that was not done. */
      readonly folding: Folding | undefined;
    }
  /** No program of at most `depth` steps shows it. */
  | { readonly kind: 'not-found'; readonly depth: number }
  | { readonly kind: 'stopped' };

/** How far to look. */
export interface SearchBounds {
  readonly machine: SmallMachineName;
  /** States of one exploration. */
  readonly mostStates: number;
}

export const searchShortest = async (
  { machine, mostStates }: SearchBounds,
  subject: InProcessSubject,
  reference: InProcessSubject,
  watcher: ExhaustWatcher,
): Promise<Search> => {
  const options = { machine, subject, reference, invariants: INVARIANTS, paging: 'both' } as const;
  const folded = await exhaust({ ...options, folding: 'names', mostSteps: Infinity, mostStates }, watcher);
  if (wasStopped(folded)) return { kind: 'stopped' };
  const { found } = folded;
  if (found === undefined) {
    return { kind: 'not-found', depth: Math.min(...folded.explorations.map(({ result }) => result.depth)) };
  }
  const mostSteps = found.program.steps.length - 1;
  if (mostSteps > MOST_STEPS_EXACT) {
    return { kind: 'found', machine, found, folding: reached(folded, mostSteps) ? 'names' : undefined };
  }
  // A bug may well depend on the name of a slot, so that a shorter program is folded away.
  const exact = await exhaust({ ...options, folding: 'nothing', mostSteps, mostStates: Infinity }, watcher);
  if (wasStopped(exact)) return { kind: 'stopped' };
  return { kind: 'found', machine, found: exact.found ?? found, folding: 'nothing' };
};

/** Every program of so many steps was run. */
const reached = ({ explorations }: ExhaustResult, steps: number): boolean =>
  explorations.every(
    ({ result: { end, depth } }) => end.kind === 'divergence' || end.kind === 'closed' || depth >= steps,
  );

const wasStopped = ({ explorations }: ExhaustResult): boolean =>
  explorations.some(({ result }) => result.end.kind === 'stopped');
