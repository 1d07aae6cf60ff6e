/** Explores every variant of a small machine, one after the other, for the shortest counterexample that any of them has. */

import type { Paging } from '../../model/vocabulary/index.js';
import { PAGINGS } from '../../model/vocabulary/index.js';
import type { Invariant } from '../invariants/invariant.js';
import { INVARIANTS } from '../invariants/invariants.js';
import type { InProcessSubject } from '../subjects/subject.js';
import type { Counterexample, ExploreResult, Explored } from './exploration.js';
import { explore } from './exploration.js';
import type { Kernel } from './machines/layout.js';
import { KERNELS } from './machines/layout.js';
import type { SmallMachineName } from './small-machine.js';
import { smallMachine } from './small-machine.js';
import type { Folding } from './state-key.js';
import type { TransparentMachine } from './transcript.js';
import { isTransparent } from './transcript.js';

export interface ExhaustOptions {
  readonly model: InProcessSubject;
  readonly subject: InProcessSubject;
  readonly invariants: readonly Invariant[];
  readonly machine: SmallMachineName;
  readonly paging: Paging | 'both';
  readonly folding: Folding;
  /** Steps of the longest program; may be infinite. */
  readonly mostSteps: number;
  /** States of one exploration. */
  readonly mostStates: number;
}

/** What an exploration is of: a paging mode, and where the kernel half begins. */
export interface Variant {
  readonly paging: Paging;
  readonly kernel: Kernel;
}

export interface Exploration extends Variant {
  readonly result: ExploreResult;
}

export interface ExhaustResult {
  readonly explorations: readonly Exploration[];
  /** A shortest counterexample: no shorter program of these alphabets diverges. */
  readonly found: Counterexample | undefined;
}

export interface ExhaustWatcher {
  /** Called before every state; false ends the run. */
  mayContinue(variant: Variant, progress: Explored): boolean | Promise<boolean>;
  /** Called at the end of every exploration. */
  explored?(exploration: Exploration): void;
}

/** Both sides must satisfy `canBeExhausted`. */
export const exhaust = async (options: ExhaustOptions, watcher: ExhaustWatcher): Promise<ExhaustResult> => {
  const explorations: Exploration[] = [];
  let found: Counterexample | undefined;
  for (const variant of variantsOf(options.paging)) {
    // After a divergence, the remaining variants look for a shorter one only.
    const mostSteps = found === undefined ? options.mostSteps : found.program.steps.length - 1;
    if (mostSteps < 0) break;
    const result = await explore(
      {
        ...options,
        model: transparentMachine(options.model),
        subject: transparentMachine(options.subject),
        machine: smallMachine(options.machine, variant.paging, variant.kernel),
        mostSteps,
      },
      (progress) => watcher.mayContinue(variant, progress),
    );
    if (result.end.kind === 'divergence') found = result.end.found;
    const exploration = { ...variant, result };
    explorations.push(exploration);
    watcher.explored?.(exploration);
    if (result.end.kind === 'stopped') break;
  }
  return { explorations, found };
};

export const canBeExhausted = (subject: InProcessSubject): boolean => isTransparent(subject.create());

const variantsOf = (paging: ExhaustOptions['paging']): readonly Variant[] =>
  PAGINGS.filter((each) => paging === 'both' || paging === each).flatMap((each) =>
    KERNELS.map((kernel) => ({ paging: each, kernel })),
  );

const transparentMachine = (subject: InProcessSubject): TransparentMachine => {
  const machine = subject.create();
  if (isTransparent(machine)) return machine;
  throw new Error(`${subject.name} does not reveal its state`);
};

// The shortest program that shows a planted bug.

/** Without folding, longer programs lead to too many states. */
const MOST_STEPS_EXACT = 4;

export type ShortestSearch =
  | {
      readonly kind: 'found';
      readonly machine: SmallMachineName;
      readonly found: Counterexample;
      /** The folding under which no shorter program was found; undefined if shorter programs were not all run. */
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
  model: InProcessSubject,
  watcher: ExhaustWatcher,
): Promise<ShortestSearch> => {
  const options = { machine, subject, model, invariants: INVARIANTS, paging: 'both' } as const;
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
  // The bug may depend on the name of a slot, and then folding may hide a shorter program.
  const exact = await exhaust({ ...options, folding: 'nothing', mostSteps, mostStates: Infinity }, watcher);
  if (wasStopped(exact)) return { kind: 'stopped' };
  return { kind: 'found', machine, found: exact.found ?? found, folding: 'nothing' };
};

/** Whether every program of `steps` steps was run. */
const reached = ({ explorations }: ExhaustResult, steps: number): boolean =>
  explorations.every(
    ({ result: { end, depth } }) => end.kind === 'divergence' || end.kind === 'closed' || depth >= steps,
  );

const wasStopped = ({ explorations }: ExhaustResult): boolean =>
  explorations.some(({ result }) => result.end.kind === 'stopped');
