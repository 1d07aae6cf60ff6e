/** events.jsonl: one line for each event of a run, appended whole or, if the process dies, torn at the end. */

import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { openFile } from '../../properties/corpus/store.js';
import { BadInput, readJson } from '../../properties/formats/index.js';
import type { Event } from '../../properties/campaign/events.js';
import { eventFromJson, formatEvent } from '../../properties/campaign/events.js';
import { Ledger } from '../../properties/campaign/ledger.js';
import type { Invariant } from '../../properties/invariants/invariant.js';

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
      throw new BadInput(path, `cannot be written: ${(error as Error).message}; name another --out`);
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

  private write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.file, bytes, done);
    } catch (error) {
      const why = `cannot be written: ${(error as Error).message}`;
      throw new BadInput(this.path, `${why}; free space and resume with --resume; nothing reported so far is lost`);
    }
  }
}

/**
 * Reads the events of a file one by one. Lines that are not JSON were torn: `torn` gets their number, from 1, and they are skipped.
 * Throws `BadInput` for a file that cannot be read, and for a line that is JSON and not an event.
 */
const readEvents = async (
  path: string,
  take: (event: Event, source: string) => void,
  torn: (line: number) => void,
): Promise<void> => {
  const file = await openFile(path);
  let number = 0;
  try {
    for await (const line of file.readLines({ encoding: 'utf8' })) {
      number++;
      if (line === '') continue;
      const source = `${path}: line ${number}`;
      const value = parsed(line);
      if (value === undefined) torn(number);
      else take(eventFromJson(value, source), source);
    }
  } finally {
    await file.close();
  }
};

/** What a file of events adds up to. `torn` gets a sentence for each torn line. Throws `BadInput` as `readEvents`. */
export const readLedger = async (
  path: string,
  torn: (problem: string) => void,
  invariants?: readonly Invariant[],
): Promise<Ledger> => {
  const ledger = new Ledger(invariants);
  await readEvents(
    path,
    (event, source) => {
      if ('counts' in event && !ledger.fits(event.counts)) {
        throw new BadInput(source, 'not of the invariants of this run; restore the file', { place: 'counts' });
      }
      ledger.add(event);
    },
    (line) => torn(`${path}: line ${line} was torn and does not count`),
  );
  return ledger;
};

const parsed = (line: string): unknown => {
  try {
    return readJson(line, 'event', 'file');
  } catch {
    return undefined;
  }
};
