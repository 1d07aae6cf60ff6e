import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import type { Event } from '../../properties/campaign/events.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { Tally, countsOf } from '../../properties/tally.js';
import { EventLog, readLedger } from './event-log.js';
import type { RunRecord } from './run-directory.js';
import { campaignEvent } from './run-directory.js';

const at = directoryForEachTest();

const path = (): string => at('events.jsonl');
const canary: Event = { kind: 'canary', defect: 'a', caught: true, programs: 1 };

const RUN: RunRecord = {
  kind: 'run',
  campaign: {
    kind: 'nightly',
    version: '',
    seed: 'x',
    subject: 'impl',
    reference: 'model',
    paging: 'both',
    traffic: 'mixed',
    maxSteps: 48,
    maxTries: 0,
    caseTimeout: 1,
    invariants: null,
    programs: null,
    minPrograms: 0,
    maxFindings: null,
    shards: 1,
  },
  parts: [
    {
      shard: 0,
      started: '',
      host: '',
      platform: '',
      node: '',
      cores: 1,
      memory: 1,
      jobs: 1,
      time: null,
      shrinkTime: null,
      corpus: '',
      known: null,
    },
  ],
};
const NAMED = campaignEvent(RUN.campaign);

const append = (...events: readonly Event[]): void => {
  const log = new EventLog(path());
  log.append(...events);
  log.close();
};

test('a line behind a torn one is whole', async () => {
  append(NAMED, { kind: 'end', at: '', shard: 0 });
  await appendFile(path(), '{"kind":"can');
  append(canary);
  const torn: string[] = [];
  const ledger = await readLedger(path(), RUN, (problem) => torn.push(problem));
  expect(torn).toEqual([expect.stringContaining('events.jsonl: line 3 was torn')]);
  expect(ledger.canary).toEqual(canary);
  expect(ledger.shard(0).ended).toBe(true);
});

test('what is whole is left as it is', async () => {
  append(canary);
  const before = await readFile(path(), 'utf8');
  append();
  expect(await readFile(path(), 'utf8')).toBe(before);
});

test('a line that is no event is refused by its number, with what is wrong', async () => {
  await writeFile(path(), `${JSON.stringify(NAMED)}\n{"kind":"end","at":"","shard":-1}\n`);
  await expect(readLedger(path(), RUN, () => undefined)).rejects.toThrow(
    'events.jsonl: line 2: shard: -1 is out of range',
  );
});

test('a directory, a file that is not there, and one that cannot be written are told', async () => {
  await expect(readLedger(at(), RUN, () => undefined)).rejects.toThrow('this is a directory; name a file in it');
  await expect(readLedger(path(), RUN, () => undefined)).rejects.toThrow('there is no such file');
  await mkdir(path());
  expect(() => new EventLog(path())).toThrow(/events\.jsonl: cannot be written: .*; name another --out/);
  const full = new EventLog('/dev/full');
  expect(() => full.append(canary)).toThrow(/cannot be written: no space left on device.*resume with nightly --resume/);
  full.close();
});

test('counts of other invariants are refused', async () => {
  const counts = countsOf(new Tally(INVARIANTS));
  const sum = { kind: 'shard', shard: 0, batches: [], programs: 0, elapsed: 0, ended: true, signatures: {} };
  append(NAMED, { ...sum, counts } as Event);
  await readLedger(path(), RUN, () => undefined);
  append({ ...sum, counts: { ...counts, situations: counts.situations.slice(1) } } as Event);
  await expect(readLedger(path(), RUN, () => undefined)).rejects.toThrow(
    'events.jsonl: line 3: counts: not of the invariants of this run; restore the file',
  );
});
