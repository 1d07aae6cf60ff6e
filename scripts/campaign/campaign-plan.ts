/** What a campaign is asked to do, checked, and what follows from it for its workers. */

import { OPS } from '../../model/vocabulary/index.js';
import type { Batches, Shard } from '../../properties/campaign/batches.js';
import { SMALLEST_BATCH, programsOfShardWithin } from '../../properties/campaign/batches.js';
import { MOST_PROGRAMS } from '../../properties/campaign/campaign-bounds.js';
import type { TiedFinding } from '../../properties/known-findings.js';
import type { Profile } from '../../properties/profile.js';
import type { AllowedCommands } from '../../properties/subjects/subject-names.js';
import type { CommandFlags } from '../terminal/sides.js';
import { pagingWithin } from './campaign-scope.js';
import type { CampaignRecord, PartRecord, RunRecord } from './run-directory.js';
import type { CampaignSettings } from './tasks.js';

/** Options without defaults: a run that resumes must know which were given. */
export interface CampaignFlags extends CommandFlags {
  /** Milliseconds. */
  readonly time?: number;
  readonly caseTimeout?: number;
  readonly startTimeout?: number;
  readonly programs?: number;
  /** Milliseconds, all findings together. */
  readonly shrinkTime?: number;
  readonly minPrograms?: number;
  readonly jobs?: number;
  readonly seed?: string;
  readonly profile?: Profile;
  readonly paging?: CampaignRecord['paging'];
  readonly traffic?: CampaignRecord['traffic'];
  readonly maxSteps?: number;
  readonly maxTries?: number;
  /** The share of programs that are judged in full. */
  readonly judge?: number;
  readonly corpus?: string;
  readonly known?: string;
  readonly out?: string;
  // Of fuzz alone.
  readonly invariant?: readonly string[];
  readonly maxFindings?: number;
  // Of nightly alone.
  readonly shard?: Shard;
  readonly resume?: string;
}

export interface CampaignPlan {
  /** Undefined for a run that leaves nothing but findings in the corpus. */
  readonly directory: string | undefined;
  readonly resumed: boolean;
  readonly record: RunRecord;
  readonly part: PartRecord;
  readonly known: readonly TiedFinding[];
  /** Commands that the user permits, whatever the record of a run that resumes names. */
  readonly allowed: AllowedCommands;
  /** Milliseconds from the start of a subject to its first answer. */
  readonly startTimeout: number;
  /** What the sides outside this process can do, by name, so that workers need not find out. */
  readonly capabilities: NonNullable<CampaignSettings['capabilities']>;
}

/** Before anything that it names was read. */
export type UncheckedPlan = Omit<CampaignPlan, 'known' | 'allowed' | 'startTimeout' | 'capabilities'>;

/** The campaign as its workers know it. */
export const settingsOf = ({
  record: { campaign },
  part: { started },
  allowed,
  startTimeout,
  capabilities,
}: CampaignPlan): CampaignSettings => ({
  campaign: campaign.seed,
  date: started,
  version: campaign.version,
  subject: campaign.subject,
  reference: campaign.reference,
  invariants: campaign.invariants ?? undefined,
  profile: profileOf(campaign),
  guestPages: campaign.scope?.guestPages,
  features: campaign.scope?.features,
  paging: pagingOf(campaign),
  traffic: campaign.traffic,
  steps: stepsOf(campaign),
  mostSteps: campaign.maxSteps,
  caseTimeout: campaign.caseTimeout,
  startTimeout,
  capabilities,
  allowed,
  judge: campaign.judge,
});

/** What the campaign keeps to. */
export const profileOf = ({ profile = 'lguest' }: Pick<CampaignRecord, 'profile'>): Profile => profile;

/** The paging of the campaign's programs: what was asked for, as far as both sides support it. */
export const pagingOf = ({ paging, scope }: Pick<CampaignRecord, 'paging' | 'scope'>): CampaignRecord['paging'] =>
  scope === undefined ? paging : pagingWithin(paging, scope);

/** The kinds of steps that the campaign's programs may have; undefined for all. */
const stepsOf = ({ scope }: CampaignRecord): CampaignSettings['steps'] =>
  scope === undefined || scope.steps.length === OPS.length ? undefined : scope.steps;

/** One of the sides runs outside this process. */
export const hasCommand = ({ subject, reference }: Pick<CampaignRecord, 'subject' | 'reference'>): boolean =>
  [subject, reference].some((name) => /^(exec|metal):/.test(name));

export const batchesOf = ({ record, part }: Pick<CampaignPlan, 'record' | 'part'>): Batches => {
  const { programs, shards } = record.campaign;
  return {
    shard: { index: part.shard, of: shards },
    programs: programs ?? MOST_PROGRAMS,
    smallest: SMALLEST_BATCH[hasCommand(record.campaign) ? 'command' : hasFile(record.campaign) ? 'file' : 'own'],
  };
};

/** Programs of the campaign that this run is to do; may be infinite. */
export const programsPlanned = (plan: Pick<CampaignPlan, 'record' | 'part'>): number => {
  const { shard, programs } = batchesOf(plan);
  return programsOfShardWithin(shard, programs);
};

/**
 * A fuzz run with one job needs no worker beside this process. A nightly one has a worker even so, because a program that hangs or kills
 * it must not end the night; and so has every run whose machines are of a module or WebAssembly.
 */
export const runsInProcess = ({ record, part }: Pick<CampaignPlan, 'record' | 'part'>): boolean =>
  record.campaign.kind === 'fuzz' && part.jobs === 1 && !hasFile(record.campaign);

/** The machines of one of the sides come from a file, and run in the process that steps them. */
const hasFile = ({ subject, reference }: Pick<CampaignRecord, 'subject' | 'reference'>): boolean =>
  [subject, reference].some((name) => /^(module|wasm):/.test(name));
