/** What a nightly run is asked to do, checked: a fresh one, or one that goes on. */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BadInput } from '../../properties/formats/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../properties/generators/index.js';
import type { Batches, Shard } from '../../properties/campaign/batches.js';
import { smallestBatch } from '../../properties/campaign/batches.js';
import type { KnownFinding } from '../../properties/known-findings.js';
import { DEFAULT_MOST_TRIES } from '../../properties/shrink/index.js';
import { poolOf, readPrograms } from '../../properties/pool/program-pool.js';
import type { ProgramPool } from '../../properties/pool/program-pool.js';
import { IMPL, MODEL } from '../../properties/subjects/subject-names.js';
import { readKnown } from './known.js';
import { CORPUS } from '../cli/options/corpus.js';
import { shardOf } from '../cli/options/shard.js';
import { DEFAULT_CASE_TIMEOUT } from '../terminal/sides.js';
import type { Session } from '../terminal/session.js';
import { packageVersion } from '../own-package.js';
import type { GuidanceSettings } from './pool-file.js';
import { readPool } from './pool-file.js';
import type { CampaignRecord, PartRecord, RunRecord } from './run-record.js';
import { readRunRecord, thisHost } from './run-record.js';
import { RUN_FILE } from './run-files.js';
import type { CampaignSettings } from './tasks.js';

/** Milliseconds. */
const DEFAULT_TIME = 600_000;
const DEFAULT_SHRINK_TIME = 300_000;
const DEFAULT_MIN_PROGRAMS = 1000;
/** The share of programs that are made from seeds. */
const DEFAULT_GUIDED = 0;

/** Options without defaults: a run that goes on must know what was given. */
export interface NightlyFlags {
  /** Milliseconds. */
  readonly time?: number;
  readonly shrinkTime?: number;
  readonly caseTimeout?: number;
  readonly programs?: number;
  readonly guided?: number;
  readonly keepPrograms?: true;
  readonly mostPrograms?: number;
  readonly minPrograms?: number;
  readonly seed?: string;
  readonly paging?: CampaignRecord['paging'];
  readonly traffic?: CampaignRecord['traffic'];
  readonly maxSteps?: number;
  readonly maxTries?: number;
  readonly subject?: string;
  readonly reference?: string;
  readonly jobs?: number;
  readonly shard?: string;
  readonly corpus?: string;
  readonly known?: string;
  readonly out?: string;
  readonly resume?: string;
}

export interface RunPlan {
  readonly directory: string;
  readonly resumed: boolean;
  readonly record: RunRecord;
  readonly part: PartRecord;
  readonly known: readonly KnownFinding[];
  /** Undefined if there are to be no seeds. */
  readonly pool: ProgramPool | undefined;
}

/** What is laid down once and for all when a campaign begins. */
const OF_CAMPAIGN = [
  'seed',
  'subject',
  'reference',
  'paging',
  'traffic',
  'maxSteps',
  'maxTries',
  'caseTimeout',
  'programs',
  'minPrograms',
  'guided',
  'keepPrograms',
  'shard',
  'out',
] as const satisfies readonly (keyof NightlyFlags)[];

/** Throws `BadInput` for options that contradict each other, and for a run that cannot go on. */
export const runPlanOf = async (flags: NightlyFlags, session: Session): Promise<RunPlan> => {
  const plan = flags.resume === undefined ? await freshPlan(flags, session) : await resumedPlan(flags.resume, flags);
  const { known } = plan.part;
  return { ...plan, known: await readKnown(known ?? undefined) };
};

const freshPlan = async (flags: NightlyFlags, session: Session): Promise<Omit<RunPlan, 'known'>> => {
  const { surroundings } = session;
  const shard = flags.shard === undefined ? { index: 0, of: 1 } : shardOf(flags.shard, surroundings.env);
  if (shard.of > 1 && flags.seed === undefined) {
    throw new BadInput('--shard', 'shards of one campaign need one name; give every one of them the same --seed');
  }
  const seed = flags.seed ?? surroundings.freshSeed();
  const started = surroundings.today().toISOString();
  const { time, programs } = flags;
  const part: PartRecord = {
    shard: shard.index,
    started,
    ...thisHost(),
    jobs: flags.jobs ?? availableParallelism(),
    time: time ?? (programs === undefined ? DEFAULT_TIME : null),
    shrinkTime: flags.shrinkTime ?? DEFAULT_SHRINK_TIME,
    corpus: flags.corpus ?? CORPUS,
    known: flags.known ?? null,
  };
  const pool = await poolFor(flags, part.corpus);
  const record: RunRecord = { kind: 'run', campaign: campaignOf(flags, seed, shard, pool), parts: [part] };
  const directory = flags.out ?? join('out', directoryName(started, seed, shard));
  return { directory, resumed: false, record, part, pool };
};

/** The seeds of the corpus, if programs are made from them or new ones are to be kept. */
const poolFor = async ({ guided, keepPrograms }: NightlyFlags, corpus: string): Promise<ProgramPool | undefined> => {
  if ((guided ?? DEFAULT_GUIDED) === 0 && keepPrograms !== true) return undefined;
  return poolOf((await readPrograms(corpus)).map(({ program }) => program));
};

const campaignOf = (
  flags: NightlyFlags,
  seed: string,
  shard: Shard,
  pool: ProgramPool | undefined,
): CampaignRecord => ({
  version: packageVersion(),
  seed,
  subject: flags.subject ?? IMPL.name,
  reference: flags.reference ?? MODEL.name,
  paging: flags.paging ?? DEFAULT_PROGRAM_OPTIONS.paging,
  traffic: flags.traffic ?? DEFAULT_PROGRAM_OPTIONS.traffic,
  maxSteps: flags.maxSteps ?? DEFAULT_PROGRAM_OPTIONS.mostSteps,
  maxTries: flags.maxTries ?? DEFAULT_MOST_TRIES,
  caseTimeout: flags.caseTimeout ?? DEFAULT_CASE_TIMEOUT,
  programs: flags.programs ?? null,
  minPrograms: flags.minPrograms ?? Math.min(DEFAULT_MIN_PROGRAMS, flags.programs ?? Infinity),
  shards: shard.of,
  guided: flags.guided ?? DEFAULT_GUIDED,
  pool: pool?.identity ?? null,
});

const directoryName = (started: string, seed: string, { index, of }: Shard): string => {
  const name = `${started.slice(0, 10)}-${seed.replace(/[^\w.-]/g, '-')}`;
  return of === 1 ? name : `${name}-shard-${index}-of-${of}`;
};

const resumedPlan = async (directory: string, flags: NightlyFlags): Promise<Omit<RunPlan, 'known'>> => {
  for (const flag of OF_CAMPAIGN) {
    if (flags[flag] === undefined) continue;
    const option = `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new BadInput(option, 'the run that goes on has laid it down; leave it out');
  }
  const record = await readRunRecord(join(directory, RUN_FILE));
  refuseToResume(record, directory);
  const { pool } = record.campaign;
  const [recorded] = record.parts as [PartRecord];
  const part: PartRecord = {
    ...recorded,
    jobs: flags.jobs ?? recorded.jobs,
    time: flags.time ?? recorded.time,
    shrinkTime: flags.shrinkTime ?? recorded.shrinkTime,
    corpus: flags.corpus ?? recorded.corpus,
    known: flags.known ?? recorded.known,
  };
  return {
    directory,
    resumed: true,
    record: { ...record, parts: [part] },
    part,
    pool: pool === null ? undefined : await readPool(directory, pool),
  };
};

const refuseToResume = ({ kind, campaign }: RunRecord, directory: string): void => {
  if (kind === 'merged') throw new BadInput(directory, 'this was merged of several runs; go on with one of those');
  const version = packageVersion();
  if (campaign.version === version) return;
  throw new BadInput(
    directory,
    `version ${campaign.version} began it and this is ${version}, whose programs may differ; begin a new run`,
  );
};

/** The campaign as workers know it. `directory`: where its seeds are. */
export const settingsOf = (campaign: CampaignRecord, directory: string): CampaignSettings => ({
  campaign: campaign.seed,
  subject: campaign.subject,
  reference: campaign.reference,
  paging: campaign.paging,
  traffic: campaign.traffic,
  mostSteps: campaign.maxSteps,
  caseTimeout: campaign.caseTimeout,
  guidance: guidanceIn(campaign, directory),
});

const guidanceIn = ({ guided, pool }: CampaignRecord, directory: string): GuidanceSettings | undefined =>
  guided === 0 || pool === null ? undefined : { share: guided, directory, pool };

export const batchesOf = ({ record, part }: Pick<RunPlan, 'record' | 'part'>): Batches => {
  const { subject, reference, programs, shards } = record.campaign;
  const external = [subject, reference].some((name) => name.startsWith('exec:'));
  return {
    shard: { index: part.shard, of: shards },
    programs: programs ?? Infinity,
    smallest: smallestBatch(external ? 'external' : 'in-process'),
  };
};
