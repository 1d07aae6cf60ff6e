/** What a subject puts into its traces, and the values that readers of both encodings share (formats.md, Hello and Trace). */

import type { Observable, Observation, Outcome, SwitcherReferences } from '../../model/vocabulary/index.js';
import { OBSERVABLES } from '../../model/vocabulary/index.js';

export interface TraceContents {
  readonly observes: readonly Observable[];
  /** How many edges of its own code the subject counts; 0: its traces list none. */
  readonly edges: number;
}

/** What a subject of version 1 shows. */
export const VERSION_ONE: TraceContents = { observes: OBSERVABLES.filter((each) => each !== 'shadow'), edges: 0 };

/** Pages of the shadow are below 2³²−1. */
export const MOST_HOST_PAGE = 2 ** 32 - 2;
/** 1 (writable) and 2 (user). */
export const MOST_RIGHTS = 3;

export const MISSING_SHADOW = 'missing; a subject that observes the shadow reports it from the start';

/** Every list that is empty, because most are. */
export const NOTHING: readonly never[] = Object.freeze([]);

export const noSwitcher = (hostCpus: number): SwitcherReferences => ({
  text: 0,
  state: Array.from({ length: hostCpus }, () => 0),
  registers: 0,
});

/** For a bare outcome only the outcome is compared, whatever else the subject reported (formats.md, Trace). */
export const bareObservation = (outcome: Outcome, switcher: SwitcherReferences): Observation => ({
  outcome,
  references: NOTHING,
  stores: NOTHING,
  tables: 0,
  switcher,
});
