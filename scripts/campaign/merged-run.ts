/** Several runs of one campaign as one. */

import { join } from 'node:path';
import { formatEvent } from '../../properties/campaign/events.js';
import { Ledger } from '../../properties/campaign/ledger.js';
import { writeTextFile } from '../../properties/corpus/store.js';
import { BadInput } from '../../properties/formats/index.js';
import { readLedger } from './event-log.js';
import type { PartRecord, RunRecord } from './run-directory.js';
import { EVENTS_FILE, campaignDifference, campaignEvent, emptyLedger, readRunRecord } from './run-directory.js';

export interface StoredRun {
  readonly directory: string;
  readonly record: RunRecord;
  readonly ledger: Ledger;
}

export type MergedRun = Pick<StoredRun, 'record' | 'ledger'>;

/** Throws `BadInput` if the directory holds no run; `torn` gets a sentence for each torn line. */
export const readRun = async (directory: string, torn: (problem: string) => void): Promise<StoredRun> => {
  const record = await readRunRecord(directory);
  const ledger = await readLedger(join(directory, EVENTS_FILE), record, torn);
  return { directory, record, ledger };
};

/**
 * The sum of runs: commutative, associative, and idempotent.
 *
 * @throws BadInput if they are not of one campaign, or there are none
 */
export const mergeRuns = (runs: readonly StoredRun[]): MergedRun => {
  const [first] = runs;
  if (first === undefined) throw new BadInput('merge', 'no run could be read; name directories of runs');
  const { campaign } = first.record;
  const ledger = emptyLedger(campaign);
  for (const run of runs) {
    const difference = campaignDifference(run.record.campaign, campaign);
    if (difference !== undefined) {
      throw new BadInput(run.directory, `not of the campaign of ${first.directory}: ${difference}; merge them apart`);
    }
    for (const event of run.ledger.events()) ledger.add(event);
  }
  const parts = partsOf(runs.flatMap(({ record }) => record.parts));
  return { record: { kind: 'merged', campaign, parts }, ledger };
};

/** One for each shard, whatever the order of the runs. */
const partsOf = (parts: readonly PartRecord[]): readonly PartRecord[] => {
  const byShard = new Map<number, PartRecord>();
  for (const part of parts) {
    const same = byShard.get(part.shard);
    if (same === undefined || JSON.stringify(part) < JSON.stringify(same)) byShard.set(part.shard, part);
  }
  return [...byShard.values()].toSorted((one, other) => one.shard - other.shard);
};

/** Writes the events of a merged run. Throws `BadInput` if that fails. */
export const writeMergedEvents = async (directory: string, { campaign }: RunRecord, ledger: Ledger): Promise<void> => {
  const events = [campaignEvent(campaign), ...ledger.events()];
  const lines = events.map((event) => `${formatEvent(event)}\n`);
  await writeTextFile(join(directory, EVENTS_FILE), lines, 'name another --out');
};
