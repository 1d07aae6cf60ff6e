/** run.json: what was run, where, and how. The part that all shards of a campaign share decides whether they can be merged. */

import { link, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, hostname, totalmem } from 'node:os';
import * as z from 'zod';
import { anyText, choice, exactObject, list, naturalNumber } from '../../properties/formats/fields.js';
import { BadInput, readJson } from '../../properties/formats/index.js';
import { Problems } from '../../properties/formats/problems.js';
import { readTextFile, writeTextFile } from '../../properties/corpus/store.js';

export const RUN_FORMAT = 'shadowdiff-run/1';

const campaign = exactObject({
  version: anyText,
  seed: anyText,
  subject: anyText,
  reference: anyText,
  paging: choice(['2-level', 'pae', 'both']),
  traffic: choice(['coherent', 'hostile', 'mixed']),
  maxSteps: naturalNumber,
  maxTries: naturalNumber,
  /** Milliseconds. */
  caseTimeout: naturalNumber,
  /** Of the whole campaign; null if time alone ends it. */
  programs: z.union([naturalNumber, z.null()]),
  minPrograms: naturalNumber,
  /** How many shards share the campaign. */
  shards: naturalNumber,
  /** The share of programs that are made from seeds, 0 … 1. */
  guided: z.number().min(0).max(1).default(0),
  /** The identity of the seed pool; null if there are to be no seeds. */
  pool: z.union([anyText, z.null()]).default(null),
});

const part = exactObject({
  /** From 0. */
  shard: naturalNumber,
  /** ISO 8601, UTC. */
  started: anyText,
  host: anyText,
  platform: anyText,
  node: anyText,
  cores: naturalNumber,
  memory: naturalNumber,
  jobs: naturalNumber,
  /** Milliseconds; null if the number of programs alone ends the run. */
  time: z.union([naturalNumber, z.null()]),
  /** Milliseconds. */
  shrinkTime: naturalNumber,
  corpus: anyText,
  known: z.union([anyText, z.null()]),
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
  /** `merged`: made of several runs; it cannot be taken up again. */
  readonly kind: 'run' | 'merged';
  readonly campaign: CampaignRecord;
  /** One for each shard that took part, by its number. */
  readonly parts: readonly PartRecord[];
}

/** What the part knows of its machine. */
export const thisHost = (): Pick<PartRecord, 'host' | 'platform' | 'node' | 'cores' | 'memory'> => ({
  host: hostname(),
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
  cores: availableParallelism(),
  memory: totalmem(),
});

/** Throws `BadInput` if the file is missing, unreadable, or of another format. */
export const readRunRecord = async (path: string): Promise<RunRecord> => {
  const problems = new Problems(path);
  const record = problems.read(envelope, readJson(await readTextFile(path), path, 'file'), []);
  if (record === undefined) throw problems.refusal();
  const parts = problems.readEach(part, record.parts, ['parts']);
  if (!problems.isEmpty) throw problems.refusal();
  if (parts.length === 0) throw new BadInput(path, 'empty; a run has at least one part', { place: 'parts' });
  return { kind: record.kind, campaign: record.campaign, parts };
};

const formatRecord = ({ kind, campaign, parts }: RunRecord): string =>
  `${JSON.stringify({ format: RUN_FORMAT, kind, campaign, parts }, undefined, 1)}\n`;

/** Throws `BadInput` if it cannot be written. */
export const writeRunRecord = (path: string, record: RunRecord): Promise<void> =>
  writeTextFile(path, formatRecord(record), 'name another --out');

/** Writes the record of a run that begins, whole, unless one is there: then throws `BadInput`, as if it cannot be written. */
export const claimRunRecord = async (path: string, record: RunRecord): Promise<void> => {
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, formatRecord(record));
    await link(draft, path);
  } catch (error) {
    throw unwritable(path, error as NodeJS.ErrnoException);
  } finally {
    await rm(draft, { force: true });
  }
};

const unwritable = (path: string, { code, message }: NodeJS.ErrnoException): BadInput =>
  code === 'EEXIST'
    ? new BadInput(path, 'a run is there already; go on with it by --resume, or name another --out')
    : new BadInput(path, `cannot be written: ${message}; free space or name another --out`);

/** The first field in which two campaigns differ, if there is one. */
export const campaignDifference = (one: CampaignRecord, other: CampaignRecord): string | undefined => {
  const fields = Object.keys(one) as readonly (keyof CampaignRecord)[];
  const field = fields.find((each) => one[each] !== other[each]);
  return field === undefined ? undefined : `${field} is ${text(one[field])} here and ${text(other[field])} there`;
};

const text = (value: unknown): string => JSON.stringify(value);
