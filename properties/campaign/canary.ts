/** The canary of a campaign: a catalogued bug that it must find, or nobody should trust what it does not find. */

import type { Defect } from '../../impl/defects/defect.js';
import { DEFECTS } from '../../impl/defects/catalogue.js';
import { shardSeed } from '../seeds.js';

/** Programs after which the canary counts as missed; every defect shows in far fewer (`shadowdiff defects matrix`). */
export const CANARY_PROGRAMS = 8192;

/** Its own programs, so that those of the campaign say nothing about it. */
export const canaryCampaign = (campaign: string): string => `${campaign}/canary`;

/** The defect that a campaign plants: one of all, by its name. */
export const canaryOf = (campaign: string): Defect =>
  DEFECTS[(shardSeed(canaryCampaign(campaign), 0, 1) >>> 0) % DEFECTS.length];
