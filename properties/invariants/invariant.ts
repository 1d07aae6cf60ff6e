/** What an invariant is. */

import type { OutcomeKind } from '../../model/vocabulary/index.js';
import type { Moment, Stage } from './moment.js';
import type { Grid } from './situations/grid.js';
import type { Violation } from './violation.js';

/** The premise did not hold, so nothing was checked. */
export const VACUOUS = 'vacuous';
export const HELD = 'held';
export type Verdict = typeof VACUOUS | typeof HELD | Violation;

/** Watches the programs of one run, one after the other. */
export interface Watch {
  /** Called before the first step of a program; the machines do not exist yet. */
  begin?(): void;
  /** Called before every step of the invariant's stages. The observations are those of the step before. */
  readonly before?: (this: void, moment: Moment) => void;
  /** Called without `this`, as `before` is: a method that needs binding is slow to call. */
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
  /** Who is worse off if it is broken: the host and with it every guest, or this guest alone. */
  readonly harms: 'host' | 'guest';
  /**
   * `observations`: applies to any pair of machines. `shadow`: needs a subject that can be inspected. `fresh`: needs a model that
   * walks the guest's tables on every access.
   */
  readonly looksAt: 'observations' | 'shadow' | 'fresh';
  /** `kept`: checked only while the guest keeps the contract of machine.md 5. */
  readonly contract: 'any' | 'kept';
  /** Why no bug can be caught by this invariant alone; left out where the catalogue has one that is. */
  readonly neverAlone?: string;
  readonly stages: readonly Stage[];
  /**
   * Stages at which it is checked even if the step was quiet: both outcomes agree and neither side shows a change, outside or
   * inside. Left out: all of them. Most violations are a wrong change, or a change on one side alone.
   */
  readonly whenQuiet?: readonly Stage[];
  /**
   * Where both outcomes are of one kind, it is checked for these kinds only; left out: for every kind. When the outcomes differ,
   * and once the guest is dead, it is always checked.
   */
  readonly outcomes?: readonly OutcomeKind[];
  /** The circumstances in which it can be exercised; a run counts each. All members of `INVARIANTS` have some. */
  readonly situations?: readonly Grid[];
  watch(): Watch;
}

/** A watch that remembers nothing. */
export const stateless = (after: (moment: Moment) => Verdict): (() => Watch) => {
  const watch: Watch = { after };
  return () => watch;
};

export const hex = (value: number): string => `0x${value.toString(16)}`;
