/**
 * One report from any number of runs: counts are summed, what any run reached is reached, a finding that several runs made is one
 * finding.
 */

import type { Finding } from '../../../properties/finding.js';
import { packageVersion } from '../../own-package.js';
import type { Results } from './read-results.js';
import { isSameRun, pathsOf, readResults } from './read-results.js';
import type { CodeReport, MatrixRowReport, ReportDocument, RunReport, TimelineReport } from './report-document.js';
import { REPORT_FORMAT } from './report-document.js';
import { reportVerdict } from './report-verdict.js';
import { uniteFindings, uniteKnown } from './unite-findings.js';
import { uniteInvariants } from './unite-invariants.js';

export interface BuiltReport {
  readonly document: ReportDocument;
  /** The stored counterexamples, by path. */
  readonly counterexamples: ReadonlyMap<string, Finding>;
}

/** Throws `BadInput` for directories and files that cannot be read or do not fit together. */
export const buildReport = async (directories: readonly string[]): Promise<BuiltReport> => {
  const results: Results[] = [];
  for (const directory of new Set(directories)) results.push(await readResults(directory));
  const files = results.flatMap(({ findings }) => findings);
  return { document: unite(results), counterexamples: new Map(files.map(({ path, finding }) => [path, finding])) };
};

const unite = (results: readonly Results[]): ReportDocument => {
  const runs = results.flatMap(runsOf);
  const verdicts = results.flatMap(({ summary }) => (summary === undefined ? [] : [summary.verdict]));
  const findings = uniteFindings(results);
  const matrix = uniteMatrix(results);
  const invariants = uniteInvariants(results, matrix, findings);
  const code = uniteCode(results);
  return {
    format: REPORT_FORMAT,
    version: packageVersion(),
    verdict: reportVerdict({ runs, verdicts, findings, invariants, matrix }),
    programs: sum(runs.map(({ programs }) => programs)),
    steps: sum(runs.map(({ steps }) => steps)),
    milliseconds: sum(runs.map(({ milliseconds }) => milliseconds)),
    runs,
    invariants,
    matrix,
    findings,
    known: uniteKnown(results),
    timelines: results.flatMap(timelinesOf),
    ...(code === undefined ? {} : { code }),
  };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const runsOf = (results: Results): readonly RunReport[] => {
  const { summary, coverage } = results;
  const runs: RunReport[] = [];
  if (summary !== undefined) {
    const { seed, subject, reference, paging, traffic, programs, steps, time, verdict } = summary;
    const { started, milliseconds } = time;
    const what = { seed, subject, reference, paging, traffic, programs, steps, started, milliseconds };
    runs.push({ source: pathsOf(results).summary, command: 'fuzz', ...what, ending: verdict.kind });
  }
  if (coverage !== undefined && !isSameRun(results)) {
    const { seed, paging, traffic, programs, steps, time } = coverage;
    const { started, milliseconds } = time;
    const what = { seed, paging, traffic, programs, steps, started, milliseconds };
    const sides = { subject: 'impl', reference: 'model' };
    runs.push({ source: pathsOf(results).coverage, command: 'coverage', ...sides, ...what, ending: 'done' });
  }
  return runs;
};

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
      const known = rows.get(defect) ?? { defect, seeds: 0, seedsCaught: 0, caughtBy: {} };
      rows.set(defect, {
        defect,
        seeds: known.seeds + seeds,
        seedsCaught: known.seedsCaught + seedsCaught,
        caughtBy: added(known.caughtBy, caughtBy),
      });
    }
  }
  return [...rows.values()];
};

type Counts = Readonly<Record<string, number>>;

const added = (one: Counts, other: Counts): Counts => {
  const counts: Record<string, number> = { ...one };
  for (const [invariant, count] of Object.entries(other)) counts[invariant] = (counts[invariant] ?? 0) + count;
  return counts;
};
