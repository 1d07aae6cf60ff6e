/**
 * A finding: one counterexample, from the moment when a program diverges to the file that keeps it. The stages of a campaign add to
 * the one record; corpus/counterexample.ts, campaign/events.ts and summary.json derive their formats from it.
 */

import type { Program } from '../model/vocabulary/index.js';
import type { Divergence } from './divergence.js';
import type { SmallMachineName } from './exhaust/small-machine.js';
import type { Folding } from './exhaust/state-key.js';
import type { Case } from './generators/index.js';
import type { Profile } from './profile.js';

export interface Finding {
  /** `open`: the subject must still diverge as recorded. `fixed`: it must agree now; the finding stays as a regression test. */
  readonly status: Status;
  readonly subject: string;
  readonly reference: string;
  /** What of both sides was looked at; left out: `lguest`. */
  readonly profile?: Profile;
  readonly case: Case;
  /**
   * Programs that the process of a subject must have run before this one, because it remembers something of them; at most `MOST_BEFORE`.
   * Left out: none.
   */
  readonly before?: readonly Program[];
  /**
   * While it is not worked out: what its process had run before it, the last `MOST_BEFORE` programs; those of the campaign by number. Left
   * out for a subject in this process.
   */
  readonly history?: readonly (number | Program)[];
  /** Its `signatureOf` groups findings. */
  readonly divergence: Divergence;
  readonly provenance: Provenance;
  readonly note: string;
  /** How far the program was shrunk; left out: as it was generated. */
  readonly shrunk?: ShrinkExtent;
  /** How often the program showed its signature again; left out: it was not run again. */
  readonly shown?: Shown;
  /** Programs of the run that showed the signature. */
  readonly count?: number;
  /** What the run knows about it beforehand. */
  readonly triage?: Triage;
  /** Another finding stands for its signature, whose smallest program has another shape (namesakes.ts). */
  readonly namesake?: true;
  /** Where it is stored. */
  readonly file?: string;
  readonly replay?: Replay;
}

/** Programs that a process is known to have seen before the one that showed a finding: the last ones. */
export const MOST_BEFORE = 2000;

/** What replays a finding: its file, and the sides that the file does not name. */
export interface Replay {
  readonly file: string;
  readonly subject?: string;
  readonly reference?: string;
}

export const STATUSES = ['open', 'fixed'] as const;
export type Status = (typeof STATUSES)[number];

/** `partly`: shrinking was cut short. `to-limit`: it ended when all its tries were used, so the program may not be the smallest. */
export const SHRINK_EXTENTS = ['partly', 'to-limit', 'wholly'] as const;
export type ShrinkExtent = (typeof SHRINK_EXTENTS)[number];

/** More time would not make it smaller. */
export const isFullyShrunk = ({ shrunk }: Finding): boolean => shrunk === 'to-limit' || shrunk === 'wholly';

/** `tolerated`: in the file of known findings. `recorded`: in the corpus, and still open. `flaky`: it does not always show. */
export const TRIAGES = ['new', 'recorded', 'tolerated', 'flaky'] as const;
export type Triage = (typeof TRIAGES)[number];

/** Of so many runs of one program, those that showed its finding. */
export interface Shown {
  readonly times: number;
  readonly runs: number;
}

/** How often a finding is run again from the program that will be stored. */
const RERUNS = 10;
/** And how often at least, if that takes long, as it does where every run is a time-out or boots a machine. */
export const FEWEST_RERUNS = 3;
/** Milliseconds after which the fewest runs must do. */
export const RERUN_TIME = 10_000;
/** The same once the time for shrinking is up. */
export const HURRIED_RERUN_TIME = 1000;

/** `isLate`: that time has passed. */
export const isRunAgain = (runs: number, isLate: boolean): boolean => runs < (isLate ? FEWEST_RERUNS : RERUNS);

/** It showed in every run. */
export const isAlways = ({ times, runs }: Shown): boolean => times === runs;

/** It showed every time it was run again. */
export const isSteady = ({ shown }: Finding): boolean => shown !== undefined && isAlways(shown);

/** It was run again and did not always show. */
export const isFlaky = ({ shown }: Finding): boolean => shown !== undefined && !isAlways(shown);

/** Where a finding comes from. */
export interface Provenance {
  /** When the run began that found it; ISO 8601, UTC. */
  readonly date: string;
  /** Version of shadowdiff that found it. */
  readonly version: string;
  /** The campaign, and the number of the program in it. */
  readonly seed: string;
  readonly program: number;
  /** Steps of the program before it was shrunk. */
  readonly originalSteps: number;
  /** How short a program that shows the same bug can be, if that was searched. */
  readonly shortest?: Shortest | undefined;
}

/** No program of fewer steps, of a small machine's alphabet (properties/exhaust), makes the subject diverge. */
export interface Shortest {
  readonly machine: SmallMachineName;
  readonly steps: number;
  /** Which states the search took for one. */
  readonly folding: Folding;
}
