/** history.jsonl: a line for each night, beside the directories of its runs. */

import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { openFile, refuseLink } from '../../properties/corpus/store.js';
import { BadInput, readJson, whyFailed } from '../../properties/formats/index.js';
import { uniteResults } from '../report/document/build-report.js';
import type { Night } from '../report/trend/night.js';
import { nightOf, readNight } from '../report/trend/night.js';
import { readLines } from '../terminal/bounded-lines.js';
import { withLock } from '../terminal/lock.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import type { RunRecord } from './run-directory.js';
import { emptyLedger } from './run-directory.js';
import { summarize } from './summarize.js';

export const HISTORY_FILE = 'history.jsonl';

const NEWLINE = 0x0a;
const WRITING = { patience: 10_000, refusal: 'another process has been writing to it for ten seconds; end that one' };

/** A shard is a part of a night: what `merge` makes of all of them is the whole. */
export const isWholeNight = ({ kind, campaign }: RunRecord): boolean =>
  campaign.kind === 'nightly' && (kind === 'merged' || campaign.shards === 1);

/**
 * Appends the line of a night, whole or not at all, to the history beside the directory of its run. A night that is appended again counts
 * once. The run has its own files, so a history that cannot be written costs a complaint and not the night.
 */
export const appendToHistory = async (directory: string, night: Night, session: Session): Promise<void> => {
  const path = join(dirname(resolve(directory)), HISTORY_FILE);
  try {
    await refuseLink(path);
    await appendLine(path, JSON.stringify(night), session);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    const remedy = `this night is not in it; name ${directory} to shadowdiff trend as well`;
    session.complain(`shadowdiff: ${printable(`${error.message} (${remedy})`)}`);
  }
};

const appendLine = async (path: string, line: string, session: Session): Promise<void> => {
  try {
    const file = await open(path, 'a+');
    try {
      await withLock(path, WRITING, session, () => writeWhole(file, line));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput(path, `cannot be written: ${whyFailed(error)}; free space, or change its rights`);
  }
};

/** Cut back if the disk is full. A power cut may still tear a line, which the next one must not join. */
const writeWhole = async (file: FileHandle, line: string): Promise<void> => {
  const { size } = await file.stat();
  const last = Buffer.alloc(1, NEWLINE);
  if (size > 0) await file.read(last, 0, 1, size - 1);
  try {
    await file.appendFile(`${last[0] === NEWLINE ? '' : '\n'}${line}\n`);
  } catch (error) {
    await file.truncate(size);
    throw error;
  }
};

/**
 * The nights of a history, in the order of their lines. Throws `BadInput` for a file that cannot be read, and for a line that is no night.
 * A line that a power cut tore is left out, and complained about.
 */
export const readHistory = async (path: string, complain: (problem: string) => void): Promise<readonly Night[]> => {
  const file = await openFile(path);
  try {
    const nights: Night[] = [];
    let number = 0;
    for await (const line of readLines(file.createReadStream(), path)) {
      number++;
      if (line === '') continue;
      if (isTorn(line))
        complain(`${path}: line ${number}: left out, because it is cut short, as by a loss of power; remove it`);
      else nights.push(nightIn(line, number, path));
    }
    return nights;
  } finally {
    await file.close();
  }
};

/** How every line begins. */
const START = '{"format":';

/** It begins as that of a night does, or with the zeros that some file systems leave in its place, and does not end as one. */
const isTorn = (line: string): boolean =>
  (line.startsWith(START.slice(0, line.length)) || line.startsWith('\0')) && !isJson(line);

const isJson = (line: string): boolean => {
  try {
    readJson(line, 'line', 'file');
    return true;
  } catch (error) {
    if (error instanceof BadInput) return false;
    throw error;
  }
};

const nightIn = (line: string, number: number, path: string): Night => {
  const place = `line ${number}`;
  try {
    return readNight(readJson(line, place, 'file'), place);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    throw new BadInput(path, `${error.message}, or remove the line`);
  }
};

/** A night that has not come to its end: as far as its events lead, or at its very beginning. */
export const unfinishedNight = (
  directory: string,
  record: RunRecord,
  session: Session,
  ledger = emptyLedger(record.campaign),
): Night => {
  const summary = summarize(ledger, {
    record,
    interrupted: true,
    shortcoming: undefined,
    ended: new Date(record.parts[0].started),
    findings: [],
    further: [],
    known: [],
    recorded: new Map(),
    corpus: null,
    troubles: [],
  });
  const results = { directory, summary, coverage: undefined, matrix: undefined, findings: [] };
  return {
    ...nightOf(basename(resolve(directory)), summary, uniteResults([results], session).document),
    findings: [...ledger.signatures()].map(([signature, count]) => ({ signature, status: 'new', count })),
    verdict: 'unfinished',
  };
};
