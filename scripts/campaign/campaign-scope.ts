/** What the sides of a run have in common, and which of the programs that are asked for that leaves. */

import type { Profile } from '../../properties/profile.js';
import { BadInput } from '../../properties/formats/index.js';
import type { ProgramOptions } from '../../properties/generators/index.js';
import { missingSteps } from '../../properties/generators/index.js';
import type { Scope } from '../../properties/subjects/scope.js';
import { scopeOf, whyOtherProfile } from '../../properties/subjects/scope.js';
import type { Subject } from '../../properties/subjects/subject.js';
import { capabilitiesOf } from '../../properties/subjects/subject.js';
import type { Sides } from '../terminal/sides.js';

/** Starts the sides. Throws `BadInput` if one of them is of another profile. */
export const commonScope = async ({ subject, model, profile }: Sides): Promise<Scope> => {
  await refuseOtherProfile([subject, model], profile);
  return await scopeOf(subject, model, profile);
};

const refuseOtherProfile = async (sides: readonly Subject[], profile: Profile): Promise<void> => {
  for (const side of sides) {
    const able = await capabilitiesOf(side);
    const why = whyOtherProfile(able, profile);
    if (why !== undefined) throw new BadInput('--profile', `${side.name} ${why}; give --profile ${able.profile}`);
  }
};

type Wanted = Pick<ProgramOptions, 'paging' | 'traffic'>;

/** The paging of programs: what is asked for, as far as both sides support it. */
export const pagingWithin = (paging: Wanted['paging'], scope: Pick<Scope, 'paging'>): Wanted['paging'] =>
  paging === 'both' && scope.paging.length === 1 ? scope.paging[0] : paging;

/** What programs are made of that both sides can run. */
export const programsWithin = ({ paging, traffic }: Wanted, scope: Scope): Omit<ProgramOptions, 'mostSteps'> => {
  const { profile, guestPages, features, steps } = scope;
  return { profile, guestPages, features, steps, paging: pagingWithin(paging, scope), traffic };
};

/** Throws `BadInput` if the sides can do too little for any program that is asked for. */
export const refuseNoProgram = ({ paging, traffic }: Wanted, scope: Scope): void => {
  refuseNoPaging(paging, scope);
  const { steps } = scope;
  const missing = missingSteps({ paging: pagingWithin(paging, scope), traffic, steps });
  if (missing.length === 0) return;
  const lacking = `a side does not support ${missing.join(', ')}, which`;
  throw traffic === 'coherent' && steps.includes('access')
    ? new BadInput('--traffic', `${lacking} every coherent guest needs; leave it out`)
    : new BadInput('--subject', `${lacking} every program needs; let its hello list them`);
};

const refuseNoPaging = (paging: Wanted['paging'], scope: Scope): void => {
  if (scope.paging.length === 0) {
    throw new BadInput('--subject', 'there is no paging mode that both sides support; let its hello list another one');
  }
  if (paging === 'both' || scope.paging.includes(paging)) return;
  throw new BadInput('--paging', `a side does not support ${paging}; give --paging ${scope.paging[0]}`);
};
