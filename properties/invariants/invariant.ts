/** What an invariant is, and what it is shown. */

import type { MachineConfig, Observation, Op, OutcomeKind, ShadowView, Step } from '../../model/vocabulary/index.js';
import type { GuestRecord } from '../guest-record.js';
import type { Grid } from './situations/grid.js';
import type { Scene } from './situations/scene.js';

/** Every moment at which invariants are asked: after creation, after a step, after the last step, after `destroy`. */
export type Stage = 'create' | Op | 'end' | 'destroy';

/** What an invariant sees. One object serves a whole run; its fields are those of the moment. */
export interface Moment {
  readonly config: MachineConfig;
  readonly stage: Stage;
  /** The step, at a stage that is one. */
  readonly step: Step | undefined;
  /** The contract of a coherent guest holds throughout this program (machine.md 5). */
  readonly contractKept: boolean;
  /** What the step found before it began. */
  readonly scene: Scene;
  /** What the guest did, this step included. */
  readonly guest: GuestRecord;
  readonly reference: Observation;
  readonly subject: Observation;
  /** Kinds of the two outcomes: read once for everybody, because outcomes have many shapes and a read of one is slow. */
  readonly referenceKind: OutcomeKind;
  readonly subjectKind: OutcomeKind;
  /** Inside of the subject, if it lets us look. */
  readonly shadow: ShadowView | undefined;
}

/** How an expectation was missed. */
export interface Violation {
  readonly kind: 'violated';
  /** What differs: a field of the observation or of the shadow tables. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** The class of the difference: free of addresses, pages and counts, so that it groups findings. */
  readonly difference: string;
}

/** The premise did not hold, so nothing was looked at. */
export const VACUOUS = { kind: 'vacuous' } as const;
export const HELD = { kind: 'held' } as const;
export type Verdict = typeof VACUOUS | typeof HELD | Violation;

/** Watches the programs of one run, one after the other. */
export interface Watch {
  /** Called before the first step of a program; the machines do not exist yet. */
  begin?(): void;
  /** Called before every step of the stages asked for, by itself. The observations are those of the step before. */
  readonly before?: (this: void, moment: Moment) => void;
  /** Called by itself, as `before` is: many times a step somebody is asked, and a method that must be bound is asked slowly. */
  readonly after: (this: void, moment: Moment) => Verdict;
}

export interface Invariant {
  readonly id: string;
  /** One sentence, true of every sound machine. */
  readonly statement: string;
  /** Where the rule comes from. */
  readonly source: string;
  /** What counts as exercising it: a check whose premise held. */
  readonly exercisedBy: string;
  /**
   * `observations`: applies to any pair of machines. `shadow`: needs a subject with the introspection interface. `fresh`: needs a
   * reference that walks the guest's tables on every access.
   */
  readonly looksAt: 'observations' | 'shadow' | 'fresh';
  /** `kept`: says nothing of a guest that breaks the contract of machine.md 5. */
  readonly contract: 'any' | 'kept';
  /** Why no bug can be caught by this invariant alone; left out where the catalogue has one that is. */
  readonly neverAlone?: string;
  readonly stages: readonly Stage[];
  /**
   * Stages at which it is asked even if the step was quiet: both sides ended it alike and neither shows any change, outside or
   * inside. Left out: at all of them. Most of what can be wrong is a change that is wrong, or one that only one side shows.
   */
  readonly whenQuiet?: readonly Stage[];
  /**
   * Of these outcomes it says something when both sides had the same kind; left out: of every one. When the sides part, and once
   * the guest is dead, it is asked in any case.
   */
  readonly outcomes?: readonly OutcomeKind[];
  /** In what circumstances it can be exercised; a run counts each. All of the registry have some. */
  readonly situations?: readonly Grid[];
  watch(): Watch;
}

export const violation = (field: string, expected: string, actual: string, difference: string): Violation => ({
  kind: 'violated',
  field,
  expected,
  actual,
  difference,
});

/** A watch that remembers nothing. */
export const stateless = (after: (moment: Moment) => Verdict): (() => Watch) => {
  const watch: Watch = { after };
  return () => watch;
};

export const hex = (value: number): string => `0x${value.toString(16)}`;
