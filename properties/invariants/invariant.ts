/** What an invariant is, and what it answers: that a moment is outside its premise, that it held, or how it was broken. */

import type { Observable, OutcomeKind, Paddr } from '../../model/vocabulary/index.js';
import type { Aftermath, Moment, Stage } from './moment.js';
import type { Grid } from './situations/grid.js';

/** The premise did not hold, so nothing was checked. */
export const VACUOUS = 'vacuous';
export const HELD = 'held';
export type Verdict = typeof VACUOUS | typeof HELD | Violation;

/**
 * What invariants look at: what both sides let the harness observe; `ram` is shown by a subject in this process, `fresh` by a model
 * that walks the guest's tables at every access. `upper stores`: the stores of upper entries too, not those of leaves alone.
 */
export type Sight = Observable | 'upper stores' | 'ram' | 'fresh';

/** Watches the programs of one run, one after the other. */
export interface Watch {
  /** Called before the first step of a program; the machines do not exist yet. */
  begin?(): void;
  /** Called before every step of the invariant's stages. The observations are those of the step before. */
  readonly before?: (this: void, moment: Moment) => void;
  /** Called without `this`, as `before` is: a method that needs binding is slow to call. */
  readonly after: (this: void, moment: Moment) => Verdict;
  /**
   * Looks for a violation at the end of a program whose steps were not judged (screening.ts), while the guest lives. Called without
   * `this`. Left out: none would show then.
   */
  readonly audit?: (this: void, aftermath: Aftermath) => Verdict;
}

export interface Invariant {
  readonly id: string;
  /** One sentence, true of every sound machine. */
  readonly statement: string;
  /** Where the rule comes from. */
  readonly source: string;
  /** What counts as exercising it: a check whose premise held. */
  readonly exercisedBy: string;
  /** Whom a violation harms: the host and with it every guest, or this guest alone. */
  readonly harms: 'host' | 'guest';
  /** What it can look at. It is checked if at least one of these is shown; what the others would show, it then does not see. */
  readonly looksAt: readonly Sight[];
  /** `kept`: checked only while the guest keeps the contract of machine.md 5. */
  readonly contract: 'any' | 'kept';
  /** Whether it is asked of racy guests (machine.md 6); left out: as of hostile ones. */
  readonly ofRacy?: boolean;
  /** Why no bug can be caught by this invariant alone; left out where the catalogue has one that is. */
  readonly neverAlone?: string;
  readonly stages: readonly Stage[];
  /** Steps without which it cannot be exercised: one of each group. Left out: one of its stages. */
  readonly needs?: readonly (readonly Stage[])[];
  /**
   * Stages at which it is checked even if the step was quiet: both outcomes agree and neither side changed anything, outside or
   * inside. Left out: all of them. Most violations are a wrong change, or a change on one side alone.
   */
  readonly whenQuiet?: readonly Stage[];
  /**
   * Outcomes for which it is checked when both sides agree; left out: all. When they differ, and once the guest is dead, it is
   * always checked.
   */
  readonly outcomes?: readonly OutcomeKind[];
  /** The circumstances in which it can be exercised; a run counts each. All members of `INVARIANTS` have some. */
  readonly situations?: readonly Grid[];
  watch(): Watch;
}

export const isAskedOfRacy = ({ contract, ofRacy = contract === 'any' }: Invariant): boolean => ofRacy;

/** A watch without state. */
export const stateless = (after: (moment: Moment) => Verdict): (() => Watch) => {
  const watch: Watch = { after };
  return () => watch;
};

/** How a machine broke an invariant: in words for people, and as a kind and a location for the code that explains it. */
export interface Violation {
  readonly kind: ViolationKind;
  /** What differs: a field of the observation or of the shadow tables. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** The class of the difference, part of a finding's signature: free of addresses, pages and counts. */
  readonly difference: string;
  readonly location?: Location;
}

/** What a violation is about; a field is left out where it does not apply. */
export interface Location {
  readonly vaddr?: number;
  readonly slot?: number;
  /** A guest page. */
  readonly page?: number;
  /** A word of guest RAM. */
  readonly paddr?: Paddr;
  /** Host page of a shadow table. */
  readonly frame?: number;
}

/** `other` is for invariants outside this folder. */
export type ViolationKind =
  // Outcomes
  | 'another-outcome'
  | 'answer-not-cached'
  | 'another-answer-again'
  | 'stuck'
  | 'host-bug'
  | 'alive-after-kill'
  | 'changed-after-kill'
  // Single leaves
  | 'foreign-page'
  | 'leaf-without-entry'
  | 'leaf-to-another-page'
  | 'leaf-writable'
  | 'leaf-for-user'
  | 'leaf-kept-in-a-slot'
  | 'slots-disagree'
  | 'stack-not-pinned'
  // Flushes
  | 'mappings-stayed'
  | 'mappings-of-another-slot-went'
  | 'other-mappings-went'
  // The pgdir cache
  | 'root-in-two-slots'
  | 'wrong-slot-taken'
  | 'wrong-root-shadowed'
  | 'hit-changed-mappings'
  // The Switcher
  | 'switcher-references'
  | 'switcher-page'
  // References and tables
  | 'page-references'
  | 'references-after-destroy'
  | 'switcher-references-after-destroy'
  | 'too-many-tables'
  | 'too-few-tables'
  | 'tables-miscounted'
  | 'table-lost'
  | 'table-used-after-free'
  | 'table-linked-twice'
  // Guest RAM
  | 'wrong-store'
  | 'accessed-or-dirty-missing'
  | 'guest-ram'
  | 'other';

export const hex = (value: number): string => `0x${value.toString(16)}`;
