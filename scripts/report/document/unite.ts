/** Several runs as one: counts are summed, what any run reached is reached, a finding that several made is one finding. */

import { packageVersion } from '../../own-package.js';
import { uniteFindings, uniteKnown } from './unite-findings.js';
import { uniteInvariants } from './unite-invariants.js';
import { uniteMatrix } from './unite-matrix.js';
import type { CodeReport, ReportDocument, RunReport, TimelineReport } from './report-document.js';
import { REPORT_FORMAT } from './report-document.js';
import type { Results } from './read-results.js';
import { isSameRun, pathsOf } from './read-results.js';
import { worryAbout } from './worry.js';

/** Throws `BadInput` for results that do not fit together. */
export const unite = (results: readonly Results[]): ReportDocument => {
  const runs = results.flatMap(runsOf);
  const verdicts = results.flatMap(({ summary }) => (summary === undefined ? [] : [summary.verdict]));
  const findings = uniteFindings(results);
  const matrix = uniteMatrix(results);
  const invariants = uniteInvariants(results, matrix, findings);
  const code = uniteCode(results);
  return {
    format: REPORT_FORMAT,
    version: packageVersion(),
    worry: worryAbout({ runs, verdicts, findings, invariants, matrix }),
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

/** Shares cannot be united, so the run that reached most stands for all; of lines that nobody reached it is known. */
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
