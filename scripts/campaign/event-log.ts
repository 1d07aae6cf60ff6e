/** events.jsonl: one line for each event of a run, appended whole or, if the process dies, torn at the end. */

import { accessSync, closeSync, constants, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { openFile } from '../../properties/corpus/store.js';
import { BadInput, readJson, refuseExcess, whyFailed } from '../../properties/formats/index.js';
import type { Event } from '../../properties/campaign/events.js';
import { eventFromJson, formatEvent } from '../../properties/campaign/events.js';
import { Ledger } from '../../properties/campaign/ledger.js';
import { readLines } from '../terminal/bounded-lines.js';
import type { RunRecord } from './run-directory.js';
import { campaignIdentity, emptyLedger } from './run-directory.js';

const NEWLINE = 0x0a;

/** Where a run keeps its events. */
export interface EventSink {
  append(...events: readonly Event[]): void;
  close(): void;
}

/** For a run without a directory: its ledger is all that remembers it. */
export const NO_LOG: EventSink = { append: () => undefined, close: () => undefined };

export class EventLog implements EventSink {
  private readonly path: string;
  private readonly file: number;

  /** Makes the file if there is none. Throws `BadInput` if it cannot be opened. */
  constructor(path: string) {
    this.path = path;
    try {
      this.file = openSync(path, 'a+');
    } catch (error) {
      throw new BadInput(path, `cannot be written: ${whyFailed(error)}; name another --out`);
    }
    this.closeTornLine();
  }

  /** Returns when the system has the lines. Throws `BadInput` if they cannot be written: what was written before stands. */
  append(...events: readonly Event[]): void {
    this.write(events.map((event) => `${formatEvent(event)}\n`).join(''));
  }

  close(): void {
    closeSync(this.file);
  }

  /** A new line must not join one that was torn. */
  private closeTornLine(): void {
    const { size } = fstatSync(this.file);
    const last = Buffer.alloc(1);
    if (size > 0 && readSync(this.file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE) this.write('\n');
  }

  /** Lines that are written to a file without a name are lost, and a directory that became read-only takes no results. */
  private refuseLost(): void {
    try {
      if (statSync(this.path).ino !== fstatSync(this.file).ino) throw new Error('another file is here now');
      accessSync(dirname(this.path), constants.W_OK);
    } catch (error) {
      const why = `changed by another process while the run wrote to it: ${whyFailed(error)}`;
      throw new BadInput(dirname(this.path), `${why}; restore it and resume with nightly --resume, or begin a new run`);
    }
  }

  private write(text: string): void {
    const bytes = Buffer.from(text);
    this.refuseLost();
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.file, bytes, done);
    } catch (error) {
      const why = `cannot be written: ${whyFailed(error)}`;
      throw new BadInput(
        this.path,
        `${why}; free space and resume with nightly --resume; nothing reported so far is lost`,
      );
    }
  }
}

/**
 * Reads the events of a file one by one. Lines that are not JSON were torn: `torn` gets their number, from 1, and they are skipped.
 * Throws `BadInput` for a file that cannot be read, for a line that is JSON and not an event, and for one that is too long or too deep.
 */
const readEvents = async (
  path: string,
  take: (event: Event, source: string) => void,
  torn: (line: number) => void,
): Promise<void> => {
  const file = await openFile(path);
  let number = 0;
  try {
    for await (const line of readLines(file.createReadStream(), path)) {
      number++;
      if (line === '') continue;
      const source = `${path}: line ${number}`;
      const value = parsed(line, source);
      if (value === undefined) torn(number);
      else take(eventFromJson(value, source), source);
    }
  } finally {
    await file.close();
  }
};

/**
 * What the events of a run add up to. `torn` gets a sentence for each torn line. Throws `BadInput` as `readEvents`, and for events that are
 * not of this run.
 */
export const readLedger = async (path: string, run: RunRecord, torn: (problem: string) => void): Promise<Ledger> => {
  const ledger = emptyLedger(run.campaign);
  const refuseForeign = new ForeignEvents(run);
  await readEvents(
    path,
    (event, source) => {
      refuseForeign.check(event, source);
      if ('counts' in event && !ledger.fits(event.counts)) {
        throw new BadInput(source, 'not of the invariants of this run; restore the file', { place: 'counts' });
      }
      ledger.add(event);
    },
    (line) => torn(`${path}: line ${line} was torn and does not count`),
  );
  return ledger;
};

/** Refuses events of another run: a file may have been copied to the wrong place. */
class ForeignEvents {
  private readonly identity: string;
  private readonly shards: ReadonlySet<number>;
  /** The file has named its campaign. */
  private isNamed = false;

  constructor({ campaign, parts }: RunRecord) {
    this.identity = campaignIdentity(campaign);
    this.shards = new Set(parts.map(({ shard }) => shard));
  }

  /** Throws `BadInput`. */
  check(event: Event, source: string): void {
    if (event.kind === 'campaign') {
      if (event.identity !== this.identity) throw foreign(source, `of campaign ${event.identity}`, this.identity);
      this.isNamed = true;
    } else if (!this.isNamed) {
      throw foreign(source, 'of an unnamed campaign', this.identity);
    }
    if ('shard' in event && !this.shards.has(event.shard)) {
      throw new BadInput(source, `shard ${event.shard} is not of this run; restore the file of this run`);
    }
  }
}

const foreign = (source: string, whose: string, identity: string): BadInput =>
  new BadInput(source, `events ${whose}, and this run is of ${identity}; restore the file of this run`);

/** Undefined for a line that is not JSON. Throws `BadInput` for one that is too deep or too full to be an event. */
const parsed = (line: string, source: string): unknown => {
  try {
    return readJson(line, source, 'file');
  } catch {
    refuseExcess(line, source);
    return undefined;
  }
};
