/** How a machine broke an invariant: in words for people, and as a code and a location for the code that explains it. */

import type { Paddr } from '../../model/vocabulary/index.js';

/** `other` serves invariants outside this folder. */
export type ViolationKind =
  // Outcomes
  | 'another-outcome'
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
  | 'table-lost'
  | 'table-used-after-free'
  | 'table-linked-twice'
  // Guest RAM
  | 'wrong-store'
  | 'accessed-or-dirty-missing'
  | 'guest-ram'
  | 'other';

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
