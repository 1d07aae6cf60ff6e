/**
 * Profiles: what a campaign keeps to. `lguest` is everything; `architecture` is what a CPU's MMU can show of the same programs, so that
 * real ones can be tested (machine.md 6).
 */

import type { Feature, Observable, Op, OutcomeKind } from '../model/vocabulary/index.js';
import { FEATURES, MACHINE_BOUNDS, OBSERVABLES, OPS, OUTCOME_KINDS } from '../model/vocabulary/index.js';

export const PROFILES = ['lguest', 'architecture'] as const;
export type Profile = (typeof PROFILES)[number];

export interface ProfileLimits {
  readonly steps: readonly Op[];
  readonly observes: readonly Observable[];
  /** How steps, creation and destruction end. */
  readonly outcomes: readonly OutcomeKind[];
  /** The most pages of guest RAM. */
  readonly guestPages: number;
  readonly features: readonly Feature[];
}

export const PROFILE_LIMITS: Readonly<Record<Profile, ProfileLimits>> = {
  lguest: {
    steps: OPS,
    observes: OBSERVABLES,
    outcomes: OUTCOME_KINDS,
    guestPages: MACHINE_BOUNDS.guestPages.most,
    features: [],
  },
  architecture: {
    steps: ['store', 'init', 'new-pgtable', 'flush-tlb', 'set-pmd', 'set-pte', 'set-pgd', 'access'],
    observes: ['outcome', 'stores'],
    outcomes: ['created', 'initialized', 'ok', 'mapped', 'fault', 'destroyed'],
    // They end below the hole of a PC's memory at 640 kB.
    guestPages: 128,
    features: FEATURES,
  },
};
