/** What two sides have in common: which programs both can run, and what of their runs is compared. */

import type { Feature, Machine, Op, Paging, Program } from '../../model/vocabulary/index.js';
import { FEATURES, OBSERVABLES, OPS, PAGINGS } from '../../model/vocabulary/index.js';
import { breachOf, isRacy } from '../contract.js';
import type { Sight } from '../invariants/invariant.js';
import type { Profile } from '../profile.js';
import { PROFILE_LIMITS } from '../profile.js';
import type { Capabilities } from './capabilities.js';
import { versionOne, withinProfile } from './capabilities.js';
import type { Subject } from './subject.js';
import { capabilitiesOf } from './subject.js';

/** Plain data: a campaign records it, because its programs depend on it. */
export interface Scope {
  readonly profile: Profile;
  readonly paging: readonly Paging[];
  /** The most pages of guest RAM. */
  readonly guestPages: number;
  /** What the CPUs of programs may have. */
  readonly features: readonly Feature[];
  readonly steps: readonly Op[];
  readonly subjectShows: readonly Sight[];
  readonly referenceShows: readonly Sight[];
  /** How many edges of its own code the subject counts. */
  readonly edges: number;
}

export const SIGHTS: readonly Sight[] = [...OBSERVABLES, 'upper stores', 'ram', 'fresh'];

/** Starts both sides. Throws `BadInput` if that fails. */
export const scopeOf = async (subject: Subject, reference: Subject, profile: Profile): Promise<Scope> =>
  scopeBetween(await knownOf(subject), await knownOf(reference), profile);

/** What is known of a side: what it can do, and a machine of it if it runs in this process. */
interface Known {
  readonly able: Capabilities;
  readonly machine: Machine | undefined;
}

const knownOf = async (side: Subject): Promise<Known> => ({
  able: await capabilitiesOf(side),
  machine: side.kind === 'in-process' ? side.create() : undefined,
});

export const scopeBetween = (subject: Known, reference: Known, profile: Profile): Scope => {
  const one = withinProfile(subject.able, profile);
  const other = withinProfile(reference.able, profile);
  // Guest RAM is compared where both sides report the same stores.
  const showsRam = subject.machine?.ram !== undefined && one.upperStores === other.upperStores;
  return {
    profile,
    guestPages: Math.min(one.guestPages, other.guestPages),
    features: FEATURES.filter((each) => one.features.includes(each) && other.features.includes(each)),
    paging: PAGINGS.filter((each) => one.paging.includes(each) && other.paging.includes(each)),
    steps: OPS.filter((each) => one.steps.includes(each) && other.steps.includes(each)),
    subjectShows: [...sightsOf(one), ...(showsRam ? (['ram'] as const) : [])],
    referenceShows: [...sightsOf(other), ...(reference.machine?.walksAlways === true ? (['fresh'] as const) : [])],
    edges: one.edges,
  };
};

const sightsOf = ({ observes, upperStores }: Capabilities): readonly Sight[] =>
  upperStores ? [...observes, 'upper stores'] : observes;

/** What a program may need of a side. */
export type Able = Pick<Capabilities, 'paging' | 'guestPages' | 'features' | 'steps'>;

/** What a program needs that is missing, such as `pae paging`, `write-protect-off` or `set-pmd`; undefined if it can be run. */
export const missingFor = ({ machine, steps }: Program, able: Able): string | undefined => {
  if (!able.paging.includes(machine.paging)) return `${machine.paging} paging`;
  if (machine.guestPages > able.guestPages) return `more than ${able.guestPages} pages of RAM`;
  const feature = machine.features?.find((each) => !able.features.includes(each));
  if (feature !== undefined) return feature;
  return able.steps.length === OPS.length ? undefined : steps.find(({ op }) => !able.steps.includes(op))?.op;
};

/**
 * Why programs are not run, as a sentence without a full stop; undefined if all can be: one does not belong to the profile, or a side
 * cannot run it. Starts the sides.
 */
export const whyNotRun = async (
  programs: readonly Program[],
  sides: readonly Subject[],
  profile: Profile,
): Promise<string | undefined> => {
  for (const side of sides) {
    const limits = await limitsOf(side);
    const why = whyOtherProfile(limits, profile);
    if (why !== undefined) return `${side.name} ${why}`;
    for (const program of programs) {
      const missing = missingFor(program, limits);
      if (missing !== undefined) return `${side.name} does not support ${missing}`;
    }
  }
  for (const program of programs) {
    const why = whyOutside(program, profile);
    if (why !== undefined) return why;
  }
  return undefined;
};

/** A machine of this process takes every program, and asking it what it shows would make one. */
const limitsOf = async (side: Subject): Promise<Capabilities> => (await side.start?.()) ?? versionOne(side.name);

/** Why a side is of no use in a profile, as a predicate; undefined if it is. */
export const whyOtherProfile = (able: Capabilities, profile: Profile): string | undefined =>
  able.profile === 'lguest' || able.profile === profile
    ? undefined
    : `takes programs of the profile ${able.profile} alone`;

/** Why a program does not belong to a profile, as a sentence without a full stop; undefined if it does. */
export const whyOutside = (program: Program, profile: Profile): string | undefined => {
  const missing = missingFor(program, { paging: PAGINGS, ...PROFILE_LIMITS[profile] });
  if (missing !== undefined) return `the profile ${profile} has no ${missing}`;
  if (profile === 'lguest') return undefined;
  if (program.machine.failAllocation !== 0) return `the profile ${profile} has no failing allocation`;
  const breach = breachOf(program, profile);
  if (breach === undefined || isRacy(program)) return undefined;
  return `the program is not of the profile ${profile}: step ${breach.step}: ${breach.reason}`;
};
