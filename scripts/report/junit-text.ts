/** JUnit XML: a suite for each invariant, with a failing case for each finding, and one for the corpus. */

import type { Builder, TestSuite } from 'junit-report-builder';
import exported from 'junit-report-builder';
import { counted } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { CorpusReport, FindingReport, InvariantReport, ReportDocument } from './document/report-document.js';

/** Its types declare a default export, but the module is CommonJS and is itself the export. */
const junit = exported as unknown as Builder;

export const junitText = (report: ReportDocument): string => {
  const builder = junit.newBuilder().name('shadowdiff');
  for (const invariant of report.invariants) {
    const suite = builder.testSuite().name(invariant.id);
    if (invariant.findings === 0) addVerdict(suite, invariant);
    addFindings(suite, report, invariant.id);
  }
  if (report.corpus !== undefined) addCorpus(builder.testSuite().name('corpus'), report.corpus);
  for (const failure of failuresOf(report)) addFindings(builder.testSuite().name(failure), report, failure);
  return builder.build().trimEnd();
};

/** Names of findings that are no invariants: the subject crashed, hung or sent a malformed answer. */
const failuresOf = ({ findings, invariants }: ReportDocument): ReadonlySet<string> => {
  const ids = new Set(invariants.map(({ id }) => id));
  return new Set(findings.map(({ invariant }) => invariant).filter((name) => !ids.has(name)));
};

const addVerdict = (suite: TestSuite, { id, statement, exercised }: InvariantReport): void => {
  const verdict = suite.testCase().className(`shadowdiff.${id}`).name(statement);
  if (exercised === 0) verdict.skipped();
};

const addFindings = (suite: TestSuite, { findings }: ReportDocument, invariant: string): void => {
  for (const finding of findings.filter((each) => each.invariant === invariant)) {
    suite
      .testCase()
      .className(`shadowdiff.${invariant}`)
      .name(printable(finding.signature))
      .failure(messageOf(finding), invariant)
      .stacktrace(detailsOf(finding).join('\n'));
  }
};

const addCorpus = (suite: TestSuite, { replayed, broken }: CorpusReport): void => {
  if (broken.length === 0)
    suite
      .testCase()
      .className('shadowdiff.corpus')
      .name(`${counted(replayed, 'entry', 'entries')} replayed`);
  for (const { file, reason, command } of broken) {
    suite
      .testCase()
      .className('shadowdiff.corpus')
      .name(printable(file))
      .failure(printable(reason), 'corpus')
      .stacktrace(printable(command));
  }
};

const messageOf = ({ signature, counterexample }: FindingReport): string => {
  if (counterexample === undefined) return printable(signature);
  const { place, field, expected, actual } = counterexample;
  return printable(`${place}: ${field}: expected ${expected}, was ${actual}`);
};

const detailsOf = ({ counterexample, replay, count }: FindingReport): readonly string[] => [
  ...(counterexample?.listing ?? ['The program was not stored.']),
  '',
  `programs that show it: ${count}`,
  printable(replay),
];
