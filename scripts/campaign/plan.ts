/** What a fuzz run is asked to do, checked. */

import type { FuzzOptions } from '../../properties/fuzz.js';
import type { KnownFinding } from '../../properties/known-findings.js';
import { poolOf, readPrograms } from '../../properties/pool/program-pool.js';
import type { Guidance } from '../../properties/pool/program-pool.js';
import { invariantsNamed } from '../cli/options/invariants.js';
import type { ProgramFlags } from '../cli/options/programs.js';
import { programOptionsOf } from '../cli/options/programs.js';
import type { SideFlags } from '../terminal/sides.js';
import { sidesOf } from '../terminal/sides.js';
import type { Session } from '../terminal/session.js';
import { tolerated } from './known.js';
import type { Limits } from '../terminal/run-limits.js';
import { limitsOf } from '../terminal/run-limits.js';

/** Milliseconds. */
const DEFAULT_TIME = 60_000;

export interface FuzzFlags extends SideFlags, ProgramFlags {
  /** Milliseconds. */
  readonly time?: number;
  readonly programs?: number;
  readonly seed?: string;
  /** 0 … 1. */
  readonly guided: number;
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
export const planOf = async (flags: FuzzFlags, known: readonly KnownFinding[], session: Session): Promise<Plan> => ({
  options: {
    campaign: flags.seed ?? session.surroundings.freshSeed(),
    ...sidesOf(flags, session, undefined),
    ...programOptionsOf(flags),
    guidance: await guidanceFor(flags),
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

const guidanceFor = async ({ guided, corpus }: FuzzFlags): Promise<Guidance | undefined> => {
  if (guided === 0) return undefined;
  return { share: guided, pool: poolOf((await readPrograms(corpus)).map(({ program }) => program)) };
};
