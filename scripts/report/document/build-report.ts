/**
 * One report from any number of runs: counts are summed, what any run reached is reached, a finding that several runs made is one
 * finding.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../../properties/finding.js';
import { readJson } from '../../../properties/formats/index.js';
import { packageDirectory, packageVersion } from '../../own-package.js';
import type { Session } from '../../terminal/session.js';
import { DEFAULT_CASE_TIMEOUT, replayCommand } from '../../terminal/sides.js';
import type { CoverageDocument } from '../../coverage/coverage-document.js';
import type { Results } from './read-results.js';
import { isSameRun, pathsOf, readResults } from './read-results.js';
import type {
  CodeReport,
  CorpusReport,
  FindingReport,
  MatrixRowReport,
  MutationScore,
  ReportDocument,
  RunReport,
  TimelineReport,
} from './report-document.js';
import { MUTATION_SCORES, REPORT_FORMAT, mutationScores } from './report-document.js';
import { reportVerdict } from './report-verdict.js';
import { edgesReport, residualRiskOf } from './residual-risk-report.js';
import type { Summary } from './summary-document.js';
import { uniteFindings, uniteKnown, uniteNotLookedAt } from './unite-findings.js';
import { uniteInvariants } from './unite-invariants.js';

export interface BuiltReport {
  readonly document: ReportDocument;
  /** The stored ones, by path. */
  readonly counterexamples: ReadonlyMap<string, Counterexample>;
}

export interface Counterexample {
  readonly finding: Finding;
  /** Of the run that found it, in milliseconds. */
  readonly caseTimeout: number;
}

/** The stored program of a finding, if there is one. */
export const counterexampleOf = (
  { counterexamples }: BuiltReport,
  { file }: FindingReport,
): Counterexample | undefined => (file === undefined ? undefined : counterexamples.get(file));

/** Throws `BadInput` for directories and files that cannot be read or do not fit together. */
export const buildReport = async (directories: readonly string[], session: Session): Promise<BuiltReport> => {
  const results: Results[] = [];
  for (const directory of new Set(directories)) results.push(await readResults(directory));
  return uniteResults(results, session);
};

/** Throws `BadInput` for results that do not fit together. */
export const uniteResults = (results: readonly Results[], session: Session): BuiltReport => {
  const files = results.flatMap(({ summary, findings }) => {
    const caseTimeout = summary?.caseTimeout ?? DEFAULT_CASE_TIMEOUT;
    return findings.map(({ path, finding }) => [path, { finding, caseTimeout }] as const);
  });
  return { document: unite(results, session), counterexamples: new Map(files) };
};

const unite = (results: readonly Results[], session: Session): ReportDocument => {
  const summaries = results.flatMap(({ summary }) => (summary === undefined ? [] : [summary]));
  const runs = results.flatMap(runsOf);
  const findings = uniteFindings(results, session);
  const matrix = uniteMatrix(results);
  const invariants = uniteInvariants(results, matrix, findings);
  const code = uniteCode(results);
  const counters = uniteCounters(summaries);
  const corpus = uniteCorpus(summaries, session);
  return {
    format: REPORT_FORMAT,
    version: packageVersion(),
    verdict: reportVerdict({ runs, summaries, findings, invariants, matrix }),
    programs: sum(runs.map(({ programs }) => programs)),
    judged: sum(runs.map(({ judged }) => judged)),
    steps: sum(runs.map(({ steps }) => steps)),
    milliseconds: sum(runs.map(({ milliseconds }) => milliseconds)),
    runs,
    invariants,
    matrix,
    ...(counters === undefined ? {} : { counters }),
    edges: summaries.flatMap(edgesReport),
    residualRisks: results.flatMap((each) => (each.summary === undefined ? [] : [residualRiskOf(each, each.summary)])),
    findings,
    known: uniteKnown(results),
    ...uniteNotLookedAt(summaries),
    canaries: summaries.flatMap(({ canary }) => canary ?? []),
    ...(corpus === undefined ? {} : { corpus }),
    retries: sum(summaries.map(({ retries }) => retries)),
    troubles: summaries.flatMap(({ troubles }) => troubles),
    doubts: [...new Set(summaries.flatMap(({ doubts }) => doubts))],
    timelines: results.flatMap(timelinesOf),
    ...(code === undefined ? {} : { code }),
    mutations: mutationsOf(runs),
  };
};

/** The last scores of the machines that ran. */
const mutationsOf = (runs: readonly RunReport[]): readonly MutationScore[] => {
  const machines = new Set(runs.flatMap(({ subject, reference }) => [subject, reference]));
  const path = join(packageDirectory(), MUTATION_SCORES);
  const scores = mutationScores.parse(readJson(readFileSync(path, 'utf8'), path, 'file'));
  return scores.filter(({ machine }) => machines.has(machine));
};

type Counts = Readonly<Record<string, number>>;

/** Adds the counts key by key. */
const added = <Some extends Counts>(all: readonly Some[]): Some => {
  const total: Record<string, number> = {};
  for (const counts of all) {
    for (const [key, count] of Object.entries(counts)) total[key] = (total[key] ?? 0) + count;
  }
  return total as Some;
};

const uniteCounters = (summaries: readonly Summary[]): ReportDocument['counters'] =>
  summaries.length === 0
    ? undefined
    : {
        programs: sum(summaries.map(({ programs }) => programs)),
        diedEarly: sum(summaries.map(({ diedEarly }) => diedEarly)),
        accesses: added(summaries.map(({ accesses }) => accesses)),
        shadow: added(summaries.map(({ shadow }) => shadow)),
        pgdirCache: added(summaries.map(({ pgdirCache }) => pgdirCache)),
      };

const uniteCorpus = (summaries: readonly Summary[], session: Session): CorpusReport | undefined => {
  const replays = summaries.flatMap(({ corpus, caseTimeout }) => (corpus === null ? [] : [{ ...corpus, caseTimeout }]));
  if (replays.length === 0) return undefined;
  const entries = (kind: EntryKind): CorpusReport[EntryKind] =>
    replays.flatMap((replay) =>
      replay[kind].map(({ file, subject, signature, reason }) => ({
        file,
        ...(signature === undefined ? {} : { signature }),
        reason,
        command: replayCommand({ file, ...(subject === undefined ? {} : { subject }) }, replay.caseTimeout, session),
      })),
    );
  return {
    replayed: sum(replays.map(({ replayed }) => replayed)),
    open: entries('open'),
    fixed: entries('fixed'),
    broken: entries('broken'),
    unreadable: entries('unreadable'),
    notRun: entries('notRun'),
    unsupported: entries('unsupported'),
  };
};

type EntryKind = Exclude<keyof CorpusReport, 'replayed'>;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const runsOf = (results: Results): readonly RunReport[] => {
  const { summary, coverage } = results;
  const runs: RunReport[] = [];
  if (summary !== undefined) {
    const { kind, seed, paging, traffic, programs, judged, steps, time, verdict } = summary;
    const { started, milliseconds } = time;
    const sides = sidesOf(summary);
    const what = { seed, ...sides, paging, traffic, programs, judged, steps, started, milliseconds };
    runs.push({ source: pathsOf(results).summary, command: kind, ...what, verdict: verdict.kind });
  }
  if (coverage !== undefined && !isSameRun(results)) {
    const { seed, paging, traffic, programs, steps, diverged = 0, time } = coverage;
    const { started, milliseconds } = time;
    const sides = sidesOf(coverage);
    const what = { seed, ...sides, paging, traffic, programs, judged: programs, steps, started, milliseconds };
    const verdict = diverged === 0 ? 'done' : 'diverged';
    runs.push({ source: pathsOf(results).coverage, command: 'coverage', ...what, verdict });
  }
  return runs;
};

const sidesOf = ({ subject, reference, profile, features }: Summary | CoverageDocument) => ({
  subject,
  reference,
  ...(profile === undefined ? {} : { profile }),
  ...(features === undefined ? {} : { features }),
});

const timelinesOf = (results: Results): readonly TimelineReport[] => {
  const { coverage } = results;
  if (coverage === undefined || coverage.time.timeline.length === 0) return [];
  return [{ source: pathsOf(results).coverage, milestones: coverage.time.timeline }];
};

/** Shares of code cannot be united, so the run that reached most stands for all; unreached lines can. */
const uniteCode = (results: readonly Results[]): CodeReport | undefined => {
  const codes = results.flatMap(({ coverage }) => (coverage?.code === undefined ? [] : [coverage.code]));
  const [first, ...others] = codes.toSorted((one, other) => other.impl.lines.covered - one.impl.lines.covered);
  if (first === undefined) return undefined;
  const nameOf = ({ file, line }: CodeReport['unreached'][number]): string => `${file}:${line}`;
  const elsewhere = others.map(({ unreached }) => new Set(unreached.map(nameOf)));
  const { impl, model } = first;
  const unreached = first.unreached.filter((line) => elsewhere.every((lines) => lines.has(nameOf(line))));
  return { impl, model, unreached };
};

/** A defect that several matrices measured is counted over all their seeds. */
const uniteMatrix = (results: readonly Results[]): readonly MatrixRowReport[] => {
  const rows = new Map<string, MatrixRowReport>();
  for (const { matrix } of results) {
    for (const { defect, seeds, seedsCaught, caughtBy } of matrix?.rows ?? []) {
      const before = rows.get(defect) ?? { defect, seeds: 0, seedsCaught: 0, caughtBy: {} };
      rows.set(defect, {
        defect,
        seeds: before.seeds + seeds,
        seedsCaught: before.seedsCaught + seedsCaught,
        caughtBy: added<Counts>([before.caughtBy, caughtBy]),
      });
    }
  }
  return [...rows.values()];
};
