/** All explorations of a small machine, one after the other, and the shortest counterexample that any of them finds. */

import type { Paging } from '../../model/vocabulary/index.js';
import { PAGINGS } from '../../model/vocabulary/index.js';
import type { Invariant } from '../invariants/invariant.js';
import type { InProcessSubject } from '../subjects/subject.js';
import type { Counterexample, ExploreResult, Explored } from './explore.js';
import { explore } from './explore.js';
import type { Kernel } from './machines/layout.js';
import { KERNELS } from './machines/layout.js';
import type { SmallMachineName } from './small-machine.js';
import { smallMachine } from './small-machine.js';
import type { Folding } from './state-key.js';
import type { TellingMachine } from './telling-machine.js';
import { tellsState } from './telling-machine.js';

export interface ExhaustOptions {
  readonly reference: InProcessSubject;
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

/** One exploration: a paging mode, and a place where the kernel begins. */
export interface Variant {
  readonly paging: Paging;
  readonly kernel: Kernel;
}

export interface Exploration extends Variant {
  readonly result: ExploreResult;
}

export interface ExhaustResult {
  readonly explorations: readonly Exploration[];
  /** No program of these alphabets that is shorter diverges. */
  readonly found: Counterexample | undefined;
}

export interface ExhaustWatcher {
  /** Asked before every state; false ends the run. */
  goOn(variant: Variant, sofar: Explored): boolean | Promise<boolean>;
  /** Told of every exploration at its end. */
  explored?(exploration: Exploration): void;
}

/** Subjects that do not tell their state are refused by `canBeExhausted`. */
export const exhaust = async (options: ExhaustOptions, watcher: ExhaustWatcher): Promise<ExhaustResult> => {
  const explorations: Exploration[] = [];
  let found: Counterexample | undefined;
  for (const variant of variantsOf(options.paging)) {
    // Once a program diverges, the others are asked for a shorter one.
    const mostSteps = found === undefined ? options.mostSteps : found.program.steps.length - 1;
    if (mostSteps < 0) break;
    const result = await explore(
      {
        ...options,
        reference: tellingMachine(options.reference),
        subject: tellingMachine(options.subject),
        machine: smallMachine(options.machine, variant.paging, variant.kernel),
        mostSteps,
      },
      (sofar) => watcher.goOn(variant, sofar),
    );
    if (result.end.kind === 'divergence') found = result.end.found;
    const exploration = { ...variant, result };
    explorations.push(exploration);
    watcher.explored?.(exploration);
    if (result.end.kind === 'stopped') break;
  }
  return { explorations, found };
};

export const canBeExhausted = (subject: InProcessSubject): boolean => tellsState(subject.create());

const variantsOf = (paging: ExhaustOptions['paging']): readonly Variant[] =>
  PAGINGS.filter((each) => paging === 'both' || paging === each).flatMap((each) =>
    KERNELS.map((kernel) => ({ paging: each, kernel })),
  );

const tellingMachine = (subject: InProcessSubject): TellingMachine => {
  const machine = subject.create();
  if (tellsState(machine)) return machine;
  throw new Error(`${subject.name} does not tell its state`);
};
