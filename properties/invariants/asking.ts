/** Which invariants a run can ask, given what its machines show and which programs they run. */

import { OPS } from '../../model/vocabulary/index.js';
import type { Traffic } from '../generators/case.js';
import type { Profile } from '../profile.js';
import { PROFILE_LIMITS } from '../profile.js';
import type { Scope } from '../subjects/scope.js';
import type { Invariant, Sight } from './invariant.js';
import { isAskedOfRacy } from './invariant.js';
import type { Stage } from './moment.js';

/** `partly`: a side hides some of what it looks at. */
export const EXTENTS = ['fully', 'partly', 'not'] as const;

export interface Asking {
  readonly asked: (typeof EXTENTS)[number];
  /** Why not fully: clauses. */
  readonly because: readonly string[];
}

export const FULLY: Asking = { asked: 'fully', because: [] };
/** Why an invariant that rests on the contract is not asked of hostile guests. */
const HOSTILE = 'hostile guests keep no contract';
/** Why comparisons with the reference are not asked of racy guests. */
const RACY = 'racy guests let a CPU choose';

/** Before any program has run. */
export const askingOf = (invariant: Invariant, scope: Scope, traffic: Traffic | 'mixed'): Asking => {
  const { contract, looksAt, stages, needs = [stages], outcomes } = invariant;
  if (contract === 'kept' && traffic === 'hostile') return { asked: 'not', because: [HOSTILE] };
  if (traffic === 'racy' && !isAskedOfRacy(invariant)) return { asked: 'not', because: [RACY] };
  if (outcomes?.some((kind) => PROFILE_LIMITS[scope.profile].outcomes.includes(kind)) === false)
    return { asked: 'not', because: [`in the profile ${scope.profile} no step ends ${outcomes[0]}`] };
  const sights = looksAt.filter((sight) => sight !== 'ram').filter((sight) => isReportable(sight, scope));
  const unseen = sights.filter((sight) => whyUnseen(sight, scope) !== undefined);
  // A side that shows no stores shows none of upper entries either: one reason covers both.
  const named = unseen.includes('stores') ? unseen.filter((sight) => sight !== 'upper stores') : unseen;
  const because = named.flatMap((sight) => whyUnseen(sight, scope) ?? []);
  if (unseen.length === sights.length) return { asked: 'not', because };
  const missing = needs.filter((group) => group.length > 0 && group.every((each) => isMissing(each, scope)));
  if (missing.length > 0)
    return { asked: 'not', because: missing.map((group) => `no program has ${group.join(' or ')}`) };
  return because.length === 0 ? FULLY : { asked: 'partly', because };
};

/** One of the sides cannot run the step. */
export const isMissing = (stage: Stage, { steps }: Scope): boolean =>
  OPS.some((op) => op === stage && !steps.includes(op));

/** No subject outside this process can show guest RAM, where its stores have gone already. */
type Reportable = Exclude<Sight, 'ram'>;

/** Stores of upper entries are missing only where the other side shows them. */
const isReportable = (sight: Reportable, { subjectShows, referenceShows }: Scope): boolean =>
  sight !== 'upper stores' || subjectShows.includes(sight) || referenceShows.includes(sight);

/** What one side does not show is not compared; only the subject's shadow tables and the reference's fresh walks are looked at. */
export const whyUnseen = (sight: Reportable, { profile, subjectShows, referenceShows }: Scope): string | undefined => {
  if (isLeftOut(sight, profile)) {
    const shown = PROFILE_LIMITS[profile].observes.map((each) => WORDS[each]);
    return `the profile ${profile} shows ${shown.join(' and ')} alone`;
  }
  if (sight !== 'fresh' && !subjectShows.includes(sight)) return `the subject shows no ${WORDS[sight]}`;
  return sight === 'shadow' || referenceShows.includes(sight) ? undefined : `the reference shows no ${WORDS[sight]}`;
};

const isLeftOut = (sight: Reportable, profile: Profile): boolean =>
  sight !== 'fresh' && sight !== 'upper stores' && !PROFILE_LIMITS[profile].observes.includes(sight);

const WORDS: Readonly<Record<Reportable, string>> = {
  outcome: 'outcomes',
  references: 'references',
  stores: 'stores',
  'upper stores': 'stores of upper entries',
  tables: 'number of tables',
  switcher: 'references on the Switcher’s pages',
  shadow: 'shadow tables',
  fresh: 'walk of the guest’s tables at every access',
};
