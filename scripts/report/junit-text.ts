/** JUnit XML: a suite for each invariant, with a failing case for each finding, and one for the corpus. */

import type { Builder, TestSuite } from 'junit-report-builder';
import exported from 'junit-report-builder';
import { counted } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import { explainCommand } from '../terminal/sides.js';
import type { BuiltReport } from './document/build-report.js';
import { counterexampleOf } from './document/build-report.js';
import type { CorpusReport, FindingReport, InvariantReport, ReportDocument } from './document/report-document.js';
import { findingMessage, standardErrorLines } from './finding-text.js';
import { shownListing } from './program-window.js';
import { titleOf } from './report-news.js';

/** Its types declare a default export, but the module is CommonJS and is itself the export. */
const junit = exported as unknown as Builder;

export const junitText = (built: BuiltReport, session: Session): string => {
  const { document: report } = built;
  const builder = junit.newBuilder().name('shadowdiff');
  for (const invariant of report.invariants) {
    const suite = builder.testSuite().name(invariant.id);
    if (invariant.findings === 0) addVerdict(suite, invariant);
    addFindings(suite, invariant.id, built, session);
  }
  if (report.corpus !== undefined) addCorpus(builder.testSuite().name('corpus'), report.corpus);
  for (const failure of failuresOf(report)) addFindings(builder.testSuite().name(failure), failure, built, session);
  return builder.build().trimEnd();
};

/** Names of findings that are no invariants: the subject crashed, hung or sent a malformed answer. */
const failuresOf = ({ findings, invariants }: ReportDocument): ReadonlySet<string> => {
  const ids = new Set(invariants.map(({ id }) => id));
  return new Set(findings.map(({ invariant }) => invariant).filter((name) => !ids.has(name)));
};

const addVerdict = (suite: TestSuite, { id, statement, exercised, asked, because }: InvariantReport): void => {
  const verdict = suite.testCase().className(`shadowdiff.${id}`).name(statement);
  if (asked !== 'fully')
    verdict.standardOutput(`asked ${asked === 'not' ? 'not at all' : 'only in part'}: ${because.join('; ')}`);
  if (exercised === 0 || asked === 'not') verdict.skipped();
};

const addFindings = (suite: TestSuite, invariant: string, report: BuiltReport, session: Session): void => {
  for (const finding of report.document.findings.filter((each) => each.invariant === invariant)) {
    suite
      .testCase()
      .className(`shadowdiff.${invariant}`)
      .name(printable(titleOf(finding)))
      .failure(printable(findingMessage(finding)), invariant)
      .stacktrace(detailsOf(finding, report, session).join('\n'));
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

const detailsOf = (finding: FindingReport, report: BuiltReport, session: Session): readonly string[] => [
  ...programOf(finding, report, session),
  ...errorsOf(finding, report),
  '',
  `programs that show it: ${finding.count}`,
  printable(finding.replay),
];

const errorsOf = (finding: FindingReport, report: BuiltReport): readonly string[] => {
  const stored = counterexampleOf(report, finding)?.finding;
  const lines = stored === undefined ? [] : standardErrorLines(stored.divergence);
  return lines.length === 0 ? [] : ['', 'standard error:', ...lines];
};

const programOf = (finding: FindingReport, report: BuiltReport, session: Session): readonly string[] => {
  const stored = counterexampleOf(report, finding)?.finding;
  if (stored === undefined || finding.file === undefined) return ['The program was not stored.'];
  const { lines, isWhole } = shownListing(stored);
  return isWhole ? lines : [...lines, `every step: ${printable(explainCommand(finding.file, session))}`];
};
