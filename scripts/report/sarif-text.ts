/**
 * SARIF 2.1.0 (OASIS): a rule for each invariant, a result for each finding, at its counterexample file. Code-scanning pages and editors
 * read it.
 */

import type { Log, ReportingDescriptor, Result } from 'sarif';
import { ruleBeside } from '../../properties/divergence.js';
import { printable } from '../terminal/printable.js';
import type { CorpusReport, FindingReport, ReportDocument } from './document/report-document.js';
import { findingMessage } from './finding-text.js';
import { SEVERITIES, titleOf } from './report-news.js';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
/** The rule of corpus entries that no longer give what they record. */
const CORPUS_RULE: ReportingDescriptor = {
  id: 'corpus',
  shortDescription: { text: 'Every stored counterexample behaves as it is recorded.' },
};

export const sarifLog = (report: ReportDocument): Log => {
  const rules = rulesOf(report);
  const result = (ruleId: string, level: Result.level, message: string, file?: string): Result => ({
    ruleId,
    ruleIndex: rules.findIndex(({ id }) => id === ruleId),
    level,
    message: { text: printable(message) },
    ...(file === undefined ? {} : { locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) } } }] }),
  });
  const results = [
    ...report.findings.map((finding) => ({
      ...result(finding.invariant, levelOf(finding), findingMessage(finding), finding.file),
      ...detailsOf(finding, report),
    })),
    ...brokenIn(report.corpus).map(({ file, reason }) => result(CORPUS_RULE.id, 'error', reason, file)),
  ];
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'shadowdiff', version: report.version, rules } },
        invocations: [
          {
            executionSuccessful: report.verdict.kind === 'clean' || report.verdict.kind === 'divergence',
            toolExecutionNotifications: [...report.troubles, ...report.doubts].map((text) => ({
              level: 'warning',
              message: { text: printable(text) },
            })),
          },
        ],
        results,
      },
    ],
  };
};

const levelOf = ({ status }: FindingReport): Result.level =>
  SEVERITIES[status] === 'notice' ? 'note' : SEVERITIES[status];

const brokenIn = (corpus: CorpusReport | undefined): CorpusReport['broken'] => corpus?.broken ?? [];

/** The invariants, then what else findings are named after, then the corpus if a result names it. */
const rulesOf = ({ invariants, findings, corpus }: ReportDocument): ReportingDescriptor[] => {
  const statements = new Map(invariants.map(({ id, statement }) => [id, statement]));
  for (const { invariant } of findings)
    if (!statements.has(invariant)) statements.set(invariant, ruleBeside(invariant).statement);
  return [
    ...[...statements].map(([id, text]) => ({ id, shortDescription: { text } })),
    ...(brokenIn(corpus).length === 0 ? [] : [CORPUS_RULE]),
  ];
};

const detailsOf = (finding: FindingReport, report: ReportDocument): Partial<Result> => {
  const { signature, count, steps, impact, replay, status } = finding;
  const reason = report.known.find((known) => known.signature === signature)?.reason;
  return {
    partialFingerprints: { 'signature/v1': printable(titleOf(finding)) },
    occurrenceCount: count,
    properties: { steps, impact, replay: printable(replay) },
    ...(status === 'tolerated'
      ? { suppressions: [{ kind: 'external', ...(reason === undefined ? {} : { justification: printable(reason) }) }] }
      : {}),
  };
};

/** A path as a relative reference (RFC 3986), an absolute one as a file URI. */
const uriOf = (file: string): string => {
  // Half a surrogate pair has no encoding.
  const path = Buffer.from(file).toString().split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
};
