/**
 * The directory of a run: run.json, which says what was run, where and how, and the names of the other files. The part of run.json that
 * all shards of a campaign share decides whether they can be merged.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { availableParallelism, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import {
  CAMPAIGN_NAME_RULE,
  FEWEST_STEPS,
  LONGEST_DURATION,
  MOST_FINDINGS,
  MOST_JOBS,
  MOST_PROGRAMS,
  MOST_SHARDS,
  MOST_STEPS,
  MOST_TRIES,
  isCampaignName,
} from '../../properties/campaign/campaign-bounds.js';
import type { Event } from '../../properties/campaign/events.js';
import { Ledger } from '../../properties/campaign/ledger.js';
import { TRAFFICS } from '../../properties/generators/index.js';
import { PROFILES } from '../../properties/profile.js';
import { SIGHTS } from '../../properties/subjects/scope.js';
import { FEATURES, OPS, PAGINGS } from '../../model/vocabulary/index.js';
import { readTextFile, refuseLink, removeTemporaries, writeTextFile } from '../../properties/corpus/store.js';
import {
  anyText,
  choice,
  exactObject,
  list,
  naturalNumber,
  orNull,
  wholeNumber,
} from '../../properties/formats/fields.js';
import { BadInput, readJson } from '../../properties/formats/index.js';
import { Problems } from '../../properties/formats/problems.js';
import type { Invariant } from '../../properties/invariants/invariant.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { INVARIANTS_FILE } from '../coverage/coverage-document.js';
import { FINDINGS_DIRECTORY, SUMMARY_FILE } from '../report/document/summary-document.js';
import { withLock } from '../terminal/lock.js';
import { makeResultDirectory } from '../terminal/result-directory.js';
import type { Session } from '../terminal/session.js';

const RUN_FORMAT = 'shadowdiff-run/3';

export const RUN_FILE = 'run.json';
export const EVENTS_FILE = 'events.jsonl';
/** Empty, and locked by the process that works on the run. */
const LOCK_FILE = 'run.lock';
/** Five seconds are enough for the lock of a process that was just killed, also on a busy machine. */
const WORKING = { patience: 5000, refusal: 'another process works on this run; wait until it ends' };
export const HTML_FILE = 'report.html';
export const JUNIT_FILE = 'junit.xml';
/** Those that get their name when they are complete. */
const RUN_FILES: ReadonlySet<string> = new Set([
  RUN_FILE,
  EVENTS_FILE,
  SUMMARY_FILE,
  INVARIANTS_FILE,
  HTML_FILE,
  JUNIT_FILE,
]);
/** The standard error of the workers. */
export const WORKERS_FILE = 'workers.log';

const mostPrograms = wholeNumber(0, MOST_PROGRAMS);
const milliseconds = wholeNumber(1, LONGEST_DURATION);
const campaignName = anyText.check(z.refine(isCampaignName, { error: `give ${CAMPAIGN_NAME_RULE}` }));

const campaign = exactObject({
  /** `nightly` also replays the corpus and flies a canary, and triages what it finds. */
  kind: choice(['fuzz', 'nightly']),
  version: anyText,
  seed: campaignName,
  subject: anyText,
  reference: anyText,
  /** Left out: `lguest`. */
  profile: z.exactOptional(choice(PROFILES)),
  paging: choice(['2-level', 'pae', 'both']),
  traffic: choice([...TRAFFICS, 'mixed']),
  maxSteps: wholeNumber(FEWEST_STEPS, MOST_STEPS),
  maxTries: wholeNumber(0, MOST_TRIES),
  /** Milliseconds. */
  caseTimeout: milliseconds,
  /** Ids; null for all. */
  invariants: orNull(z.array(anyText)),
  /** Of the whole campaign; null if time alone ends it. */
  programs: orNull(mostPrograms),
  minPrograms: mostPrograms,
  /** Kinds of finding after which it ends. */
  maxFindings: orNull(wholeNumber(1, MOST_FINDINGS)),
  /** How many shards share the campaign. */
  shards: wholeNumber(1, MOST_SHARDS),
  /** The share of programs that are judged in full, more than 0 and at most 1; left out: all. */
  judge: z.exactOptional(z.number().min(Number.MIN_VALUE).max(1)),
  /** What the sides can do and show; left out for machines of this package, whose names imply it. */
  scope: z.exactOptional(
    exactObject({
      paging: z.array(choice(PAGINGS)),
      /** The most pages of guest RAM; left out: as many as a machine can have. */
      guestPages: z.exactOptional(naturalNumber),
      /** What the CPUs of programs may have; left out: nothing. */
      features: z.exactOptional(z.array(choice(FEATURES))),
      steps: z.array(choice(OPS)),
      subjectShows: z.array(choice(SIGHTS)),
      referenceShows: z.array(choice(SIGHTS)),
      edges: naturalNumber,
    }),
  ),
});

const part = exactObject({
  /** From 0. */
  shard: wholeNumber(0, MOST_SHARDS - 1),
  /** ISO 8601, UTC. */
  started: anyText,
  host: anyText,
  platform: anyText,
  node: anyText,
  cores: naturalNumber,
  memory: naturalNumber,
  jobs: wholeNumber(1, MOST_JOBS),
  /** Milliseconds; null if the number of programs alone ends the run. */
  time: orNull(milliseconds),
  /** Milliseconds; null for no limit. */
  shrinkTime: orNull(milliseconds),
  corpus: anyText,
  known: orNull(anyText),
});

const envelope = exactObject({
  format: choice([RUN_FORMAT]),
  kind: choice(['run', 'merged']),
  campaign,
  parts: list,
});

export type CampaignRecord = z.infer<typeof campaign>;
export type PartRecord = z.infer<typeof part>;

export interface RunRecord {
  /** `merged`: made of several runs; it cannot be resumed. */
  readonly kind: 'run' | 'merged';
  readonly campaign: CampaignRecord;
  /** One for each shard that took part, by its number. */
  readonly parts: readonly PartRecord[];
}

/** How many edges of its own code the subject counts. */
export const edgesOf = ({ scope }: Pick<CampaignRecord, 'scope'>): number => scope?.edges ?? 0;

/** What is known of a campaign before its first event. */
export const emptyLedger = (campaign: CampaignRecord): Ledger => new Ledger(invariantsOf(campaign), edgesOf(campaign));

export const invariantsOf = ({ invariants }: CampaignRecord): readonly Invariant[] =>
  INVARIANTS.filter(({ id }) => invariants?.includes(id) ?? true);

/** What the part records about its machine. */
export const thisHost = (): Pick<PartRecord, 'host' | 'platform' | 'node' | 'cores' | 'memory'> => ({
  host: hostname(),
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
  cores: availableParallelism(),
  memory: totalmem(),
});

/** Throws `BadInput` if the file is missing, unreadable, or of another format. */
export const readRunRecord = async (directory: string): Promise<RunRecord> => {
  const path = join(directory, RUN_FILE);
  const problems = new Problems(path);
  const record = problems.readWhole(envelope, readJson(await readTextFile(path), path, 'file'));
  const { shards } = record.campaign;
  const parts = problems.readEach(part, record.parts, ['parts'], ({ shard }, place) => {
    if (shard >= shards)
      problems.add([...place, 'shard'], `${shard} is out of range; give a number from 0 to ${shards - 1}`);
  });
  if (!problems.isEmpty) throw problems.refusal();
  if (parts.length === 0) throw new BadInput(path, 'empty; a run has at least one part', { place: 'parts' });
  if (record.kind === 'run' && parts.length > 1)
    throw new BadInput(path, 'several; only a merged run has more than one', { place: 'parts' });
  return { kind: record.kind, campaign: record.campaign, parts };
};

const formatRecord = ({ kind, campaign: shared, parts }: RunRecord): string =>
  `${JSON.stringify({ format: RUN_FORMAT, kind, campaign: shared, parts }, undefined, 1)}\n`;

/** Throws `BadInput` if it cannot be written. `remedy`: what helps if free space does not. */
export const writeRunRecord = (directory: string, record: RunRecord, remedy: string): Promise<void> =>
  writeTextFile(join(directory, RUN_FILE), formatRecord(record), remedy);

/**
 * Makes the directory of a run, and does work while no other process writes there. Removes what a process left behind that was killed
 * while it wrote. Throws `BadInput` if another process works on the run.
 */
export const inRunDirectory = async <Result>(
  directory: string,
  session: Session,
  work: () => Promise<Result>,
): Promise<Result> => {
  await makeResultDirectory('--out', directory);
  await refuseLinks(directory);
  return await withLock(join(directory, LOCK_FILE), WORKING, session, async () => {
    await removeTemporaries(directory, (name) => RUN_FILES.has(name));
    await removeTemporaries(join(directory, FINDINGS_DIRECTORY), (name) => name.endsWith('.json'));
    return await work();
  });
};

/** A run may come from elsewhere. Throws `BadInput` if one of its files, or the directory of its findings, is a link. */
const refuseLinks = async (directory: string): Promise<void> => {
  const findings = join(directory, FINDINGS_DIRECTORY);
  for (const name of [...RUN_FILES, LOCK_FILE, WORKERS_FILE, FINDINGS_DIRECTORY])
    await refuseLink(join(directory, name));
  for (const name of await readdir(findings).catch(() => [])) await refuseLink(join(findings, name));
};

/**
 * Prepares a locked directory for a new run. A fuzz run replaces an earlier one, whose findings the corpus has. Throws `BadInput` if the
 * directory holds another run.
 */
export const makeRoomFor = async ({ campaign: { kind } }: RunRecord, directory: string): Promise<void> => {
  const path = join(directory, RUN_FILE);
  const existing = await readRunRecord(directory).catch(() => undefined);
  if (kind === 'fuzz' && existing?.campaign.kind === 'fuzz') {
    for (const file of [EVENTS_FILE, RUN_FILE]) await rm(join(directory, file), { force: true });
  }
  if (existsSync(path))
    throw new BadInput(path, 'a run is here already; resume it with nightly --resume, or name another --out');
  const events = join(directory, EVENTS_FILE);
  if (existsSync(events)) throw new BadInput(events, `events without their ${RUN_FILE} are here; name another --out`);
};

const IDENTITY_DIGITS = 16;

/** Names a campaign in its events: the first 16 hex digits of the SHA-256 of what all its shards share. */
export const campaignIdentity = (record: CampaignRecord): string =>
  createHash('sha256')
    .update(JSON.stringify(record, (_, value: unknown) => sorted(value)))
    .digest('hex')
    .slice(0, IDENTITY_DIGITS);

/** An object with its keys in order; any other value as it is. */
const sorted = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));

/** The first line of a file of events. */
export const campaignEvent = (record: CampaignRecord): Event => ({
  kind: 'campaign',
  identity: campaignIdentity(record),
});

/** The first field in which two campaigns differ, if there is one. */
export const campaignDifference = (one: CampaignRecord, other: CampaignRecord): string | undefined => {
  const fields = new Set(Object.keys({ ...one, ...other }) as (keyof CampaignRecord)[]);
  const field = [...fields].find((each) => text(one[each]) !== text(other[each]));
  return field === undefined ? undefined : `${field} is ${text(one[field])} here and ${text(other[field])} there`;
};

const text = (value: unknown): string => JSON.stringify(value);
