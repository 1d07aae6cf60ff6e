/** Puts findings where they outlive the run, and shows them. A finding that cannot be stored is printed whole. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameOf, formatCounterexample, parseCounterexample } from '../../properties/corpus/counterexample.js';
import type { StoredFinding } from '../../properties/corpus/store.js';
import {
  makeDirectory,
  readTextFile,
  removeTemporaries,
  saveFinding,
  writeTextFile,
} from '../../properties/corpus/store.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding, Replay } from '../../properties/finding.js';
import { isFlaky } from '../../properties/finding.js';
import { BadInput, formatProgram } from '../../properties/formats/index.js';
import { IMPL, MODEL, ownMachine } from '../../properties/subjects/subject-names.js';
import { FINDINGS_DIRECTORY } from '../report/document/summary-document.js';
import { findingReport, oftenText } from '../report/finding-text.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import { replayCommand } from '../terminal/sides.js';
import type { RunRecord } from './run-directory.js';

/** What helps if a file of a run's directory cannot be written. A merge is made again. */
export const remedyFor = ({ kind }: Pick<RunRecord, 'kind'>): string =>
  kind === 'merged' ? 'name another --out' : 'resume with nightly --resume';

/**
 * Stores a finding in a corpus. An existing file of the same program stays as it is: it may have a note, or be marked as fixed. Returns what
 * the file holds, or why it could not be written.
 */
export const storeFinding = async (
  directory: string,
  finding: Finding,
): Promise<StoredFinding | { readonly problem: string }> => {
  const file = join(directory, fileNameOf(finding));
  try {
    const existing = await findingAt(file);
    if (existing === undefined) await saveFinding(directory, finding);
    return { ...(existing ?? finding), file };
  } catch (error) {
    if (error instanceof BadInput) return { problem: error.message };
    throw error;
  }
};

const findingAt = async (file: string): Promise<Finding | undefined> => {
  try {
    return parseCounterexample(await readTextFile(file), file);
  } catch (error) {
    if (error instanceof BadInput) return undefined;
    throw error;
  }
};

interface StorePlaces {
  /** The directory of the run, if it has one. */
  readonly directory: string | undefined;
  /** The corpus for new findings; undefined for a shard, which does not know which program will represent a finding. */
  readonly keepIn: string | undefined;
  /** Of the run, in milliseconds. */
  readonly caseTimeout: number;
  /** What helps if a file in that directory cannot be written. */
  readonly remedy: string;
}

/** The findings of a run: stored one by one, as soon as they are known. */
export class FindingStore {
  /** What could not be stored, a sentence each. */
  readonly troubles: string[] = [];
  private places: StorePlaces;
  private readonly session: Session;
  private readonly stored = new Map<string, Finding>();
  private complaints = 0;

  constructor(places: StorePlaces, session: Session) {
    this.places = places;
    this.session = session;
  }

  /** Stores and prints a finding of an interactive run, unless that was done before. */
  async show(finding: Finding): Promise<void> {
    if (this.stored.has(nameOf(finding))) return;
    const stored = await this.store(finding);
    const { session } = this;
    session.print();
    for (const line of findingReport(stored, session)) session.print(line);
    if (stored.file === undefined) {
      const why = isFlaky(stored) ? 'is not kept, because it does not always show' : 'could not be saved';
      session.print(`the program, which ${why}; put the next line into a file to replay it:`);
      session.print(formatProgram(stored.case.program));
    }
    session.print(replayCommand(stored.replay!, this.places.caseTimeout, session));
    for (; this.complaints < this.troubles.length; this.complaints++) {
      session.complain(`shadowdiff: ${printable(this.troubles[this.complaints])}`);
    }
  }

  /** The finding with its file, if it could be stored, and what replays it. */
  async store(found: Finding): Promise<Finding> {
    const finding = isFlaky(found) ? { ...found, note: `Flaky: ${oftenText(found)}.` } : found;
    const before = this.stored.get(nameOf(finding));
    const { file, replay } =
      before !== undefined && isSameProgram(before, finding) ? before : await this.write(finding);
    const stored: Finding = { ...finding, ...(file === undefined ? {} : { file }), replay: replay! };
    this.stored.set(nameOf(finding), stored);
    return stored;
  }

  /** The directory of the run cannot be written to any more. */
  leaveRun(): void {
    this.places = { ...this.places, directory: undefined };
  }

  /**
   * Removes the files of an earlier state of the run: a finding whose program was shrunk has another file, and a process that was killed
   * may have left half of one.
   */
  async removeOthers(): Promise<void> {
    const names = new Set([...this.stored.values()].map(fileNameOf));
    const { directory, keepIn } = this.places;
    if (keepIn !== undefined) await removeTemporaries(keepIn, (name) => names.has(name));
    if (directory === undefined) return;
    const findings = join(directory, FINDINGS_DIRECTORY);
    for (const name of await readdir(findings).catch(() => [])) {
      if (name.endsWith('.json') && !names.has(name))
        await rm(join(findings, name), { force: true }).catch((error: Error) => void this.troubles.push(error.message));
    }
  }

  private async write(finding: Finding): Promise<Pick<Finding, 'file' | 'replay'>> {
    const inRun = await this.writeToRun(finding);
    const sides = { subject: finding.subject, reference: finding.reference };
    if (finding.file !== undefined)
      return { file: finding.file, replay: replayOf(finding, { ...sides, file: finding.file }) };
    const inCorpus = await this.writeToCorpus(finding);
    if (inCorpus !== undefined) return { file: inCorpus.file, replay: replayOf(finding, inCorpus) };
    if (inRun !== undefined) return { file: inRun, replay: replayOf(finding, { ...sides, file: inRun }) };
    // A bare program names no sides.
    return { replay: replayOf(finding, { subject: IMPL.name, reference: MODEL.name, file: 'FILE' }) };
  }

  private async writeToRun(finding: Finding): Promise<string | undefined> {
    if (this.places.directory === undefined) return undefined;
    const directory = join(this.places.directory, FINDINGS_DIRECTORY);
    const file = join(directory, fileNameOf(finding));
    try {
      await makeDirectory(directory);
      await writeTextFile(file, formatCounterexample(finding), this.places.remedy);
      return file;
    } catch (error) {
      this.troubles.push((error as Error).message);
      return undefined;
    }
  }

  /** A corpus takes findings that always show. Those that are not worked out it takes only if there is no other place for them. */
  private async writeToCorpus(finding: Finding): Promise<StoredFinding | undefined> {
    const { keepIn, directory } = this.places;
    if (keepIn === undefined || isFlaky(finding)) return undefined;
    if (directory !== undefined && finding.shrunk === undefined) return undefined;
    const stored = await storeFinding(keepIn, finding);
    if ('problem' in stored) {
      this.troubles.push(stored.problem);
      return undefined;
    }
    if (stored.status === 'fixed') this.troubles.push(`${stored.file}: marked as fixed, and it is back`);
    return stored;
  }
}

/** `recorded`: what the file names. A file's word runs no command, so the line names one again. */
const replayOf = (
  { subject, reference }: Finding,
  recorded: Pick<Finding, 'subject' | 'reference'> & { readonly file: string },
): Replay => {
  const isEnough = (named: string, name: string): boolean =>
    named === name && ownMachine(name, recorded.file) !== undefined;
  return {
    file: recorded.file,
    ...(isEnough(recorded.subject, subject) ? {} : { subject }),
    ...(isEnough(recorded.reference, reference) ? {} : { reference }),
  };
};

/** What sets a finding apart from the others of its run. */
const nameOf = (finding: Finding): string => (finding.namesake ? fileNameOf(finding) : signatureOf(finding.divergence));

const isSameProgram = (one: Finding, other: Finding): boolean => fileNameOf(one) === fileNameOf(other);
