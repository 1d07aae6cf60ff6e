/** Several runs of one campaign as one. */

import { join } from 'node:path';
import { BadInput } from '../../properties/formats/index.js';
import { formatEvent } from '../../properties/campaign/event.js';
import { Ledger } from '../../properties/campaign/ledger.js';
import { writeTextFile } from '../../properties/corpus/store.js';
import { readLedger } from './event-log.js';
import { EVENTS_FILE, RUN_FILE } from './run-files.js';
import type { PartRecord, RunRecord } from './run-record.js';
import { campaignDifference, readRunRecord } from './run-record.js';

/** A run as its directory tells it. */
export interface StoredRun {
  readonly directory: string;
  readonly record: RunRecord;
  readonly ledger: Ledger;
}

/** Reads a run. Throws `BadInput` if there is none; lines that were torn are told to `torn`. */
export const readRun = async (directory: string, torn: (problem: string) => void): Promise<StoredRun> => {
  const record = await readRunRecord(join(directory, RUN_FILE));
  return { directory, record, ledger: await readLedger(join(directory, EVENTS_FILE), torn) };
};

/**
 * The sum of runs: commutative, associative, and idempotent.
 *
 * @throws BadInput if they are not of one campaign, or there are none
 */
export const mergeRuns = (runs: readonly StoredRun[]): { readonly record: RunRecord; readonly ledger: Ledger } => {
  const [first] = runs;
  if (first === undefined) throw new BadInput('merge', 'no run could be read; name directories of runs');
  const ledger = new Ledger();
  for (const run of runs) {
    const difference = campaignDifference(run.record.campaign, first.record.campaign);
    if (difference !== undefined) {
      throw new BadInput(run.directory, `not of the campaign of ${first.directory}: ${difference}; merge them apart`);
    }
    for (const event of run.ledger.events()) ledger.take(event);
  }
  const parts = partsOf(runs.flatMap(({ record }) => record.parts));
  return { record: { kind: 'merged', campaign: first.record.campaign, parts }, ledger };
};

/** One for each shard, whoever comes first. */
const partsOf = (parts: readonly PartRecord[]): readonly PartRecord[] => {
  const byShard = new Map<number, PartRecord>();
  for (const part of parts) {
    const there = byShard.get(part.shard);
    if (there === undefined || JSON.stringify(part) < JSON.stringify(there)) byShard.set(part.shard, part);
  }
  return [...byShard.values()].toSorted((one, other) => one.shard - other.shard);
};

/** Writes the events of a merged run. Throws `BadInput` if that cannot be done. */
export const writeMergedEvents = async (directory: string, ledger: Ledger): Promise<void> => {
  const path = join(directory, EVENTS_FILE);
  const lines = ledger.events().map((event) => `${formatEvent(event)}\n`);
  await writeTextFile(path, lines.join(''), 'name another --out');
};
