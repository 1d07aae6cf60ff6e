/** A run that resumes: its record, and which options it may be given again. */

import { isDeepStrictEqual } from 'node:util';
import type { Shard } from '../../properties/campaign/batches.js';
import { BadInput, quoted } from '../../properties/formats/index.js';
import { ownMachine } from '../../properties/subjects/subject-names.js';
import { packageVersion } from '../own-package.js';
import { corpusOf } from '../terminal/result-directory.js';
import type { CampaignFlags, UncheckedPlan } from './campaign-plan.js';
import { profileOf } from './campaign-plan.js';
import type { PartRecord, RunRecord } from './run-directory.js';
import { RUN_FILE, readRunRecord } from './run-directory.js';

/** What is fixed when a campaign begins. */
const OF_CAMPAIGN = [
  'seed',
  'subject',
  'reference',
  'profile',
  'paging',
  'traffic',
  'maxSteps',
  'maxTries',
  'caseTimeout',
  'programs',
  'minPrograms',
  'judge',
  'shard',
  'out',
] as const satisfies readonly (keyof CampaignFlags)[];

/** Throws `BadInput` for a run that cannot be resumed. */
export const resumedPlan = async (directory: string, flags: CampaignFlags): Promise<UncheckedPlan> => {
  const record = await readRunRecord(directory);
  refuseToResume(record, directory);
  const [recorded] = record.parts as [PartRecord];
  refuseChanges(flags, directory, record);
  refuseMissingPaths(flags, record);
  const part: PartRecord = {
    ...recorded,
    jobs: flags.jobs ?? recorded.jobs,
    time: flags.time ?? recorded.time,
    shrinkTime: flags.shrinkTime ?? recorded.shrinkTime,
    corpus: flags.corpus ?? corpusOf(record.campaign),
    known: flags.known ?? null,
  };
  return { directory, resumed: true, record: { ...record, parts: [part] }, part };
};

const refuseToResume = ({ kind, campaign }: RunRecord, directory: string): void => {
  if (kind === 'merged') throw new BadInput(directory, 'several runs were merged into this; resume one of those');
  const version = packageVersion();
  if (campaign.version === version) return;
  throw new BadInput(
    directory,
    `version ${campaign.version} began it and this is ${version}, whose programs may differ; begin a new run`,
  );
};

/** A run that resumes may be given its options again, but no others. */
const refuseChanges = (flags: CampaignFlags, directory: string, { campaign, parts: [part] }: RunRecord): void => {
  const shard: Shard = { index: part.shard, of: campaign.shards };
  const begun = { ...campaign, profile: profileOf(campaign), shard, out: directory };
  for (const flag of OF_CAMPAIGN) {
    if (flags[flag] === undefined || isDeepStrictEqual(flags[flag], begun[flag])) continue;
    const option = `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new BadInput(option, 'a resumed run keeps its own; leave it out');
  }
};

/** The record of a run may come from elsewhere, so it chooses no path. The user repeats those that are not the defaults. */
const refuseMissingPaths = (flags: CampaignFlags, { campaign, parts: [recorded] }: RunRecord): void => {
  const paths = { corpus: recorded.corpus === corpusOf(campaign) ? null : recorded.corpus, known: recorded.known };
  for (const option of ['corpus', 'known'] as const) {
    const path = paths[option];
    if (path === null || flags[option] !== undefined) continue;
    throw new BadInput('--resume', `the run began with --${option} ${quoted(path)}; give --${option} again`);
  }
};

/** What the user must repeat to resume a run. */
export const resumeWords = (directory: string, { campaign, parts: [part] }: RunRecord): readonly string[] => {
  const { subject, reference } = campaign;
  return [
    'nightly',
    '--resume',
    directory,
    ...(ownMachine(subject, RUN_FILE) === undefined ? ['--subject', subject] : []),
    ...(ownMachine(reference, RUN_FILE) === undefined ? ['--reference', reference] : []),
    ...(part.corpus === corpusOf(campaign) ? [] : ['--corpus', part.corpus]),
    ...(part.known === null ? [] : ['--known', part.known]),
  ];
};
