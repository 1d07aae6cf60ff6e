/** Writes all that can be read of a run into its directory, from its ledger: written twice, it is the same. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BadInput } from '../../properties/formats/index.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import { RERUNS } from '../../properties/campaign/occurrence.js';
import { fileNameOf, formatCounterexample } from '../../properties/corpus/counterexample.js';
import { makeDirectory } from '../../properties/corpus/make-directory.js';
import { writeTextFile } from '../../properties/corpus/store.js';
import type { KindOfFinding, FuzzOptions, FuzzResult } from '../../properties/fuzz.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import type { KnownFinding } from '../../properties/known-findings.js';
import type { Tally } from '../../properties/tally.js';
import type { CoverageDocument } from '../coverage/coverage-document.js';
import { COVERAGE_FORMAT, INVARIANTS_FILE } from '../coverage/coverage-document.js';
import { invariantCoverage } from '../coverage/build-coverage.js';
import { storeFinding } from './finding-store.js';
import { UNSTEADY, findingSummary } from './finding-summary.js';
import { tolerated } from './known.js';
import type { Ending } from './summarize.js';
import { summarize } from './summarize.js';
import { writeSummary, FINDINGS_DIRECTORY } from '../report/document/summary-document.js';
import { commandLineOf } from '../terminal/shell-words.js';
import type { FindingSummary, Summary } from '../report/document/summary-document.js';
import { subjectOf } from '../terminal/sides.js';
import type { Session } from '../terminal/session.js';
import { writeReports } from './reporters.js';
import { TRIAGE_FILE } from './run-files.js';
import type { RunRecord } from './run-record.js';
import type { KeptPrograms } from './seed-keeping.js';
import { tryToKeepPrograms } from './seed-keeping.js';
import type { Triage, TriagedFinding } from './triage.js';
import { triageOf } from './triage.js';
import { nightlyVerdict } from './verdict.js';

export interface Publication {
  readonly summary: Summary;
  readonly triage: Triage;
  /** What could not be saved, a sentence each. */
  readonly troubles: readonly string[];
  /** Undefined if this run keeps none. */
  readonly seeds: KeptPrograms | undefined;
}

export interface PublishOptions {
  readonly directory: string;
  readonly record: RunRecord;
  readonly known: readonly KnownFinding[];
  /** The corpus into which new counterexamples go; a shard alone does not know which program will stand for a finding. */
  readonly keepIn: string | undefined;
  readonly interrupted: boolean;
  /** The largest number of seeds in that corpus. */
  readonly mostPrograms: number;
}

/** If a file cannot be written. */
const REMEDY = 'go on with --resume';
const TRIAGE_FORMAT = 'shadowdiff-triage/1';

export const publish = async (ledger: Ledger, options: PublishOptions, session: Session): Promise<Publication> => {
  const { directory, record, known, keepIn } = options;
  const replayed = record.parts[0].corpus;
  const today = session.surroundings.today();
  const tolerates = tolerated(known, today);
  const triage = await triageOf(ledger, { record, replayed, kept: keepIn ?? replayed, tolerated: tolerates });
  const { findings, troubles } = await storeAll(triage.findings, options);
  const seeds = await seedsFrom(ledger, options);
  if (typeof seeds === 'string') troubles.push(seeds);
  const result = resultOf(ledger, triage.findings);
  const summary = summarize(
    { options: fuzzOptionsOf(record, session), known },
    result,
    { interrupted: options.interrupted, findings, time: timeOf(ledger, record, today) },
    nightlyVerdict({ ledger, record, triage }, tolerates),
  );
  await writeSummary(directory, summary);
  await writeInvariants(directory, summary, result.tally);
  await writeJson(join(directory, TRIAGE_FILE), triageToJson(triage, findings, ledger));
  await writeReports(directory, session);
  return { summary, triage, troubles, seeds: typeof seeds === 'string' ? undefined : seeds };
};

/** Of a run that was interrupted none are kept: which they are is known only at its end. Answers what went wrong, if it did. */
const seedsFrom = async (
  ledger: Ledger,
  { directory, record, keepIn, mostPrograms, interrupted }: PublishOptions,
): Promise<KeptPrograms | string | undefined> => {
  if (keepIn === undefined || record.campaign.pool === null || interrupted) return undefined;
  return await tryToKeepPrograms(ledger, record, { corpus: keepIn, most: mostPrograms, directory });
};

/** The options of an equal fuzz run, for the summary. */
const fuzzOptionsOf = ({ campaign }: RunRecord, session: Session): FuzzOptions => {
  const { seed, paging, traffic, maxSteps } = campaign;
  return {
    campaign: seed,
    paging,
    traffic,
    mostSteps: maxSteps,
    subject: subjectOf(session, campaign.subject, '--subject', campaign),
    reference: subjectOf(session, campaign.reference, '--reference', campaign),
    invariants: INVARIANTS,
    mostFindings: Number.MAX_SAFE_INTEGER,
    mostTries: campaign.maxTries,
  };
};

const resultOf = (ledger: Ledger, findings: readonly TriagedFinding[]): FuzzResult => ({
  programs: ledger.programs,
  tally: ledger.tally(),
  findings: findings.filter(({ status }) => status !== 'tolerated').map(findingOf),
  known: new Map(
    findings.filter(({ status }) => status === 'tolerated').map(({ signature, count }) => [signature, count]),
  ),
});

const findingOf = ({ signature, count, occurrence }: TriagedFinding): KindOfFinding => {
  const { entry, shrunk, shown } = occurrence;
  const { program, originalSteps } = entry.provenance;
  return {
    signature,
    program,
    originalSteps,
    case: entry.case,
    divergence: entry.divergence,
    interrupted: shrunk !== 'wholly',
    reproduced: shown === undefined || shown === RERUNS,
    count,
  };
};

/** Shards ran side by side: the longest time is that of all. */
const timeOf = (ledger: Ledger, { parts }: RunRecord, today: Date): Ending['time'] => {
  const started = parts.map((part) => part.started).toSorted()[0];
  const milliseconds = Math.max(0, ...[...ledger.shards.values()].map(({ elapsed }) => elapsed));
  return { started, ended: today.toISOString(), milliseconds };
};

/** Stores the findings of a run, and of an earlier state of it what is still right. */
const storeAll = async (
  findings: readonly TriagedFinding[],
  options: PublishOptions,
): Promise<{ readonly findings: readonly FindingSummary[]; readonly troubles: string[] }> => {
  const directory = join(options.directory, FINDINGS_DIRECTORY);
  const told = findings.filter(({ status }) => status !== 'tolerated');
  const troubles: string[] = [];
  const summaries: FindingSummary[] = [];
  if (told.length > 0) await makeResults(directory);
  await removeOthers(directory, new Set(told.map(({ occurrence }) => fileNameOf(occurrence.entry))));
  for (const finding of told) {
    const file = await storeOne(finding, directory, options, troubles);
    const replay = commandLineOf(['shadowdiff', 'replay', file ?? 'FILE']);
    summaries.push(findingSummary(findingOf(finding), file, replay));
  }
  return { findings: summaries, troubles };
};

/** Answers where it is best looked for. */
const storeOne = async (
  { status, occurrence, recordedAt }: TriagedFinding,
  directory: string,
  { keepIn }: PublishOptions,
  troubles: string[],
): Promise<string | undefined> => {
  const entry = occurrence.shown === 0 ? { ...occurrence.entry, note: UNSTEADY } : occurrence.entry;
  const path = join(directory, fileNameOf(entry));
  const written = await writeTextFile(path, formatCounterexample(entry), REMEDY).then(
    () => path,
    (error: Error) => void troubles.push(error.message),
  );
  if (recordedAt !== undefined) return recordedAt;
  if (keepIn === undefined || status !== 'new' || occurrence.shrunk === 'not') return written;
  const stored = await storeFinding(keepIn, entry);
  if (stored.kind === 'lost') troubles.push(stored.problem);
  else if (stored.recorded.status === 'fixed') troubles.push(`${stored.path}: marked as fixed, and it is back`);
  return stored.kind === 'stored' ? stored.path : written;
};

const makeResults = async (directory: string): Promise<void> => {
  await makeDirectory(directory).catch((error: Error) => {
    throw new BadInput(directory, `cannot be made: ${error.message}; free space or ${REMEDY}`);
  });
};

/** A finding whose program became smaller has another file. */
const removeOthers = async (directory: string, names: ReadonlySet<string>): Promise<void> => {
  for (const name of await readdir(directory).catch(() => [])) {
    if (name.endsWith('.json') && !names.has(name)) await rm(join(directory, name), { force: true });
  }
};

/** What the run looked at, as `coverage` tells it; of code nothing was measured. */
const writeInvariants = async (directory: string, summary: Summary, tally: Tally): Promise<void> => {
  const { version, seed, paging, traffic, programs, steps } = summary;
  const { started, milliseconds } = summary.time;
  const document: CoverageDocument = {
    format: COVERAGE_FORMAT,
    version,
    seed,
    paging,
    traffic,
    programs,
    steps,
    time: { started, milliseconds, timeline: [] },
    invariants: tally.invariants.map((_, index) => invariantCoverage(tally, index)),
  };
  await writeJson(join(directory, INVARIANTS_FILE), document);
};

const triageToJson = (
  { findings, open, fixed, broken, unreadable }: Triage,
  summaries: readonly FindingSummary[],
  { canary }: Ledger,
): unknown => ({
  format: TRIAGE_FORMAT,
  canary: canary === undefined ? null : { defect: canary.defect, caught: canary.caught, programs: canary.programs },
  findings: findings.map(({ status, signature, count }) => {
    const { file, replay } = summaries.find((each) => each.signature === signature) ?? {};
    return { status, signature, count, file, command: replay };
  }),
  corpus: { open, fixed, broken, unreadable },
});

const writeJson = (path: string, value: unknown): Promise<void> =>
  writeTextFile(path, `${JSON.stringify(value, undefined, 1)}\n`, REMEDY);
