/** What a fuzz run is asked to do, checked. */

import type { FuzzOptions } from '../../properties/fuzz.js';
import type { KnownFinding } from '../../properties/known-findings.js';
import { invariantsNamed } from '../options/invariants.js';
import type { ProgramFlags } from '../options/programs.js';
import { programOptionsOf } from '../options/programs.js';
import type { SideFlags } from '../options/sides.js';
import { sidesOf } from '../options/sides.js';
import type { Session } from '../session.js';
import { tolerated } from './known.js';
import type { Limits } from './limits.js';
import { limitsOf } from './limits.js';

/** Milliseconds. */
const DEFAULT_TIME = 60_000;

export interface FuzzFlags extends SideFlags, ProgramFlags {
  /** Milliseconds. */
  readonly time?: number;
  readonly programs?: number;
  readonly seed?: string;
  readonly maxFindings: number;
  readonly maxTries: number;
  readonly corpus: string;
  readonly out?: string;
  readonly invariant?: readonly string[];
  /** A file. */
  readonly known?: string;
}

export interface Plan {
  readonly options: FuzzOptions;
  readonly limits: Limits;
  readonly corpus: string;
  readonly out: string | undefined;
  readonly known: readonly KnownFinding[];
}

/** Throws `BadInput` for names that are none. */
export const planOf = (flags: FuzzFlags, known: readonly KnownFinding[], session: Session): Plan => ({
  options: {
    campaign: flags.seed ?? session.surroundings.freshSeed(),
    ...sidesOf(flags, session, undefined),
    ...programOptionsOf(flags),
    invariants: invariantsNamed(flags.invariant),
    mostFindings: flags.maxFindings,
    mostTries: flags.maxTries,
    known: tolerated(known, session.surroundings.today()),
  },
  limits: limitsOf(flags, DEFAULT_TIME),
  corpus: flags.corpus,
  out: flags.out,
  known,
});
