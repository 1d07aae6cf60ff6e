/** Writes all that can be read about a run, from its ledger. Written again, it is the same. */

import { basename, join, resolve } from 'node:path';
import { isWorkerFailure } from '../../properties/campaign/events.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import type { Text } from '../../properties/corpus/store.js';
import { writeTextFile } from '../../properties/corpus/store.js';
import type { Finding } from '../../properties/finding.js';
import { isFullyShrunk } from '../../properties/finding.js';
import type { TiedFinding } from '../../properties/known-findings.js';
import { invariantCoverage } from '../coverage/build-coverage.js';
import type { CoverageDocument } from '../coverage/coverage-document.js';
import { COVERAGE_FORMAT, INVARIANTS_FILE } from '../coverage/coverage-document.js';
import type { BuiltReport } from '../report/document/build-report.js';
import { uniteResults } from '../report/document/build-report.js';
import type { Results } from '../report/document/read-results.js';
import type { Summary } from '../report/document/summary-document.js';
import { SUMMARY_FILE } from '../report/document/summary-document.js';
import type { RerunOptions } from '../report/html/explained-findings.js';
import type { ReporterName } from '../report/reporters.js';
import { nightOf } from '../report/trend/night.js';
import type { Session } from '../terminal/session.js';
import type { FindingStore } from './finding-store.js';
import { remedyFor } from './finding-store.js';
import { appendToHistory, isWholeNight } from './history.js';
import type { CampaignRecord, RunRecord } from './run-directory.js';
import { HTML_FILE, JUNIT_FILE } from './run-directory.js';
import { scopeOfRecord, summarize } from './summarize.js';
import { furtherLeft } from './shrinking.js';
import { toleratedOn } from './tolerance.js';
import { corpusSummary, recordedIn, triagedFindings } from './triage.js';

export interface PublishOptions {
  /** Undefined for a run without one: nothing is written but findings. */
  readonly directory: string | undefined;
  readonly record: RunRecord;
  readonly known: readonly TiedFinding[];
  /** The corpus in which findings may be recorded. */
  readonly corpus: string;
  /** The corpus for what is new; undefined for a shard and for a merge that only reports. */
  readonly keepIn: string | undefined;
  readonly interrupted: boolean;
  /** Why the run could not do all of its tasks, if so; a clause. */
  readonly shortcoming: string | undefined;
}

export interface Publication {
  /** The findings that are worth shrinking further. */
  readonly unshrunk: readonly Finding[];
  readonly summary: Summary;
  readonly coverage: CoverageDocument;
  readonly report: BuiltReport;
}

export const publish = async (
  ledger: Ledger,
  options: PublishOptions,
  store: FindingStore,
  session: Session,
): Promise<Publication> => {
  const { directory, record, known, corpus, interrupted, shortcoming } = options;
  const { campaign } = record;
  const ended = session.surroundings.today();
  const tolerated = toleratedOn(ended, known);
  const recorded = await recordedIn(corpus, record);
  const triaged = triagedFindings(ledger, { recorded, tolerated });
  const findings = await storeAll(triaged, campaign.kind, store);
  const summary = summarize(ledger, {
    record,
    interrupted,
    shortcoming,
    ended,
    findings,
    known,
    recorded,
    further: interrupted ? [] : furtherLeft(ledger, tolerated),
    corpus:
      campaign.kind === 'fuzz'
        ? null
        : corpusSummary(ledger, { corpus, subject: campaign.subject, recorded, found: triaged }),
    troubles: store.troubles,
  });
  const coverage = coverageOf(summary, ledger, campaign);
  const files = findings.flatMap((finding) =>
    finding.file === undefined || finding.triage === 'tolerated' ? [] : [{ path: finding.file, finding }],
  );
  const results: Results = { directory: directory ?? '', summary, coverage, matrix: undefined, findings: files };
  const report = uniteResults([results], session);
  return { unshrunk: findings.filter(isUnshrunk), summary, coverage, report };
};

const isUnshrunk = (finding: Finding): boolean => {
  const { triage, file, divergence } = finding;
  return !isFullyShrunk(finding) && triage === 'new' && file !== undefined && !isWorkerFailure(divergence);
};

/** A fuzz run has shown most of its findings on the way; the others are shown now. */
const storeAll = async (
  triaged: readonly Finding[],
  kind: RunRecord['campaign']['kind'],
  store: FindingStore,
): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  for (const finding of triaged) {
    const isTolerated = finding.triage === 'tolerated';
    if (kind === 'fuzz' && !isTolerated) await store.show(finding);
    findings.push(isTolerated ? finding : await store.store(finding));
  }
  await store.removeOthers();
  return findings;
};

/** What else is made of a run's directory. A new one is a line. */
const REPORTS: readonly (readonly [file: string, reporter: ReporterName])[] = [
  [HTML_FILE, 'html'],
  [JUNIT_FILE, 'junit'],
];

/** Writes the results into the directory of a run, and a night into the history. Throws `BadInput` if that fails: print them first. */
export const writeResults = async (
  directory: string,
  record: RunRecord,
  { summary, coverage, report }: Publication,
  rerun: RerunOptions,
): Promise<void> => {
  const write = (file: string, text: Text): Promise<void> =>
    writeTextFile(join(directory, file), text, remedyFor(record));
  await write(SUMMARY_FILE, jsonText(summary));
  await write(INVARIANTS_FILE, jsonText(coverage));
  // Loaded on demand: the page and its explanations are half of the code that a run needs.
  const { reportText } = await import('../report/reporters.js');
  for (const [file, name] of REPORTS) await write(file, reportText(name, report, rerun));
  if (!isWholeNight(record)) return;
  await appendToHistory(directory, nightOf(basename(resolve(directory)), summary, report.document), rerun.session);
};

const jsonText = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\n`;

/** Which situations the run met, in the format of `coverage`; no code was measured. */
const coverageOf = (summary: Summary, ledger: Ledger, campaign: CampaignRecord): CoverageDocument => {
  const { version, seed, subject, reference, profile, features, paging, traffic, programs, steps } = summary;
  const reach = { scope: scopeOfRecord(campaign), traffic };
  const { started, milliseconds } = summary.time;
  const tally = ledger.tally();
  return {
    format: COVERAGE_FORMAT,
    version,
    seed,
    subject,
    reference,
    ...(profile === undefined ? {} : { profile }),
    ...(features === undefined ? {} : { features }),
    paging,
    traffic,
    programs,
    steps,
    time: { started, milliseconds, timeline: [] },
    invariants: tally.invariants.map((_, index) => invariantCoverage(tally, index, reach)),
  };
};
