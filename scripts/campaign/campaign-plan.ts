/** What a campaign is asked to do, checked: a new run, or one that resumes. */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MACHINE_BOUNDS, OPS } from '../../model/vocabulary/index.js';
import type { Batches, Shard } from '../../properties/campaign/batches.js';
import { SMALLEST_BATCH, programsOfShardWithin } from '../../properties/campaign/batches.js';
import { MOST_JOBS, MOST_PROGRAMS } from '../../properties/campaign/campaign-bounds.js';
import { BadInput, quoted } from '../../properties/formats/index.js';
import { DEFAULT_PROGRAM_OPTIONS, missingSteps } from '../../properties/generators/index.js';
import type { TiedFinding } from '../../properties/known-findings.js';
import type { Profile } from '../../properties/profile.js';
import type { ProgramPool } from '../../properties/pool/program-pool.js';
import { DEFAULT_POOL_SIZE } from '../../properties/pool/program-pool.js';
import { DEFAULT_MOST_TRIES } from '../../properties/shrink/index.js';
import type { Scope } from '../../properties/subjects/scope.js';
import type { AllowedCommands } from '../../properties/subjects/subject-names.js';
import { DEFAULT_START_TIMEOUT, IMPL, MODEL, ownMachine } from '../../properties/subjects/subject-names.js';
import type { CommandFlags } from '../terminal/sides.js';
import { DEFAULT_CASE_TIMEOUT, allowedBy, invariantsNamed } from '../terminal/sides.js';
import { corpusOf } from '../terminal/result-directory.js';
import type { Session } from '../terminal/session.js';
import { packageVersion } from '../own-package.js';
import type { GuidanceSettings } from './program-keeping.js';
import { corpusPool, readPool } from './program-keeping.js';
import type { CampaignRecord, PartRecord, RunRecord } from './run-directory.js';
import { RUN_FILE, readRunRecord, thisHost } from './run-directory.js';
import type { CampaignSettings } from './tasks.js';
import { readKnown } from './tolerance.js';

/** Milliseconds, counts and shares that hold where no option gives another. */
export const DEFAULTS = {
  fuzz: { time: 60_000, maxFindings: 10 },
  nightly: { time: 600_000 },
  minPrograms: 1000,
  /** Of the time of the run. */
  shrinkShare: 0.2,
  /** Of the programs (scripts/bench/README.md, Screening). */
  judge: 1 / 16,
  /** A campaign of at most so many programs judges all of them. */
  judgedWhole: 2000,
} as const;

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
  readonly guided?: number;
  /** The share of programs that are judged in full. */
  readonly judge?: number;
  readonly corpus?: string;
  readonly known?: string;
  readonly out?: string;
  // Of fuzz alone.
  readonly invariant?: readonly string[];
  readonly maxFindings?: number;
  // Of nightly alone.
  readonly keepPrograms?: true;
  readonly mostPrograms?: number;
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
  /** Undefined if no program is made from a pool and none is kept in one. */
  readonly pool: ProgramPool | undefined;
}

type UnreadPlan = Omit<CampaignPlan, 'known' | 'allowed' | 'startTimeout' | 'capabilities'>;

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
  'guided',
  'judge',
  'keepPrograms',
  'shard',
  'out',
] as const satisfies readonly (keyof CampaignFlags)[];

/** Throws `BadInput` for options that contradict each other, and for a run that cannot be resumed. */
export const campaignPlan = async (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  session: Session,
): Promise<CampaignPlan> => {
  const plan =
    flags.resume === undefined ? await newPlan(kind, flags, session) : await resumedPlan(flags.resume, flags);
  return {
    ...plan,
    known: await readKnown(plan.part.known ?? undefined),
    allowed: allowedBy(flags),
    startTimeout: flags.startTimeout ?? DEFAULT_START_TIMEOUT,
    capabilities: {},
  };
};

const newPlan = async (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  { surroundings }: Session,
): Promise<UnreadPlan> => {
  const { shard = { index: 0, of: 1 }, subject = IMPL.name, reference = MODEL.name } = flags;
  if (shard.of > 1 && flags.seed === undefined) {
    throw new BadInput('--shard', 'shards of one campaign need one name; give every one of them the same --seed');
  }
  const seed = flags.seed ?? surroundings.freshSeed();
  const started = surroundings.today().toISOString();
  const time = flags.time ?? (flags.programs === undefined ? DEFAULTS[kind].time : null);
  const part: PartRecord = {
    shard: shard.index,
    started,
    ...thisHost(),
    jobs: flags.jobs ?? Math.min(availableParallelism(), MOST_JOBS),
    time,
    // A run of a fixed number of programs shrinks all that it finds.
    shrinkTime: flags.shrinkTime ?? (time === null ? null : Math.round(time * DEFAULTS.shrinkShare)),
    corpus: flags.corpus ?? corpusOf({ subject, reference }),
    known: flags.known ?? null,
    mostPrograms: flags.mostPrograms ?? DEFAULT_POOL_SIZE,
  };
  const needsPool = (flags.guided ?? 0) > 0 || flags.keepPrograms === true;
  const pool = needsPool ? await corpusPool(part.corpus) : undefined;
  const record: RunRecord = { kind: 'run', campaign: campaignRecord(kind, flags, seed, shard, pool), parts: [part] };
  const directory = kind === 'fuzz' ? flags.out : (flags.out ?? join('out', directoryName(started, seed, shard)));
  return { directory, resumed: false, record, part, pool };
};

const campaignRecord = (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  seed: string,
  shard: Shard,
  pool: ProgramPool | undefined,
): CampaignRecord => ({
  kind,
  version: packageVersion(),
  seed,
  subject: flags.subject ?? IMPL.name,
  reference: flags.reference ?? MODEL.name,
  ...(flags.profile === undefined || flags.profile === 'lguest' ? {} : { profile: flags.profile }),
  paging: flags.paging ?? DEFAULT_PROGRAM_OPTIONS.paging,
  traffic: trafficFor(flags),
  maxSteps: flags.maxSteps ?? DEFAULT_PROGRAM_OPTIONS.mostSteps,
  maxTries: flags.maxTries ?? DEFAULT_MOST_TRIES,
  caseTimeout: flags.caseTimeout ?? DEFAULT_CASE_TIMEOUT,
  invariants: flags.invariant === undefined ? null : invariantsNamed(flags.invariant).map(({ id }) => id),
  programs: flags.programs ?? null,
  minPrograms: flags.minPrograms ?? Math.min(DEFAULTS.minPrograms, flags.programs ?? Infinity),
  maxFindings: kind === 'fuzz' ? (flags.maxFindings ?? DEFAULTS.fuzz.maxFindings) : null,
  shards: shard.of,
  guided: flags.guided ?? 0,
  judge: judgeFor(flags),
  pool: pool?.identity ?? null,
});

/**
 * A short campaign judges every program, because it has the time and few to count. So does one of some invariants: what differs in a screened
 * program, only all invariants together can name.
 */
const judgeFor = ({ judge, invariant, programs = Infinity }: CampaignFlags): number => {
  if (invariant !== undefined && judge !== undefined && judge < 1) {
    throw new BadInput('--judge', 'a run of some invariants judges every program in full; leave it out');
  }
  return judge ?? (invariant !== undefined || programs <= DEFAULTS.judgedWhole ? 1 : DEFAULTS.judge);
};

/** Guests of the profile `architecture` keep the contract, or announce their changes late. */
export const trafficFor = ({
  profile,
  traffic,
}: Pick<CampaignFlags, 'profile' | 'traffic'>): CampaignRecord['traffic'] => {
  if (profile !== 'architecture') {
    if (traffic !== 'racy') return traffic ?? DEFAULT_PROGRAM_OPTIONS.traffic;
    throw new BadInput('--traffic', 'racy guests are of the profile architecture; give --profile architecture');
  }
  if (traffic === undefined) return 'coherent';
  if (traffic === 'coherent' || traffic === 'racy') return traffic;
  throw new BadInput('--traffic', `the profile architecture has no ${traffic} guests; leave it out`);
};

const directoryName = (started: string, seed: string, { index, of }: Shard): string => {
  const name = `${started.slice(0, 10)}-${seed.replace(/[^\w.-]/g, '-')}`;
  return of === 1 ? name : `${name}-shard-${index}-of-${of}`;
};

const resumedPlan = async (directory: string, flags: CampaignFlags): Promise<UnreadPlan> => {
  const record = await readRunRecord(directory);
  refuseToResume(record, directory);
  const { pool } = record.campaign;
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
    mostPrograms: flags.mostPrograms ?? recorded.mostPrograms,
  };
  return {
    directory,
    resumed: true,
    record: { ...record, parts: [part] },
    part,
    pool: pool === null ? undefined : await readPool({ run: directory }, pool),
  };
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
  const begun = {
    ...campaign,
    profile: profileOf(campaign),
    keepPrograms: campaign.pool !== null,
    shard,
    out: directory,
  };
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

/** The campaign as its workers know it. `directory`: where its pool is, if it has one. */
export const settingsOf = ({
  record: { campaign },
  part: { started, corpus },
  directory,
  allowed,
  startTimeout,
  capabilities,
}: Pick<CampaignPlan, 'record' | 'part' | 'directory' | 'allowed'> &
  Partial<Pick<CampaignPlan, 'startTimeout' | 'capabilities'>>): CampaignSettings => ({
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
  guidance: guidanceIn(campaign, directory === undefined ? { corpus } : { run: directory }),
});

/** What the campaign keeps to. */
export const profileOf = ({ profile = 'lguest' }: Pick<CampaignRecord, 'profile'>): Profile => profile;

/** The paging of the campaign's programs: what was asked for, as far as both sides support it. */
export const pagingOf = ({ paging, scope }: Pick<CampaignRecord, 'paging' | 'scope'>): CampaignRecord['paging'] =>
  paging === 'both' && scope?.paging.length === 1 ? scope.paging[0] : paging;

/** How many edges of its own code the subject counts. */
export const edgesOf = ({ scope }: Pick<CampaignRecord, 'scope'>): number => scope?.edges ?? 0;

/** The kinds of steps that the campaign's programs may have; undefined for all. */
const stepsOf = ({ scope }: CampaignRecord): CampaignSettings['steps'] =>
  scope === undefined || scope.steps.length === OPS.length ? undefined : scope.steps;

const CHANGED = 'a side no longer does and shows what it did when the run began; begin a new run';

/** Both sides are machines of this package: their names imply what they do and show. Throws `BadInput` if the run records anything else. */
export const withoutScope = (plan: CampaignPlan): CampaignPlan => {
  const { scope, favoured } = plan.record.campaign;
  if (scope !== undefined || favoured !== undefined) throw new BadInput('--resume', CHANGED);
  return plan;
};

/**
 * The plan with what its sides can do and show. Throws `BadInput` if they can do too little for any program, or no longer what they could
 * when the run began.
 */
export const withScope = (
  plan: CampaignPlan,
  scope: Scope,
  capabilities: CampaignPlan['capabilities'],
): CampaignPlan => {
  const { record, resumed } = plan;
  const { campaign } = record;
  if (resumed && !isDeepStrictEqual(campaign.scope, recordedScope(scope))) throw new BadInput('--resume', CHANGED);
  refuseNoPaging(campaign, scope);
  refuseNoProgram({ paging: pagingOf({ ...campaign, scope: recordedScope(scope) }), traffic: campaign.traffic }, scope);
  return { ...plan, capabilities, record: { ...record, campaign: { ...campaign, scope: recordedScope(scope) } } };
};

const recordedScope = ({
  paging,
  guestPages,
  features,
  steps,
  subjectShows,
  referenceShows,
  edges,
}: Scope): NonNullable<CampaignRecord['scope']> => ({
  paging: [...paging],
  ...(guestPages === MACHINE_BOUNDS.guestPages.most ? {} : { guestPages }),
  ...(features.length === 0 ? {} : { features: [...features] }),
  steps: [...steps],
  subjectShows: [...subjectShows],
  referenceShows: [...referenceShows],
  edges,
});

const refuseNoPaging = ({ paging }: CampaignRecord, scope: Scope): void => {
  if (scope.paging.length === 0) {
    throw new BadInput('--subject', 'there is no paging mode that both sides support; let its hello list another one');
  }
  if (paging === 'both' || scope.paging.includes(paging)) return;
  throw new BadInput('--paging', `a side does not support ${paging}; give --paging ${scope.paging[0]}`);
};

const refuseNoProgram = (wanted: Pick<CampaignRecord, 'paging' | 'traffic'>, { steps }: Scope): void => {
  const missing = missingSteps({ ...wanted, steps });
  if (missing.length === 0) return;
  const lacking = `a side does not support ${missing.join(', ')}, which`;
  throw wanted.traffic === 'coherent' && steps.includes('access')
    ? new BadInput('--traffic', `${lacking} every coherent guest needs; leave it out`)
    : new BadInput('--subject', `${lacking} every program needs; let its hello list them`);
};

const guidanceIn = (
  { guided, pool, favoured }: CampaignRecord,
  from: GuidanceSettings['from'],
): GuidanceSettings | undefined =>
  guided === 0 || pool === null ? undefined : { share: guided, pool, favoured, from };

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
