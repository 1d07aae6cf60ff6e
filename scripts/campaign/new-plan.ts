/** A campaign that begins: its record, from the options. */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Shard } from '../../properties/campaign/batches.js';
import { MOST_JOBS } from '../../properties/campaign/campaign-bounds.js';
import { BadInput } from '../../properties/formats/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../properties/generators/index.js';
import { DEFAULT_MOST_TRIES } from '../../properties/shrink/index.js';
import { IMPL, MODEL } from '../../properties/subjects/subject-names.js';
import { packageVersion } from '../own-package.js';
import { corpusOf } from '../terminal/result-directory.js';
import type { Session } from '../terminal/session.js';
import { DEFAULT_CASE_TIMEOUT, invariantsNamed } from '../terminal/sides.js';
import type { CampaignFlags, UncheckedPlan } from './campaign-plan.js';
import type { CampaignRecord, PartRecord, RunRecord } from './run-directory.js';
import { thisHost } from './run-directory.js';

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

/** Throws `BadInput` for options that contradict each other. */
export const newPlan = (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  { surroundings }: Session,
): UncheckedPlan => {
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
  };
  const record: RunRecord = { kind: 'run', campaign: campaignRecord(kind, flags, seed, shard), parts: [part] };
  const directory = kind === 'fuzz' ? flags.out : (flags.out ?? join('out', directoryName(started, seed, shard)));
  return { directory, resumed: false, record, part };
};

const campaignRecord = (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  seed: string,
  shard: Shard,
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
  judge: judgeFor(flags),
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
