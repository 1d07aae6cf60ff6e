/** The options that fuzz and nightly share, and the name of a campaign. */

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import {
  CAMPAIGN_NAME_RULE,
  FEWEST_STEPS,
  MOST_JOBS,
  MOST_PROGRAMS,
  MOST_STEPS,
  MOST_TRIES,
  isCampaignName,
} from '../../../properties/campaign/campaign-bounds.js';
import { DEFAULT_PROGRAM_OPTIONS, USUAL_STEPS } from '../../../properties/generators/index.js';
import { DEFAULT_MOST_TRIES } from '../../../properties/shrink/index.js';
import { DEFAULTS } from '../../campaign/new-plan.js';
import { SUBJECT_NAMES } from '../../../properties/subjects/subject-names.js';
import { DEFAULT_CORPUS, OUTSIDE_CORPUS } from '../../terminal/result-directory.js';
import {
  caseTimeoutOption,
  duration,
  judgedShare,
  pagingOption,
  profileOption,
  startTimeoutOption,
  wholeNumber,
} from './option-values.js';
import { campaignTrafficOption } from './program-options.js';

export const campaignName = (text: string): string => {
  if (isCampaignName(text)) return text;
  throw new InvalidArgumentError(`Give ${CAMPAIGN_NAME_RULE}.`);
};

/** No option has a default here: a run that resumes must know which were given. The texts are what differs in the help. */
export const addCampaignOptions = (
  command: Command,
  texts: { readonly time: string; readonly jobs: string; readonly corpus: string; readonly out: string },
): Command =>
  command
    .option('--time <duration>', `explore for this long (default: ${texts.time})`, duration)
    .option('--programs <count>', 'stop after this many programs, if that comes first', wholeNumber(0, MOST_PROGRAMS))
    .option(
      '--shrink-time <duration>',
      'shrink for at most this long, all findings together (default: a fifth of --time)',
      duration,
    )
    .option(
      '--min-programs <count>',
      `fewer programs are inconclusive (default: ${DEFAULTS.minPrograms}, or all of --programs)`,
      wholeNumber(0, MOST_PROGRAMS),
    )
    .option('--jobs <count>', texts.jobs, wholeNumber(1, MOST_JOBS))
    .option(
      '--seed <name>',
      'name of the campaign; the same name runs the same programs (default: a fresh one)',
      campaignName,
    )
    .addOption(profileOption('lguest'))
    .addOption(pagingOption(`paging of the guests (default: ${DEFAULT_PROGRAM_OPTIONS.paging})`))
    .addOption(campaignTrafficOption())
    .option(
      '--max-steps <count>',
      `longest program, ${FEWEST_STEPS} to ${MOST_STEPS} (default: ${DEFAULT_PROGRAM_OPTIONS.mostSteps}); most have at most ${USUAL_STEPS}`,
      wholeNumber(FEWEST_STEPS, MOST_STEPS),
    )
    .option(
      '--max-tries <count>',
      `candidates tried to shrink a finding (default: ${DEFAULT_MOST_TRIES})`,
      wholeNumber(0, MOST_TRIES),
    )
    .option('--subject <name>', `the machine under test: ${SUBJECT_NAMES} (default: impl)`)
    .option('--reference <name>', 'the machine it must agree with (default: model)')
    .addOption(caseTimeoutOption('5s'))
    .addOption(startTimeoutOption('30s'))
    .option(
      '--judge <share>',
      `judge this share of the programs in full, at least 1 in 256, or all, and screen the others (default: ${DEFAULTS.judge}, or all if --programs is at most ${DEFAULTS.judgedWhole})`,
      judgedShare,
    )
    .option(
      '--corpus <directory>',
      `${texts.corpus} (default: ${DEFAULT_CORPUS}; of your own machine, ${OUTSIDE_CORPUS})`,
    )
    .option('--known <file>', 'known findings: counted, and not a failure until they expire (see shadowdiff known)')
    .option('--out <directory>', texts.out);
