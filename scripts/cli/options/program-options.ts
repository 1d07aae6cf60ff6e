/** The options that say what programs are made of. */

import type { Command } from 'commander';
import { Option } from 'commander';
import { FEWEST_STEPS, MOST_STEPS } from '../../../properties/campaign/campaign-bounds.js';
import type { Feature } from '../../../model/vocabulary/index.js';
import { FEATURES } from '../../../model/vocabulary/index.js';
import type { ProgramOptions } from '../../../properties/generators/index.js';
import { DEFAULT_PROGRAM_OPTIONS, USUAL_STEPS } from '../../../properties/generators/index.js';
import type { Profile } from '../../../properties/profile.js';
import { PROFILE_LIMITS } from '../../../properties/profile.js';
import type { PagingFlag } from './option-values.js';
import { pagingOption, wholeNumber } from './option-values.js';

export interface ProgramFlags extends PagingFlag {
  readonly traffic: ProgramOptions['traffic'];
  readonly maxSteps: number;
  readonly profile?: Profile;
  readonly features?: readonly Feature[];
}

const TRAFFIC = 'guests that keep the contract, guests that do not, or both';

/** Of the profile `lguest`. */
const USUAL_TRAFFICS: readonly string[] = ['coherent', 'hostile', 'mixed'];

const usualTrafficOption = (): Option =>
  new Option('--traffic <kind>', TRAFFIC).choices(USUAL_TRAFFICS).default(DEFAULT_PROGRAM_OPTIONS.traffic);

/** Of a campaign in any profile; `trafficFor` has the default. */
export const campaignTrafficOption = (): Option =>
  new Option(
    '--traffic <kind>',
    `${TRAFFIC}; in the profile architecture also those that announce late (default: ${DEFAULT_PROGRAM_OPTIONS.traffic}, or coherent)`,
  ).choices([...USUAL_TRAFFICS, 'racy']);

export const addProgramOptions = (command: Command, traffic = usualTrafficOption()): Command =>
  command
    .addOption(pagingOption('paging of the guests').default(DEFAULT_PROGRAM_OPTIONS.paging))
    .addOption(traffic)
    .option(
      '--max-steps <count>',
      `longest program, ${FEWEST_STEPS} to ${MOST_STEPS}; most have at most ${USUAL_STEPS}`,
      wholeNumber(FEWEST_STEPS, MOST_STEPS),
      DEFAULT_PROGRAM_OPTIONS.mostSteps,
    );

export const programOptionsOf = ({
  paging,
  traffic,
  maxSteps,
  profile = 'lguest',
  features,
}: ProgramFlags): ProgramOptions => ({
  profile,
  features: FEATURES.filter((each) => features?.includes(each)),
  guestPages: PROFILE_LIMITS[profile].guestPages,
  paging,
  traffic,
  mostSteps: maxSteps,
});
